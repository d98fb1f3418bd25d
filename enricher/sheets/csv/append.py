"""Records with new fields at their right, a block at a time, joined as bytes.

Owns the order of bytes in the output: each record as it was, the delimiters it lacks, its piece, its own line end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from enricher.sheets.csv.feed import byte_order_mark, delimiter_bytes, to_file, working_encoding
from enricher.sheets.csv.texts import BYTES, contents, joined

if TYPE_CHECKING:
    from enricher.sheets.csv.blocks import Block
    from enricher.sheets.csv.dialect import Dialect
    from enricher.sheets.csv.render import Renderer
    from enricher.sheets.csv.texts import Positions

_JOINED_ROWS = 2048
_PADDING_BYTES = 32 * 1024 * 1024
"""Joined at once at most: a single wide record makes all others wide."""


@dataclass(frozen=True, slots=True)
class Widths:
    """How many fields the records of a file have, blank lines left aside; 0 where there are none."""

    narrowest: int
    widest: int

    def and_of(self, widths: Positions) -> Widths:
        """Take the widths of more records into account."""
        held = widths[widths > 0]
        if not len(held):
            return self
        low, high = int(held.min()), int(held.max())
        return Widths(min(low, self.narrowest or low), max(high, self.widest))


class Appender:
    """Writes one file's records; `out` is open for bytes."""

    def __init__(self, out: BinaryIO, dialect: Dialect, renderer: Renderer, widths: Widths) -> None:
        self._out = out
        self._dialect = dialect
        self._renderer = renderer
        self._widths = widths
        self._delimiter = delimiter_bytes(dialect)
        lacking = widths.widest - widths.narrowest
        self._step = max(1, min(_JOINED_ROWS, _PADDING_BYTES // (lacking + 1)))
        out.write(byte_order_mark(dialect))

    def through(self, data: bytes) -> None:
        """Write bytes of the working encoding as they are."""
        self._out.write(to_file(data, self._dialect))

    def header(self, width: int, text: str) -> None:
        """Write what goes after a record of names that has so many fields."""
        padding = self._delimiter * (self._widths.widest - width)
        self.through(padding + text.encode(working_encoding(self._dialect)))

    def rows(self, block: Block, first: int, at: int, index: npt.NDArray[np.int32]) -> None:
        """Write a block from the place `at` in its bytes on: the records from `first` on get a piece each.

        `at` is where the record begins, or the line end before it.
        """
        for start in range(first, len(block.ends), self._step):
            rows = slice(start, start + self._step)
            ends = block.ends[rows]
            offsets = np.concatenate([[at], ends])
            records = pa.LargeBinaryArray.from_buffers(
                BYTES, len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(block.data)]
            )
            is_record = ends > block.starts[rows]  # a blank line stays one
            pieces = self._renderer.take(index[start - first : start - first + self._step], is_record)
            if self._widths.narrowest == self._widths.widest:
                whole = joined(records, pieces)
            else:
                lacking = np.where(is_record, self._widths.widest - block.widths[rows], 0)
                whole = joined(records, pc.binary_repeat(pa.scalar(self._delimiter, BYTES), pa.array(lacking)), pieces)
            self._out.write(to_file(contents(whole)[1].data, self._dialect))
            at = int(ends[-1])
        self.through(block.data[at:])
