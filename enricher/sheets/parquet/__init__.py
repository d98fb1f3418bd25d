"""Parquet files, in and out."""

from enricher.sheets.parquet.file import is_parquet
from enricher.sheets.parquet.new_parquet import write_new_parquet
from enricher.sheets.parquet.source import ParquetSource

__all__ = ["ParquetSource", "is_parquet", "write_new_parquet"]
