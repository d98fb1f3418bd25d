"""Parquet files as sources: their names are row 0, their rows are 1 to n, and every one of them is data.

Owns the passes over one file. How values become texts and how the copy is made is decided beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from enricher.cells import Batch, Preview
from enricher.sheets.grid import Grid, GridColumn
from enricher.sheets.named_rows import preview_of
from enricher.sheets.parquet.file import ParquetTable
from enricher.sheets.parquet.texts import cells_of, column_of
from enricher.sheets.parquet.widen import write_wider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from enricher.cells import Additions


class ParquetSource:
    """A parquet file as a Source. Raises InputError for a file that can't be read."""

    sheet = None
    hidden = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._table = ParquetTable(path)

    @property
    def description(self) -> str:
        return f"parquet, {len(self._table.names):,} columns"

    def preview(self, rows: int) -> Preview:
        batches = (tuple(map(cells_of, batch.columns)) for _, batch in self._table.batches())
        return preview_of(self._table.names, batches, rows)

    def batches(self, header_row: int, columns: Sequence[int]) -> Iterator[Batch]:
        self._check_header(header_row)
        done = 0
        for _, batch in self._table.batches(columns):
            numbers = np.arange(done + 1, done + 1 + len(batch), dtype=np.int64)
            done += len(batch)
            # A row of a table with types is there because it was put there: none is an accident of formatting.
            empty = np.zeros(len(batch), np.bool_)
            yield Batch(tuple(map(cells_of, batch.columns)), empty, numbers, done / self._table.rows)

    def grids(self) -> Iterator[Grid]:
        names = (GridColumn(pa.array([name], pa.string())) for name in self._table.names)
        yield Grid(np.zeros(1, np.int64), tuple(names))
        done = 0
        for _, batch in self._table.batches():
            numbers = np.arange(done + 1, done + 1 + len(batch), dtype=np.int64)
            done += len(batch)
            yield Grid(numbers, tuple(map(column_of, batch.columns)))

    def check(self, header_row: int, schema: pa.Schema) -> None:
        """Nothing: a parquet file takes any columns."""

    def write(self, target: Path, header_row: int, additions: Additions, tick: Callable[[int], None]) -> list[str]:
        self._check_header(header_row)
        return write_wider(self._table, target, additions, tick)

    def _check_header(self, header_row: int) -> None:
        if header_row:
            raise ValueError(f"{self.path.name} names its columns itself: row {header_row} is no header")
