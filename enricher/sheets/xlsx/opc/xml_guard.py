"""Watches XML on its way to the parser, for what would make the parser itself take gigabytes or hours.

Owns the limits on one tag, one text, one comment and on nesting; counts bytes and parses nothing. Whatever passes it
may still be nonsense: that is for the parser to say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from enricher.sheets.xlsx.opc.refusals import unsound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Bytes: TypeAlias = "npt.NDArray[np.uint8]"
MAX_PIECE_BYTES = 16 << 20
"""A cell holds 32,767 characters and no real tag is near it; expat 2.5 takes time by the square of a token's size."""
MAX_DEPTH = 100_000
"""Sheets nest some 10 deep, and expat takes 200 bytes a level."""
_LESS, _GREATER, _SLASH, _BANG, _QUESTION = b"<>/!?"
_ASIDE = re.compile(rb"<!--|<!\[CDATA\[|<\?")
_ASIDE_ENDS = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}
_LONGEST_MARK = 9
# A value holds no "<", so no match looks further than the next tag, whatever the quotes.
_SELF_CLOSED = re.compile(rb"""<[^<>"'/!?][^<>"']*(?:(?:"[^"<]*"|'[^'<]*')[^<>"']*)*(?<=/)>""")


def guarded(chunks: Iterable[bytes], where: str) -> Iterator[bytes]:
    """Hand on the bytes of a part, UTF-8, when they have been looked at. Raises InputError."""
    guard = XmlGuard(where)
    for chunk in chunks:
        guard.feed(chunk)
        yield chunk


class XmlGuard:
    """Feed it the bytes of a part, UTF-8, before the parser gets them. Raises InputError."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._tail = b""
        self._run_bytes = 0
        self._aside_end = b""
        self._aside_bytes = 0
        self._depth = 0
        self._unclosed = 0

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes."""
        self._watch_pieces(chunk)
        joined, known = self._tail + chunk, len(self._tail)
        after_less, before_greater = _beside_marks(joined, known)
        if self._aside_end or np.any((after_less == _BANG) | (after_less == _QUESTION)):
            blanked = self._without_asides(joined, known)
            self._count_one_by_one(blanked, known)
        else:
            self._count(joined, known, after_less, before_greater)
        if self._depth > MAX_DEPTH:
            raise unsound(self._where, f"its tags stand more than {MAX_DEPTH:,} deep in each other")
        self._tail = joined[-_LONGEST_MARK:]

    def _watch_pieces(self, chunk: bytes) -> None:
        """Measure runs without a "<", which neither a tag nor a text has inside."""
        first = chunk.find(b"<")
        if first < 0:
            self._run_bytes += len(chunk)
        else:
            self._check(self._run_bytes + first)
            self._run_bytes = len(chunk) - chunk.rfind(b"<")
        self._check(self._run_bytes)

    def _without_asides(self, data: bytes, known: int) -> bytes:
        """Measure comments, CDATA and processing instructions, and blank them: what they hold is no tag.

        One that stands in the bytes known already is met again; that it is closed and opened twice changes nothing.
        """
        pieces: list[bytes] = []
        position = 0
        while position < len(data):
            if self._aside_end:
                end = data.find(self._aside_end, position)
                stop = end + len(self._aside_end) if end >= 0 else len(data)
                self._aside_bytes += max(0, stop - max(position, known))
                self._check(self._aside_bytes)
                if end >= 0:
                    self._aside_end = b""
                pieces.append(b" " * (stop - position))
            else:
                match = _ASIDE.search(data, position)
                stop = match.end() if match else len(data)
                pieces.append(data[position : match.start()] + b" " * len(match[0]) if match else data[position:])
                if match:
                    self._aside_end, self._aside_bytes = _ASIDE_ENDS[match[0]], 0
            position = stop
        return b"".join(pieces)

    def _count(self, joined: bytes, known: int, after_less: Bytes, before_greater: Bytes) -> None:
        """Keep an estimate of the depth, good to a tag or two a piece.

        A "/>" in a text looks like the end of a tag, and lets nesting hide. Where ">" are as many as "<" there is
        none; else the tags are looked at one by one.
        """
        self._unclosed += len(after_less) - len(before_greater)
        if not 0 <= self._unclosed <= 1:
            self._count_one_by_one(joined, known)
            return
        closed = int(np.count_nonzero(before_greater == _SLASH))
        self._move(len(after_less), int(np.count_nonzero(after_less == _SLASH)), closed)

    def _count_one_by_one(self, joined: bytes, known: int) -> None:
        self._unclosed = 0
        after_less, _ = _beside_marks(joined, known)
        closed = len(_SELF_CLOSED.findall(joined, known))
        self._move(len(after_less), int(np.count_nonzero(after_less == _SLASH)), closed)

    def _move(self, starts: int, ends: int, closed: int) -> None:
        self._depth = max(0, self._depth + starts - 2 * ends - closed)

    def _check(self, size_bytes: int) -> None:
        if size_bytes > MAX_PIECE_BYTES:
            raise unsound(self._where, f"it holds a single tag or text of more than {MAX_PIECE_BYTES >> 20} MB")


def _beside_marks(joined: bytes, known: int) -> tuple[Bytes, Bytes]:
    """Return the byte after each new "<" and the byte before each new ">".

    A "<" at the very end waits for its neighbour, and is new then.
    """
    data = np.frombuffer(joined, np.uint8)
    first = max(0, known - 1)
    less = np.flatnonzero(data[first:-1] == _LESS)
    greater = np.flatnonzero(data[first + 1 :] == _GREATER)
    return data[first + 1 :][less], data[first:][greater]
