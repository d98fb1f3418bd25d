"""Text files with delimiters, byte for byte."""

from enricher.sheets.csv.new_csv import write_new_csv
from enricher.sheets.csv.source import CsvSource

__all__ = ["CsvSource", "write_new_csv"]
