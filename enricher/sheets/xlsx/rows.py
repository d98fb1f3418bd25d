"""Rows of a scan as arrays: the preview, and the batches of data rows.

Owns where the data ends and which rows are no data. Knows no bytes.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from enricher.model import Batch, Cells, Preview
from enricher.sheets.xlsx.facts import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from enricher.sheets.xlsx.facts import Facts
    from enricher.sheets.xlsx.parts import Table
    from enricher.sheets.xlsx.styles import Styles

BATCH_ROWS = 10_000


def preview_of(rows: Sequence[Row], styles: Styles) -> Preview:
    """Lay out some rows with every column; columns without a cell share one object, so a stray cell costs little."""
    places = sorted({cell[0] for row in rows for cell in row.cells})
    width = places[-1] + 1 if places else 0
    columns = [_cells_of((), len(rows), styles)] * width if width else []
    by_place = columns_of(rows, places, styles)
    for place, cells in zip(places, by_place, strict=True):
        columns[place] = cells
    return Preview(tuple(columns), tuple(row.number for row in rows))


def columns_of(rows: Sequence[Row], columns: Sequence[int], styles: Styles) -> tuple[Cells, ...]:
    """Gather the cells of the given columns, in that order."""
    found: dict[int, list[tuple[int, str, bool, int]]] = {column: [] for column in columns}
    for index, row in enumerate(rows):
        for column, text, numeric, style in row.cells:
            if column in found:
                found[column].append((index, text, numeric, style))
    made = {column: _cells_of(cells, len(rows), styles) for column, cells in found.items()}
    return tuple(made[column] for column in columns)


def _cells_of(cells: Iterable[tuple[int, str, bool, int]], count: int, styles: Styles) -> Cells:
    texts = [""] * count
    numeric = np.zeros(count, np.bool_)
    zeros = np.zeros(count, np.uint8)
    for index, text, is_number, style in cells:
        texts[index] = text
        if is_number:
            numeric[index] = True
            zeros[index] = styles.zeros_of(style)
    return Cells(pa.array(texts, pa.string()), numeric, zeros)


class DataRows:
    """Turns rows as they come into batches of data rows, to the last row with a value.

    Rows that show nothing are held back, as bare numbers, until one that shows something comes after them.
    """

    def __init__(self, facts: Facts, columns: Sequence[int], styles: Styles, table: Table | None) -> None:
        self._facts = facts
        self._columns = tuple(columns)
        self._styles = styles
        self._table = table if table is not None and table.covers(columns) else None
        self._held = array("l")
        self._ready: list[Row] = []

    def batches(self, scanned: Iterable[list[Row]], share: Callable[[], float]) -> Iterator[Batch]:
        """Yield the batches; `facts.last_row`, `data_rows` and `header` are complete after the last."""
        facts = self._facts
        for rows in scanned:
            for row in rows:
                if row.number <= facts.header_row:
                    if row.number == facts.header_row:
                        facts.header = row.cells
                elif not row.filled:
                    self._held.append(row.number)
                else:
                    if self._held:
                        yield from self._release(share)
                    self._ready.append(row)
                    facts.last_row = row.number
            while len(self._ready) >= BATCH_ROWS:
                yield self._batch(share())
        if self._ready:
            yield self._batch(1.0)

    def _release(self, share: Callable[[], float]) -> Iterator[Batch]:
        for number in self._held:
            self._ready.append(Row(number, False, []))
            if len(self._ready) >= BATCH_ROWS:
                yield self._batch(share())
        self._held = array("l")

    def _batch(self, share_read: float) -> Batch:
        rows, self._ready = self._ready[:BATCH_ROWS], self._ready[BATCH_ROWS:]
        self._facts.data_rows += len(rows)
        empty = np.fromiter((not row.filled for row in rows), np.bool_, len(rows))
        table = self._table
        if table is not None and rows[-1].number > table.last_data_row:
            for index, row in enumerate(rows):
                if row.number > table.last_data_row and (not row.cells or row.number <= table.area.bottom):
                    empty[index] = True
        numbers = np.fromiter((row.number for row in rows), np.int64, len(rows))
        return Batch(columns_of(rows, self._columns, self._styles), empty, numbers, share_read)
