"""Texts of a workbook: the shared strings, kept as one run of bytes, and the _xHHHH_ escapes.

Owns ST_Xstring (ECMA-376 part 1, 22.9.2.19) for reading, and how strings are held. Knows no cell, and no XML.
"""

from __future__ import annotations

import re
from array import array
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from enricher.sheets.xlsx.opc.refusals import unsound

if TYPE_CHECKING:
    import numpy.typing as npt

MAX_TEXT_BYTES = 256 << 10
"""Of one string: a cell of Excel's holds 96 KB, one of Google's 200. Any number of cells may point to it."""
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")


def unescaped(text: str) -> str:
    r"""Undo the escapes of characters that XML can't hold.

    >>> unescaped("a_x000D_b _x005F_x0041_")
    'a\rb _x0041_'
    """
    if "_x" not in text:
        return text
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return whole(plain)


def whole(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates by U+FFFD: Arrow and XML hold neither."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class SharedStrings:
    """The strings that cells point to by number; 8 bytes each on top of their own (a list takes 60 more).

    They are added first, all of them, and then asked for.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self._bytes[self._ends[number] : self._ends[number + 1]].decode()

    def append(self, text: str) -> None:
        """Add a string."""
        self._bytes += text.encode()
        self._ends.append(len(self._bytes))

    def extend(self, texts: pa.LargeStringArray) -> None:
        """Add many strings."""
        ends = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset :][: len(texts) + 1]
        if len(texts):
            start = len(self._bytes)
            self._bytes += memoryview(texts.buffers()[2])[ends[0] : ends[-1]]
            self._ends.frombytes((ends[1:] + (start - ends[0])).tobytes())

    def size_bytes(self, numbers: npt.NDArray[np.int64]) -> int:
        """Return how long the strings of these numbers are together."""
        ends = np.frombuffer(self._ends, np.int64)
        return int((ends[numbers + 1] - ends[numbers]).sum())

    @cached_property
    def longest_bytes(self) -> int:
        """How long the longest is."""
        return int(np.diff(np.frombuffer(self._ends, np.int64)).max(initial=0))

    def take(self, numbers: npt.NDArray[np.int64]) -> pa.LargeStringArray:
        """Return the strings of these numbers, which there must be."""
        return self._all.take(pa.array(numbers))

    @cached_property
    def _all(self) -> pa.LargeStringArray:
        data = pa.py_buffer(self._bytes)
        return pa.Array.from_buffers(pa.large_string(), len(self), [None, pa.py_buffer(self._ends), data])

    @cached_property
    def empties(self) -> frozenset[str]:
        """The numbers of the empty strings as cells write them: a cell that points to one shows nothing."""
        return frozenset(map(str, np.flatnonzero(self._is_empty).tolist()))

    def are_empty(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Say which of these numbers are those of empty strings."""
        there = numbers < len(self)
        if not len(self):
            return there
        empty: npt.NDArray[np.bool_] = self._is_empty[np.where(there, numbers, 0)]
        return there & empty

    @cached_property
    def has_empties(self) -> bool:
        """Whether any is empty."""
        return bool(self._is_empty.any())

    @cached_property
    def _is_empty(self) -> npt.NDArray[np.bool_]:
        ends = np.frombuffer(self._ends, np.int64)
        empty: npt.NDArray[np.bool_] = ends[1:] == ends[:-1]
        return empty


def shared_text(strings: SharedStrings, raw: str, where: str) -> str:
    """Return the string a cell points to. Raises InputError when there is none."""
    try:
        return strings[int(raw)]
    except (IndexError, ValueError):
        raise unsound(where, f"a cell points to text number {raw}, and the workbook has {len(strings)}") from None
