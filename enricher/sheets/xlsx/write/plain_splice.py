"""New cells joined into blocks of plain rows: the quick way to what the splicer writes.

Owns nothing of its own: it writes the bytes that Splicer would. Where the two could differ it declines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from enricher.sheets.xlsx.cells.encoder import LARGE, joined_rows, row_pieces
from enricher.sheets.xlsx.cells.tags import columns_at, numbers_at, tags_of
from enricher.sheets.xlsx.write.spliced import Probe

if TYPE_CHECKING:
    import numpy.typing as npt

    from enricher.sheets.xlsx.cells.tags import Places, Tags
    from enricher.sheets.xlsx.write.new_cells import NewCells
    from enricher.sheets.xlsx.write.placement import Placement
    from enricher.sheets.xlsx.write.spliced import Spliced

_CELL, _ROW = b"cr"
_QUOTE = ord('"')
_SPANS = b' spans="'
_ANY_SPANS = re.compile(rb' spans="[^"]*"')
_MOST_SPANS_BYTES = 40
_POWERS_OF_TEN = 10 ** np.arange(1, 8)
_MAX_NEW_BYTES = 32 << 20


class PlainSplice:
    """Writes whole plain rows with their new cells; `watch` is that of Places."""

    def __init__(
        self, placement: Placement, index: npt.NDArray[np.int32], cells: NewCells, done: Spliced, *, watch: bool
    ) -> None:
        self._placement = placement
        self._index = index
        self._cells = cells
        self._done = done
        self._watch = watch

    def write(self, block: bytes) -> tuple[bytes, int] | None:
        """Return the block with the new cells, and its last row's number; None where the splicer must look."""
        placement, done = self._placement, self._done
        prefix_bytes = len(done.prefix.encode())
        tags = tags_of(block, prefix_bytes)
        row_tags = np.flatnonzero(tags.letter == _ROW)
        numbers = numbers_at(tags.data, tags.at[row_tags] + (8 + prefix_bytes), 7)
        if not len(numbers) or numbers[0] <= placement.header_row <= numbers[-1]:
            return None
        is_data = (numbers > placement.header_row) & (numbers <= placement.last_row)
        rows = np.flatnonzero(is_data)
        index = self._index[done.data_rows : done.data_rows + len(rows)]
        chosen = np.flatnonzero(index >= 0)
        rows, index = rows[chosen], index[chosen]
        lasts = np.append(row_tags[1:], len(tags.at) - 1) - 1
        if (lasts[rows] == row_tags[rows]).any() or self._cells.size_bytes(index) > _MAX_NEW_BYTES:
            return None  # closed in themselves, or too much at once
        if self._watch and self._is_in_the_way(tags, prefix_bytes):
            return None
        written = self._joined(block, tags, row_tags[rows], tags.at[lasts[rows]], numbers[rows], index)
        if len(rows):
            data_row = done.data_rows + int(chosen[0])
            done.offer(Probe(done.written_bytes + int(tags.at[row_tags[rows[0]]]), int(numbers[rows[0]]), data_row))
        done.data_rows += int(is_data.sum())
        done.written_bytes += len(written)
        return written, int(numbers[-1])

    def _is_in_the_way(self, tags: Tags, prefix_bytes: int) -> bool:
        columns = columns_at(tags.data, tags.at[tags.letter == _CELL] + (6 + prefix_bytes))
        return bool((columns >= self._placement.first_column).any())

    def _joined(  # noqa: PLR0913, PLR0917 - columns of one table of rows
        self, block: bytes, tags: Tags, row_tags: Places, ends: Places, numbers: Places, index: npt.NDArray[np.int32]
    ) -> bytes:
        columns = self._cells.tails(index) if len(index) else []
        has_new = np.zeros(len(index), np.bool_)
        for tails in columns:
            has_new |= tails.is_valid().to_numpy(zero_copy_only=False)
        if not has_new.any():
            return block
        if not has_new.all():
            kept = pa.array(has_new)
            columns = [tails.filter(kept) for tails in columns]
            row_tags, ends, numbers = row_tags[has_new], ends[has_new], numbers[has_new]
        cells = row_pieces(self._placement.first_column, numbers, columns, self._done.prefix)
        rows = joined_rows([*_originals(block, tags, row_tags, numbers, ends), *cells])
        size = int(np.frombuffer(rows.buffers()[1], np.int64)[len(rows)])
        return b"".join((memoryview(rows.buffers()[2])[:size], memoryview(block)[ends[-1] :]))


def _originals(block: bytes, tags: Tags, row_tags: Places, numbers: Places, ends: Places) -> list[pa.LargeStringArray]:
    """Return what stands before the new cells of each row, from the last row's on: in two pieces around its spans."""
    if _SPANS not in block:
        return [_pieces(block, np.append(0, ends))]
    starts, stops = _spans_behind_numbers(tags, row_tags, numbers)
    if (starts == stops).any():
        starts, stops = _spans_anywhere(block, tags, row_tags, ends)
    every = _pieces(block, np.append(0, np.column_stack((starts, stops, ends)).ravel()))
    return [every.take(pa.array(np.arange(first, len(every), 3))) for first in (0, 2)]


def _spans_behind_numbers(tags: Tags, row_tags: Places, numbers: Places) -> tuple[Places, Places]:
    """Return where the spans of each row begin and end; equal where they are not the attribute behind the number."""
    data = tags.data
    digits = np.searchsorted(_POWERS_OF_TEN, numbers, side="right") + 1
    starts = tags.at[row_tags] + digits + (9 + tags.prefix_bytes)  # behind `<row r="12"`
    stops = starts + len(_SPANS)
    found = np.ones(len(starts), np.bool_)
    for offset, letter in enumerate(_SPANS):
        found &= data[np.minimum(starts + offset, len(data) - 1)] == letter
    reading = found.copy()
    for _ in range(_MOST_SPANS_BYTES):
        reading &= data[np.minimum(stops, len(data) - 1)] != _QUOTE
        if not reading.any():
            return starts, np.where(found, stops + 1, starts)
        stops += reading
    return starts, starts


def _spans_anywhere(block: bytes, tags: Tags, row_tags: Places, ends: Places) -> tuple[Places, Places]:
    """Return where the spans of each row begin and end; its end, twice, where there are none."""
    starts, stops = ends.copy(), ends.copy()
    spans = np.array([match.span() for match in _ANY_SPANS.finditer(block)], np.int64).reshape(-1, 2)
    # Only in the tag itself: a text may say spans="1:2", too.
    of_tag = np.searchsorted(tags.at, spans[:, 0]) - 1
    place = np.minimum(np.searchsorted(row_tags, of_tag), len(row_tags) - 1)
    mine = row_tags[place] == of_tag
    starts[place[mine]], stops[place[mine]] = spans[mine, 0], spans[mine, 1]
    return starts, stops


def _pieces(block: bytes, cuts: Places) -> pa.LargeStringArray:
    buffers = [None, pa.py_buffer(cuts), pa.py_buffer(block)]
    return pa.Array.from_buffers(LARGE, len(cuts) - 1, buffers)
