"""Excel workbooks (.xlsx, .xlsm): read, and written with columns added and nothing else changed."""

from enricher.sheets.xlsx.cells.references import MAX_COLUMNS, MAX_ROWS
from enricher.sheets.xlsx.opc.limits import Limits
from enricher.sheets.xlsx.workbook import Worksheet, worksheets
from enricher.sheets.xlsx.write.new_workbook import write_new_workbook

__all__ = ["MAX_COLUMNS", "MAX_ROWS", "Limits", "Worksheet", "worksheets", "write_new_workbook"]
