"""A table's rows under names of columns, for kinds of file that have no cells, only named values.

Owns which row names the columns, what a column without a name is called, and which rows are data. Knows no file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enricher.cells import Cells, Preview
from enricher.sheets.grid import GridColumn
from enricher.sheets.names import unique_names
from enricher.sheets.xlsx.cells.references import letters_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from enricher.sheets.grid import Grid

_ROWS_AT_ONCE = 5_000
"""With all that is added they are in memory several times over."""


def preview_of(names: Sequence[str], batches: Iterable[Sequence[Cells]], rows: int) -> Preview:
    """Return the names as row 0, and behind them the first rows that show anything: `rows` in all.

    `batches` are columns of consecutive rows, numbered from 1.
    """
    nothing = np.zeros(1, np.uint8)
    columns = [[Cells(pa.array([name], pa.string()), nothing.astype(np.bool_), nothing)] for name in names]
    numbers = [0]
    done = 0
    for batch in batches:
        is_filled = np.zeros(len(batch[0]) if batch else 0, np.bool_)
        for cells in batch:
            is_filled |= pc.binary_length(cells.text).fill_null(0).to_numpy() > 0
        filled = np.flatnonzero(is_filled)[: rows - len(numbers)]
        numbers += (filled + done + 1).tolist()
        for parts, cells in zip(columns, batch, strict=True):
            parts.append(cells.rows(filled))
        done += len(is_filled)
        if len(numbers) >= rows:
            break
    return Preview(tuple(map(Cells.joined, columns)), tuple(numbers), has_names=True)


@dataclass(slots=True)
class NamedRows:
    """The data rows of a table, and a name for each column.

    `names` are the header's texts; a column without one is called by its letter, and one called as another before it
    gets a number. `rows_above` counts rows above the header that show anything: they have no place here.
    """

    _grids: Callable[[], Iterable[Grid]]
    _header_row: int
    _data_rows: int
    names: list[str] = field(default_factory=list)
    rows_above: int = 0
    _last_row: int = 0

    @classmethod
    def of(cls, grids: Callable[[], Iterable[Grid]], header_row: int, data_rows: int) -> NamedRows:
        """Look through the table once. `data_rows` are data even where they show nothing; below them only others."""
        rows = cls(grids, header_row, data_rows)
        width = 0
        header: list[str] = []
        for grid in grids():
            filled = grid.is_filled()
            width = max(width, len(grid.columns))
            rows.rows_above += int(np.count_nonzero(filled & (grid.numbers < header_row)))
            rows._last_row = max(rows._last_row, int(grid.numbers[filled].max(initial=0)))
            for at in np.flatnonzero(grid.numbers == header_row):
                header = grid.texts_of(int(at))
        plain = [
            header[at] if at < len(header) and header[at].strip() else letters_of(at)
            for at in range(max(width, len(header)))
        ]
        rows.names = unique_names((), plain)
        return rows

    def data(self) -> Iterator[tuple[int, tuple[GridColumn, ...]]]:
        """Read the data rows in the table's order: how many, and as many columns as there are names."""
        done = 0
        for grid in self._grids():
            above = int(np.searchsorted(grid.numbers, self._header_row, side="right"))
            ended = int(np.searchsorted(grid.numbers, self._last_row, side="right"))
            stop = max(ended, min(len(grid), above + self._data_rows - done))
            if stop <= above:
                continue
            for start in range(above, stop, _ROWS_AT_ONCE):
                some = grid.rows(start, min(stop, start + _ROWS_AT_ONCE))
                done += len(some)
                blank = GridColumn(pa.nulls(len(some), pa.string()))
                yield len(some), (*some.columns, *[blank] * (len(self.names) - len(some.columns)))

    def notes(self) -> list[str]:
        """Return what the user should know."""
        if not self.rows_above:
            return []
        lines = "1 row" if self.rows_above == 1 else f"{self.rows_above:,} rows"
        return [f"{lines} above the header left out: the output has room for named values only"]
