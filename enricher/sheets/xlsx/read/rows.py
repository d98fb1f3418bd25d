"""Rows of a scan as a preview, and as batches of data rows.

Owns where the data ends and which rows are no data. Knows no bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from enricher.cells import Batch, Cells, Preview
from enricher.sheets.xlsx.cells.encoder import LARGE
from enricher.sheets.xlsx.cells.row_block import RowBlock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy.typing as npt

    from enricher.sheets.xlsx.cells.facts import Facts
    from enricher.sheets.xlsx.cells.styles import Styles
    from enricher.sheets.xlsx.read.parts import Table

BATCH_ROWS = 10_000
_BATCH_TEXT_BYTES = 16 << 20
"""With cells of the longest texts a batch has fewer rows: ten thousand of them would come to a gigabyte."""


def preview_of(blocks: Iterable[RowBlock], count: int, styles: Styles) -> Preview:
    """Lay out the first rows that show a text with every column.

    Columns without a cell share one object, so a stray cell costs little. Of the longest texts it takes fewer rows.
    """
    found = RowBlock.of([])
    for block in blocks:
        found = RowBlock.joined([found, block.with_texts()])
        if len(found) >= count or found.text.nbytes > _BATCH_TEXT_BYTES:
            break
    rows = found.slice(0, min(count, len(found)))
    places = np.unique(rows.columns).tolist()
    width = places[-1] + 1 if places else 0
    [nothing] = columns_of(rows, [width], styles)
    columns = [nothing] * width
    for place, cells in zip(places, columns_of(rows, places, styles), strict=True):
        columns[place] = cells
    return Preview(tuple(columns), tuple(rows.numbers.tolist()))


def columns_of(rows: RowBlock, columns: Sequence[int], styles: Styles) -> tuple[Cells, ...]:
    """Gather the cells of the given columns, in that order."""
    zeros = np.array(styles.zeros, np.uint8)
    texts = pa.concat_arrays([rows.text, pa.array([""], LARGE)])
    order = np.argsort(rows.columns, kind="stable")
    ordered = rows.columns[order]
    firsts, lasts = (np.searchsorted(ordered, columns, side).tolist() for side in ("left", "right"))
    return tuple(_cells_of(rows, order[first:last], texts, zeros) for first, last in zip(firsts, lasts, strict=True))


def _cells_of(
    rows: RowBlock, chosen: npt.NDArray[np.int64], texts: pa.LargeStringArray, zeros: npt.NDArray[np.uint8]
) -> Cells:
    """Lay out some cells, at most one a row, over all rows; the last of the texts is for the rows without one."""
    at = rows.at[chosen]
    place = np.full(len(rows), len(texts) - 1)
    place[at] = chosen
    numeric = np.zeros(len(rows), np.bool_)
    numeric[at] = rows.numeric[chosen]
    width = np.zeros(len(rows), np.uint8)
    known = rows.numeric[chosen] & (rows.styles[chosen] < len(zeros))
    width[at[known]] = zeros[rows.styles[chosen[known]]]
    return Cells(texts.take(pa.array(place)).cast(pa.string()), numeric, width)


class DataRows:
    """Turns rows as they come into batches of data rows, to the last row with a value.

    Rows that show nothing are held back, as bare numbers, until one that shows something comes after them.
    """

    def __init__(self, facts: Facts, columns: Sequence[int], styles: Styles, table: Table | None) -> None:
        self._facts = facts
        self._columns = tuple(columns)
        self._styles = styles
        self._table = table if table is not None and table.covers(columns) else None
        self._held: list[RowBlock] = []
        self._ready: list[RowBlock] = []

    def batches(self, scanned: Iterable[RowBlock], share: Callable[[], float]) -> Iterator[Batch]:
        """Yield the batches; `facts.last_row`, `data_rows` and `header` are complete after the last."""
        facts = self._facts
        for found in scanned:
            first = int(np.searchsorted(found.numbers, facts.header_row, side="right"))
            if first and found.numbers[first - 1] == facts.header_row:
                facts.header = found.slice(first - 1, first).rows()[0].cells
            rows = found.slice(first, len(found)) if first else found
            if not len(rows):
                continue
            end = len(rows) - int(np.argmax(rows.filled[::-1])) if rows.filled.any() else 0
            if end:
                self._ready += [*self._held, rows.slice(0, end)]
                self._held = []
                facts.last_row = int(rows.numbers[end - 1])
            if end < len(rows):
                self._held.append(rows.slice(end, len(rows)))
            while self._is_enough():
                yield self._batch(share())
        if self._ready:
            yield self._batch(1.0)

    def _is_enough(self) -> bool:
        rows = sum(map(len, self._ready))
        return rows >= BATCH_ROWS or sum(block.text.nbytes for block in self._ready) > _BATCH_TEXT_BYTES

    def _batch(self, share_read: float) -> Batch:
        ready = RowBlock.joined(self._ready)
        rows = ready.slice(0, BATCH_ROWS)
        self._ready = [ready.slice(BATCH_ROWS, len(ready))] if len(ready) > BATCH_ROWS else []
        self._facts.data_rows += len(rows)
        empty = ~rows.filled
        table = self._table
        if table is not None and rows.numbers[-1] > table.last_data_row:
            has_code = np.zeros(len(rows), np.bool_)
            has_code[rows.at] = True
            below = rows.numbers > table.last_data_row
            empty |= below & (~has_code | (rows.numbers <= table.area.bottom))
        return Batch(columns_of(rows, self._columns, self._styles), empty, rows.numbers, share_read)
