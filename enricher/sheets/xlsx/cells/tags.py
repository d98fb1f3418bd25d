"""Where the tags of plain XML stand, and texts and digits cut out by their places.

Owns the arithmetic on bytes. Only for what the plain grammar vouches for: it checks nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enricher.sheets.xlsx.cells.encoder import LARGE
from enricher.sheets.xlsx.cells.strings import unescaped
from enricher.sheets.xlsx.opc.markup import PRESERVE

if TYPE_CHECKING:
    import numpy.typing as npt

    Places = npt.NDArray[np.int64]

_BLANK, _SLASH, _LESS = b" /<"
_ENTITIES = (
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", '"'),
    ("&apos;", "'"),
    ("&#9;", "\t"),
    ("&#10;", "\n"),
    ("&#13;", "\r"),
    ("&amp;", "&"),  # the last: of "&amp;lt;" it makes "&lt;"
)


class Tags(NamedTuple):
    """All tags of some bytes in order: the places of their "<", and the first letter of a start tag's name (end: 0).

    Both end with a sentinel, so that one may look one tag on.
    """

    data: npt.NDArray[np.uint8]
    at: Places
    letter: npt.NDArray[np.uint8]
    prefix_bytes: int


def tags_of(block: bytes, prefix_bytes: int = 0) -> Tags:
    """Find the tags; `prefix_bytes` is the length of the names' prefix with its colon."""
    data = np.frombuffer(block, np.uint8)
    at = np.flatnonzero(data == _LESS)
    letter = data[at + (1 + prefix_bytes)]
    letter[data[at + 1] == _SLASH] = 0
    return Tags(data, np.append(at, len(data) - 1), np.append(letter, np.uint8(0)), prefix_bytes)


def text_starts(tags: Tags, text_tags: Places) -> tuple[Places, npt.NDArray[np.bool_]]:
    """Return where the texts of `t` elements begin, and which of them are any."""
    after_name = tags.at[text_tags] + (2 + tags.prefix_bytes)
    starts = after_name + 1
    starts[tags.data[after_name] == _BLANK] += len(PRESERVE)
    return starts, (tags.data[after_name] != _SLASH) & (tags.data[starts] != _LESS)


def numbers_at(data: npt.NDArray[np.uint8], starts: Places, most_digits: int) -> Places:
    """Read the decimal digits that begin at each place."""
    values = np.zeros(len(starts), np.int64)
    reading = np.ones(len(starts), np.bool_)
    for offset in range(most_digits):
        digits = data[starts + offset] - 48  # below "0" it wraps to a large one
        reading &= digits < 10  # noqa: PLR2004 - of digits
        if not reading.any():
            break
        values = np.where(reading, values * 10 + digits, values)
    return values


def columns_at(data: npt.NDArray[np.uint8], starts: Places) -> npt.NDArray[np.int32]:
    """Read the one to three column letters that begin at each place; A is 0."""
    columns = data[starts].astype(np.int32) - 64
    reading = np.ones(len(starts), np.bool_)
    for offset in (1, 2):
        letters = data[starts + offset]
        reading &= letters > 64  # noqa: PLR2004 - digits come before letters
        if not reading.any():
            break
        columns = np.where(reading, columns * 26 + (letters.astype(np.int32) - 64), columns)
    return columns - 1


def raw_texts(block: bytes, starts: Places, ends: Places) -> pa.LargeStringArray:
    """Cut out texts; places ascend."""
    count = len(starts)
    if not count:
        return pa.array([], LARGE)
    cuts = np.empty(2 * count, np.int64)
    cuts[0::2], cuts[1::2] = starts, ends
    # An array of the texts and of what stands between them, without a copy; every second one is taken.
    every = pa.Array.from_buffers(LARGE, 2 * count - 1, [None, pa.py_buffer(cuts), pa.py_buffer(block)])
    return every.take(np.arange(0, 2 * count, 2))


def without_entities(raw: pa.LargeStringArray, block: bytes) -> pa.LargeStringArray:
    """Undo the entities in texts that were cut out of `block`."""
    if b"&" in block:
        for entity, character in _ENTITIES:
            raw = pc.replace_substring(raw, entity, character)
    return raw


def plain_texts(raw: pa.LargeStringArray, block: bytes) -> pa.LargeStringArray:
    """Undo the entities and then the escapes in texts that were cut out of `block`."""
    texts = without_entities(raw, block)
    if b"_" not in block or b"_x" not in block:
        return texts
    escaped = pc.match_substring(texts, "_x")
    if not pc.any(escaped).as_py():
        return texts
    plain = [unescaped(text) for text in texts.filter(escaped).to_pylist()]
    return pc.replace_with_mask(texts, escaped, pa.array(plain, LARGE))
