"""Damage to a zip: one part changed and zipped again, members moved, doubled, dropped, and directories that lie."""

from __future__ import annotations

import io
import re
import struct
import warnings
import zipfile
from typing import IO, TYPE_CHECKING, cast

from tests.fuzz import markup, raw

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

Members = list[tuple[str, bytes]]
_ENTRY = b"PK\x01\x02"
_LOCAL = b"PK\x03\x04"
_DIRECTORY_FIELDS = {
    "flags": (8, 2),
    "method": (10, 2),
    "crc": (16, 4),
    "packed": (20, 4),
    "size": (24, 4),
    "offset": (42, 4),
}
_LOCAL_FIELDS = {"flags": (6, 2), "method": (8, 2), "crc": (14, 4), "packed": (18, 4), "size": (22, 4), "name": (26, 2)}
_LIES = (0, 1, 8, 9, 12, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
_FAVOURITES = {"sheet": 8.0, "content": 8.0, "sharedStrings": 3.0, "table": 3.0, "workbook": 2.0, "styles": 2.0}
_BOMB_BYTES = 300_000_000


class _Pipe(io.RawIOBase):
    """A sink that can't be sought in, so that zipfile writes data descriptors."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.data += bytes(memoryview(data))  # type: ignore[arg-type]
        return len(memoryview(data))  # type: ignore[arg-type]


def damage(data: bytes, chance: Random) -> tuple[bytes, str]:
    """Damage a zip in one to three ways. Returns it and what was done."""
    draw = chance.random()
    if draw < 0.1:
        return raw.damage(data, chance)
    if draw < 0.17:
        return _lie(data, chance)
    try:
        members = _unzip(data)
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return raw.damage(data, chance)
    done = []
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        way = chance.choices((_change_part, *_MEMBERS), (12, 1, 1, 1, 1, 1, 0.02))[0]
        done.append(way(members, chance))
    zipped, how = _zip(members, chance)
    return zipped, "; ".join([*done, *how])


def _change_part(members: Members, chance: Random) -> str:
    at = chance.choices(range(len(members)), [_weight(name) for name, _ in members])[0]
    name, part = members[at]
    changed, way = markup.damage(part, chance) if name.endswith((".xml", ".rels")) else raw.damage(part, chance)
    members[at] = name, changed
    return f"{name}: {way}"


def _weight(name: str) -> float:
    return next((weight for start, weight in _FAVOURITES.items() if start in name.rpartition("/")[2]), 1.0)


def _drop_member(members: Members, chance: Random) -> str:
    name, _ = members.pop(chance.randrange(len(members)))
    members[:] = members or [("empty", b"")]
    return f"{name}: dropped"


def _double_member(members: Members, chance: Random) -> str:
    name, part = chance.choice(members)
    members.insert(chance.randrange(len(members) + 1), (name, chance.choice((part, b"", b"<x/>"))))
    return f"{name}: twice"


def _rename_member(members: Members, chance: Random) -> str:
    at = chance.randrange(len(members))
    name, part = members[at]
    new = chance.choice(
        (name.upper(), name.replace("/", "\\"), "../" + name, "/" + name, name + "/", "x" * 300, "Ünï", "")
    )
    members[at] = new, part
    return f"{name}: renamed {new[:30]!r}"


def _swap_members(members: Members, chance: Random) -> str:
    at, other = chance.randrange(len(members)), chance.randrange(len(members))
    (one, one_part), (two, two_part) = members[at], members[other]
    members[at], members[other] = (one, two_part), (two, one_part)
    return f"{one} and {two}: swapped"


def _shuffle_members(members: Members, chance: Random) -> str:
    chance.shuffle(members)
    return "shuffled"


def _swell_member(members: Members, chance: Random) -> str:
    at = chance.choices(range(len(members)), [_weight(name) for name, _ in members])[0]
    name, part = members[at]
    middle = part.find(b"<", len(part) // 2)
    members[at] = name, part[:middle] + b" " * _BOMB_BYTES + part[middle:]
    return f"{name}: swollen"


_MEMBERS: tuple[Callable[[Members, Random], str], ...] = (
    _drop_member,
    _double_member,
    _rename_member,
    _swap_members,
    _shuffle_members,
    _swell_member,
)


def _unzip(data: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return [(entry.filename, file.read(entry)) for entry in file.infolist()]


def _zip(members: Members, chance: Random) -> tuple[bytes, list[str]]:
    """Zip again, now and then as few programs do. Returns how, too."""
    how = chance.choices(("", "stored", "descriptors", "zip64", "comment", "prefix"), (12, 1, 1, 1, 0.5, 0.5))[0]
    pipe = _Pipe()
    sink = cast("IO[bytes]", pipe) if how == "descriptors" else io.BytesIO()
    method = zipfile.ZIP_STORED if how == "stored" else zipfile.ZIP_DEFLATED
    with warnings.catch_warnings(), zipfile.ZipFile(sink, "w", method, compresslevel=1) as file:
        warnings.simplefilter("ignore")  # a name that is there twice is what is wanted
        for name, part in members:
            entry = zipfile.ZipInfo(name or "-", (2024, 5, 6, 7, 8, 10))
            entry.compress_type = method
            with file.open(entry, "w", force_zip64=how == "zip64") as out:
                out.write(part)
        if how == "comment":
            file.comment = b"PK\x05\x06" + bytes(18)
    zipped = bytes(pipe.data) if how == "descriptors" else cast("io.BytesIO", sink).getvalue()
    return (b"#!/bin/sh\n" + zipped if how == "prefix" else zipped), [how] if how else []


def _lie(data: bytes, chance: Random) -> tuple[bytes, str]:
    """Change one number of a directory entry or of a member's own header."""
    signature, fields = chance.choice(((_ENTRY, _DIRECTORY_FIELDS), (_LOCAL, _LOCAL_FIELDS)))
    places = [found.start() for found in re.finditer(re.escape(signature), data[:-50])]
    if not places:
        return raw.damage(data, chance)
    name, (offset, size) = chance.choice([*fields.items()])
    at = chance.choice(places) + offset
    lie = chance.choice((*_LIES, chance.randrange(len(data)))) & (256**size - 1)
    return data[:at] + struct.pack("<Q", lie)[:size] + data[at + size :], f"lie about {name}: {lie}"
