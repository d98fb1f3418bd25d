"""Workbooks of other programs through calamine (.xls, .xlsb, .ods).

Owns how a sheet's rectangle becomes rows with a value. To be called in a process of its own only: calamine allocates
the whole rectangle, and aborts where it can't.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import python_calamine as calamine

from enricher.sheets.foreign.spool import MAX_CELLS, Column, SpoolWriter, TableEntry
from enricher.sheets.foreign.values import column_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def read_workbook(path: Path, writer: SpoolWriter) -> Iterator[TableEntry]:
    """Write every worksheet to the spool; sheets of charts and macros are left out. Raises CalamineError, OSError."""
    with path.open("rb") as file:
        # By its path, calamine would go by the file's name.
        book = calamine.CalamineWorkbook.from_filelike(file)
    for index, sheet in enumerate(book.sheets_metadata):
        if sheet.typ == calamine.SheetTypeEnum.WorkSheet:
            table = TableEntry(sheet.name, sheet.visible != calamine.SheetVisibleEnum.Visible)
            _spool(book.get_sheet_by_index(index), table, writer)
            yield table


def _spool(sheet: calamine.CalamineSheet, table: TableEntry, writer: SpoolWriter) -> None:
    """Write the rows that hold anything.

    iter_rows begins at the first row of the sheet, but at the first column with a value.
    """
    if sheet.start is None:
        return
    left = sheet.start[1]
    numbers: list[int] = []
    rows: list[Sequence[Any]] = []
    for number, row in enumerate(sheet.iter_rows(), 1):
        if row.count("") < len(row):
            numbers.append(number)
            rows.append(row)
            if len(rows) * sheet.width > MAX_CELLS:
                writer.add_block(table, np.array(numbers, np.int64), _columns(rows, left))
                numbers, rows = [], []
    if rows:
        writer.add_block(table, np.array(numbers, np.int64), _columns(rows, left))


def _columns(rows: Sequence[Sequence[Any]], left: int) -> dict[int, Column]:
    columns = enumerate(zip(*rows, strict=True), left)
    return {at: column_of(values) for at, values in columns if values.count("") < len(values)}
