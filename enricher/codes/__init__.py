"""Cells to codes: find the columns that hold them, read, repair on evidence, validate, canonicalise."""

from enricher.codes.columns import CodeColumn, Layout, find_columns
from enricher.codes.identify import Identified, identify
from enricher.codes.marketplaces import parse as parse_domain

__all__ = ["CodeColumn", "Identified", "Layout", "find_columns", "identify", "parse_domain"]
