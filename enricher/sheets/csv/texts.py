"""Columns of texts as bytes: which rows hold which byte, and texts out of the bytes of any encoding.

Owns the arithmetic of Arrow's offsets. Knows no file, no record and no dialect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

Positions = npt.NDArray[np.int64]
Octets = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
BYTES = pa.large_binary()
_ASCII_END = 0x80


def contents(column: pa.LargeBinaryArray) -> tuple[Positions, Octets]:
    """Return where each row begins in the column's bytes (and the last ends), and the bytes. It has no nulls."""
    if not len(column):
        return np.zeros(1, np.int64), np.empty(0, np.uint8)
    _, offsets, data = column.buffers()
    starts = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    held = np.empty(0, np.uint8) if data is None or not data.size else np.frombuffer(data, np.uint8)
    return starts - starts[0], held[starts[0] : starts[-1]]


def rows_with(starts: Positions, hits: Positions) -> Mask:
    """Say which rows hold a byte that is a hit, given the hits' places among the bytes."""
    rows = np.zeros(len(starts) - 1, np.bool_)
    rows[np.searchsorted(starts, hits, "right") - 1] = True
    return rows


def rows_not_ascii(column: pa.LargeBinaryArray) -> Mask:
    """Say which rows hold more than ASCII."""
    starts, data = contents(column)
    return rows_with(starts, np.flatnonzero(data >= _ASCII_END))


def put(column: pa.Array, rows: Mask, values: pa.Array | Sequence[bytes]) -> pa.Array:
    """Put values, one for each of the rows that are True, into a column."""
    return pc.replace_with_mask(column, pa.array(rows), pa.array(values, column.type))


def joined(*columns: pa.LargeBinaryArray | bytes, between: bytes = b"") -> pa.LargeBinaryArray:
    """Join columns row by row; bytes stand for a column of the same, and null for nothing."""
    parts = [pa.scalar(column, BYTES) if isinstance(column, bytes) else column for column in columns]
    return pc.binary_join_element_wise(*parts, pa.scalar(between, BYTES), null_handling="replace", null_replacement="")


def slices(data: bytes, starts: Positions, ends: Positions, is_there: Mask | None = None) -> pa.LargeBinaryArray:
    """Cut pieces out of `data`, in its order and without overlap; null where there is none."""
    offsets = np.empty(2 * len(starts), np.int64)  # what is cut out, and what is between, by turns
    offsets[0::2], offsets[1::2] = starts, ends
    alternating = pa.LargeBinaryArray.from_buffers(
        BYTES, len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )
    mask = None if is_there is None else ~is_there
    return alternating.take(pa.array(np.arange(0, len(offsets), 2), mask=mask))


def decoded(column: pa.LargeBinaryArray, encoding: str) -> pa.StringArray:
    """Make texts of bytes; what is no text in the encoding becomes U+FFFD."""
    try:
        if encoding == "utf-8":
            return column.cast(pa.string())
    except pa.ArrowInvalid:
        pass
    odd = rows_not_ascii(pc.fill_null(column, b""))
    if odd.any():
        raw = column.filter(pa.array(odd)).to_pylist()
        column = put(column, odd, [text.decode(encoding, "replace").encode() for text in raw])
    return column.cast(pa.string())
