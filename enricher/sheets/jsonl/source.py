"""JSON lines as a source: every line goes through byte for byte, with new members before its closing brace.

Owns the passes over one file: one to parse it, one to write it again, in which nothing is parsed.
"""

from __future__ import annotations

from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enricher.cells import Batch, Cells, Preview
from enricher.sheets.grid import CellKind, Grid, GridColumn
from enricher.sheets.jsonl.members import NewMembers
from enricher.sheets.jsonl.parsed import ParsedTable
from enricher.sheets.jsonl.records import records
from enricher.sheets.named_rows import preview_of
from enricher.sheets.names import unique_names
from enricher.sheets.stamp import Stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from enricher.cells import Additions
    from enricher.sheets.jsonl.record import Record

_WRITTEN_AT_ONCE = 5_000


class JsonLinesSource:
    """A file of JSON objects as a Source: its names are row 0, its lines (or an array's elements) the rows 1 to n.

    A blank line is an empty row; every object is data, `{}` too. Cheap until something is read.
    """

    sheet = None
    hidden = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp = Stamp(path)

    @property
    def description(self) -> str:
        table = self._table
        return f"{'JSON array' if table.is_array else 'JSON lines'}, {len(table.names):,} different names"

    def preview(self, rows: int) -> Preview:
        batches = (tuple(map(_cells, batch)) for _, batch in self._table.batches(range(len(self._table.names))))
        return preview_of(self._table.names, batches, rows)

    def batches(self, header_row: int, columns: Sequence[int]) -> Iterator[Batch]:
        self._check_header(header_row)
        done = 0
        for empty, batch in self._table.batches(columns):
            numbers = np.arange(done + 1, done + 1 + len(empty), dtype=np.int64)
            done += len(empty)
            yield Batch(tuple(map(_cells, batch)), empty, numbers, done / self._table.rows)

    def grids(self) -> Iterator[Grid]:
        names = self._table.names
        yield Grid(np.zeros(1, np.int64), tuple(GridColumn(pa.array([name], pa.string())) for name in names))
        done = 0
        for empty, batch in self._table.batches(range(len(names))):
            yield Grid(np.arange(done + 1, done + 1 + len(empty), dtype=np.int64), tuple(batch))
            done += len(empty)

    def check(self, header_row: int, schema: pa.Schema) -> None:
        """Nothing: an object takes any members."""

    def write(self, target: Path, header_row: int, additions: Additions, tick: Callable[[int], None]) -> list[str]:
        self._check_header(header_row)
        if len(additions.index) != self._table.rows:
            raise ValueError(f"{len(additions.index)} answers for {self._table.rows} rows")
        members = NewMembers(additions, unique_names(self._table.names, additions.names))
        self._stamp.check()
        done = 0
        pieces = records(self.path)
        with target.open("wb") as out:
            while some := list(islice(pieces, _WRITTEN_AT_ONCE)):
                rows = sum(record.number > 0 for record in some)
                texts = members.texts(additions.index[done : done + rows])
                out.writelines(_wider(record, text) for record, text in zip(some, [*texts, b""], strict=False))
                done += rows
                tick(rows)
        self._stamp.check()
        return []

    @cached_property
    def _table(self) -> ParsedTable:
        self._stamp.check()
        table = ParsedTable(self.path)
        self._stamp.check()
        return table

    def _check_header(self, header_row: int) -> None:
        if header_row:
            raise ValueError(f"{self.path.name} names its columns itself: row {header_row} is no header")


def _wider(record: Record, members: bytes) -> bytes:
    """Put new members into an object, right behind its last one."""
    if not members or not record.body:
        return record.before + record.body + record.after
    inner = record.body[:-1].rstrip()
    comma = b"" if inner.endswith(b"{") else b","
    return b"".join((record.before, inner, comma, members, record.body[len(inner) :], record.after))


def _cells(column: GridColumn) -> Cells:
    count = len(column.text)
    numeric = np.zeros(count, np.bool_)
    if column.kinds is not None:
        numeric = (column.kinds == CellKind.NUMBER) & pc.is_valid(column.text).to_numpy(zero_copy_only=False)
    return Cells(column.text, numeric, np.zeros(count, np.uint8))
