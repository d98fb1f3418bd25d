"""What a scan of a worksheet hands on: rows as they come, and at its end what it learned of the sheet.

Owns these words. Knows no bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from enricher.sheets.xlsx.cells.references import MAX_COLUMNS

if TYPE_CHECKING:
    from enricher.sheets.xlsx.cells.references import Area

Cell: TypeAlias = tuple[int, str, bool, int]
"""Column, text, whether the file holds a number, style. A plain tuple: a named one costs twice the time."""


class Row(NamedTuple):
    """One `<row>`: its number, whether any cell shows something, and the cells with text that were wanted."""

    number: int
    filled: bool
    cells: list[Cell]


@dataclass(slots=True)
class Facts:
    """What a scan to the end learned.

    Columns are -1 while there is no such cell, and `header` is None while there is no such row.

    `content_right` is the last column in use from the header row down, formulas included; `cells_right` also counts
    cells that hold only a style. `last_row` is the last row with a value, `data_rows` how many rows there are below
    the header to it.
    """

    header_row: int
    rows: int = 0
    last_row: int = 0
    data_rows: int = 0
    top: int = 0
    bottom: int = 0
    cells_left: int = MAX_COLUMNS
    cells_right: int = -1
    content_right: int = -1
    header: list[Cell] | None = None
    row_extensions: bool = False
    encoding: str = "UTF-8"
    merged: list[Area] = field(default_factory=list)
    filter_area: Area | None = None
    widths: list[tuple[int, int, bool]] = field(default_factory=list)
    has_sheet_data: bool = False
