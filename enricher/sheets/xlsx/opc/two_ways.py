"""A part read in stretches: by a quick way where that vouches for the bytes, else by the careful one.

Owns where the stretches are cut. Knows neither way: both see every byte of the part at most once, in order, and between
them exactly once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_MAX_WAITING_BYTES = 4 << 20
_SMALL_BYTES = 8 << 10
_MOST_SKIPPED = 64
_TRIES = 8


class Ways(Protocol[T_co]):
    """The two ways over one part. A stretch begins and ends at an edge: right behind a repeated element."""

    def ending(self) -> bytes:
        """Return the bytes that may be the end of the head, or of a stretch."""

    def at_edge(self) -> bool:
        """Say whether the careful way stands at an edge, nothing half read, and the quick way knows the ground."""

    def careful(self, data: bytes) -> T_co:
        """Take any bytes."""

    def quick(self, stretch: bytes) -> T_co | None:
        """Take a stretch; None, and nothing has happened, where it can't vouch for it."""


def in_stretches(chunks: Iterable[bytes], ways: Ways[T]) -> Iterator[T]:
    """Read a part to its end, yielding what the ways return, in order."""
    waiting = b""
    pause = _Pause()
    for chunk in chunks:
        data = waiting + chunk if waiting else chunk
        if not ways.at_edge():
            start = 0
            for _ in range(_TRIES):
                end = _end_of_first(data, ways.ending(), start)
                if not end:
                    break
                yield ways.careful(data[start:end])
                start = end
                if ways.at_edge():
                    break
            data = data[start:]
            if not ways.at_edge():
                yield ways.careful(data)
                waiting = b""
                continue
        ending = ways.ending()
        end = data.rfind(ending) + len(ending)
        if end < len(ending):
            end = len(data) if len(data) > _MAX_WAITING_BYTES else 0
            if end:
                yield ways.careful(data)
        else:
            yield from _stretch(data[:end], ways, pause)
        waiting = data[end:]
    if waiting:
        yield ways.careful(waiting)


def in_larger_pieces(chunks: Iterable[bytes], size_bytes: int) -> Iterator[bytes]:
    """Join pieces until they come to `size_bytes`: the grammar takes a fifth of a millisecond to set up, each time."""
    held: list[bytes] = []
    held_bytes = 0
    for chunk in chunks:
        held.append(chunk)
        held_bytes += len(chunk)
        if held_bytes >= size_bytes:
            yield b"".join(held)
            held, held_bytes = [], 0
    if held:
        yield b"".join(held)


def in_smaller_pieces(chunks: Iterable[bytes], size_bytes: int) -> Iterator[bytes]:
    """Cut pieces that are larger than `size_bytes`."""
    for chunk in chunks:
        for start in range(0, len(chunk), size_bytes):
            yield chunk[start : start + size_bytes]


class _Pause:
    """Spares the quick way's tries where they come to nothing: ever longer, as long as they do."""

    def __init__(self) -> None:
        self._length = self._left = 0

    def over(self) -> bool:
        """Say whether to try."""
        if self._left:
            self._left -= 1
            return False
        return True

    def heed(self, *, worked: bool) -> None:
        """Learn how a try went."""
        self._length = 0 if worked else min(2 * self._length + 1, _MOST_SKIPPED)
        self._left = self._length


def _stretch(data: bytes, ways: Ways[T], pause: _Pause) -> Iterator[T]:
    if not pause.over():
        yield ways.careful(data)
        return
    quick = 0
    for piece, was_quick in _halves(data, ways):
        quick += was_quick
        yield piece
    pause.heed(worked=bool(quick))


def _halves(data: bytes, ways: Ways[T]) -> Iterator[tuple[T, bool]]:
    """Try a stretch, and where that fails its halves: an odd row costs its neighbours little."""
    taken = ways.quick(data) if ways.at_edge() else None
    if taken is not None:
        yield taken, True
        return
    ending = ways.ending()
    end = data.rfind(ending, 0, len(data) // 2) + len(ending)
    if len(data) < _SMALL_BYTES or end < len(ending) or not ways.at_edge():
        yield ways.careful(data), False
        return
    yield from _halves(data[:end], ways)
    yield from _halves(data[end:], ways)


def _end_of_first(data: bytes, ending: bytes, start: int) -> int:
    """Return where the first `ending` ends, or 0."""
    place = data.find(ending, start)
    return place + len(ending) if place >= 0 else 0
