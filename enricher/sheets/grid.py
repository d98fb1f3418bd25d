"""Rows with all their columns, on their way into another kind of file.

Owns how a cell's kind travels beside its text, and the measure of a whole table. Knows no file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt
    import pyarrow as pa

_SAMPLE_ROWS = 100


class CellKind(IntEnum):
    """What a cell holds, and so how its text is written.

    TEXT: itself. NUMBER: full decimal digits, or repr's form of a double. BOOLEAN: TRUE or FALSE. DATE: ISO 8601, a day
    or a day with T and a time. TIME: hours:minutes:seconds, of a day or elapsed (more than 24 hours).
    """

    TEXT = 0
    NUMBER = 1
    BOOLEAN = 2
    DATE = 3
    TIME = 4


@dataclass(frozen=True, slots=True)
class GridColumn:
    """One column of some rows: their texts ("" or null: nothing there), and their kinds (None: all are texts)."""

    text: pa.StringArray
    kinds: npt.NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """Consecutive rows of a table, header and all, with as many columns as the widest of them has cells.

    `numbers` are the rows' numbers (int64); 0 is a row of names that the format itself knows, such as parquet's.
    """

    numbers: npt.NDArray[np.int64]
    columns: tuple[GridColumn, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    def is_filled(self) -> npt.NDArray[np.bool_]:
        """Say which rows show anything."""
        filled = np.zeros(len(self), np.bool_)
        for column in self.columns:
            lengths = pc.binary_length(column.text).fill_null(0)
            filled |= lengths.to_numpy() > 0
        return filled

    def texts_of(self, at: int) -> list[str]:
        """Return the texts of one of the rows."""
        return [column.text[at].as_py() or "" for column in self.columns]

    def rows(self, start: int, stop: int | None = None) -> Grid:
        """Return some of the rows."""
        rows = slice(start, stop)
        columns = (
            GridColumn(column.text[rows], None if column.kinds is None else column.kinds[rows])
            for column in self.columns
        )
        return Grid(self.numbers[rows], tuple(columns))


@dataclass(slots=True)
class Extent:
    """How large a whole table is, to its last row that shows anything; `first_row` and `last_row` are row numbers.

    `text_bytes` are those of all texts in UTF-8; `widths` are characters of the longest text of a column in the first
    rows, for the look of it.
    """

    width: int = 0
    rows: int = 0
    first_row: int = -1
    last_row: int = -1
    text_bytes: int = 0
    widths: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, grids: Iterable[Grid]) -> Extent:
        """Measure a table."""
        extent = cls()
        for grid in grids:
            # A row of nulls is a record where the format names its columns; elsewhere a blank line at the end is none.
            is_record = extent.first_row == 0 or (len(grid) > 0 and int(grid.numbers[0]) == 0)
            filled = np.arange(len(grid)) if is_record else np.flatnonzero(grid.is_filled())
            if not len(filled):
                continue
            extent.width = max(extent.width, len(grid.columns))
            if extent.first_row < 0:
                extent.first_row = int(grid.numbers[filled[0]])
            extent.last_row = int(grid.numbers[filled[-1]])
            for at, column in enumerate(grid.columns):
                extent.text_bytes += pc.sum(pc.binary_length(column.text)).as_py() or 0
                if extent.rows < _SAMPLE_ROWS:
                    widest = pc.max(pc.utf8_length(column.text[:_SAMPLE_ROWS])).as_py() or 0
                    extent.widths[at] = max(extent.widths.get(at, 0), widest)
            extent.rows += len(grid)
        return extent


def to_last_row(grids: Iterable[Grid], extent: Extent) -> Iterable[Grid]:
    """Leave out the rows below the last one that shows anything."""
    for grid in grids:
        count = int(np.searchsorted(grid.numbers, extent.last_row, side="right"))
        if count:
            yield grid if count == len(grid) else grid.rows(0, count)
