"""Damage to bytes of any kind: what a bad disk, a cut download or an editor of another age does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_NASTY = (
    b"\0",
    b"\xff",
    b"\r",
    b"\n",
    b'"',
    b"<",
    b"&",
    b"\x80",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\x1a",
    b"\xed\xa0\x80",
)
_NUMBERS = (0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_MOST_BITS = 8
_LONG = 2_000_000


def flip(data: bytes, chance: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, _MOST_BITS)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut_end(data: bytes, chance: Random) -> bytes:
    return data[: chance.randrange(len(data))]


def cut_start(data: bytes, chance: Random) -> bytes:
    return data[chance.randrange(len(data)) :]


def drop(data: bytes, chance: Random) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + data[end:]


def double(data: bytes, chance: Random) -> bytes:
    start, end = _span(data, chance)
    return data[:end] + data[start:end] * chance.choice((1, 1, 2, 50)) + data[end:]


def move(data: bytes, chance: Random) -> bytes:
    start, end = _span(data, chance)
    rest = data[:start] + data[end:]
    at = chance.randrange(len(rest) + 1)
    return rest[:at] + data[start:end] + rest[at:]


def insert(data: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(_NASTY) * chance.choice((1, 1, 1, 3, 1000)) + data[at:]


def overwrite(data: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data))
    number = chance.choice(_NUMBERS).to_bytes(4, chance.choice(("little", "big")))
    return data[:at] + number[: chance.choice((1, 2, 4))] + data[at + 4 :]


def zero(data: bytes, chance: Random) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + bytes(end - start) + data[end:]


def lengthen(data: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice((b"x", b"\0", b" ", b"9", b'"')) * _LONG + data[at:]


DAMAGE: dict[str, Callable[[bytes, Random], bytes]] = {
    way.__name__: way for way in (flip, cut_end, cut_start, drop, double, move, insert, overwrite, zero, lengthen)
}
_WEIGHTS = (4, 3, 1, 2, 2, 1, 3, 3, 2, 0.3)


def damage(data: bytes, chance: Random) -> tuple[bytes, str]:
    """Damage bytes in one way. Returns them, never none, and the way's name."""
    if not data:
        return b"\0", "nothing was there"
    way = chance.choices([*DAMAGE], _WEIGHTS)[0]
    return DAMAGE[way](data, chance) or b"\0", way


def _span(data: bytes, chance: Random) -> tuple[int, int]:
    start = chance.randrange(len(data))
    return start, min(len(data), start + chance.choice((1, 2, 8, 64, 4096)))
