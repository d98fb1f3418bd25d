"""Excel workbooks (.xlsx, .xlsm): read, and written with columns added and nothing else changed."""

from enricher.sheets.xlsx.new_workbook import write_new_workbook
from enricher.sheets.xlsx.package import is_workbook
from enricher.sheets.xlsx.workbook import Worksheet, worksheets

__all__ = ["Worksheet", "is_workbook", "worksheets", "write_new_workbook"]
