"""Files of other programs, read and never written: .xls, .xlsb, .ods, tables of web pages, XML of Excel 2003."""

from enricher.sheets.foreign.reading import foreign_tables

__all__ = ["foreign_tables"]
