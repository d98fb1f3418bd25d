"""The zip: its members, their relationships, and a copy of it in which only named members differ.

Owns what is a sound package and how members travel as their compressed bytes. Knows no worksheet.
"""

from __future__ import annotations

import os
import posixpath
import struct
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, NamedTuple, Self

from enricher.errors import InputError
from enricher.sheets.xlsx.markup import elements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

CHUNK_BYTES = 1 << 18
MAX_PART_BYTES = 4 << 30
MAX_SMALL_PART_BYTES = 256 << 20
_SUSPECT_BYTES = 100 << 20
_SUSPECT_RATIO = 1000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK"
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_LOCAL_HEADER_BYTES = 30
_ZIP64_EXTRA = 1
_ENCRYPTED = 0x1
_SIZES_FOLLOW = 0x8
_UTF8_NAME = 0x800
_COMPRESSION_HINTS = 0x6
# Between the plain limit of a zip and the point where Python's zipfile switches to zip64.
_ZIP64_FROM_BYTES = (1 << 31) - 1
SURELY_PLAIN_BYTES = 3 << 29


class Relationship(NamedTuple):
    """One line of a .rels part: id, the last word of its type, and the part it leads to ("" outside the file)."""

    id: str
    kind: str
    target: str


class Package:
    """An open workbook file. Part names are zip names: no leading slash, compared regardless of case."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip = _open(path)
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in self._zip.infolist():
            key = member.filename.replace("\\", "/").lower()
            if key in self._members:
                self.close()
                raise InputError(f"{path.name}: the file holds {member.filename} twice. Save it again in Excel.")
            self._members[key] = member

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def names(self) -> list[str]:
        """Return the names of all members in their order."""
        return [member.filename for member in self._zip.infolist()]

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._members

    def size_bytes(self, name: str) -> int:
        """Return the inflated size of a part."""
        return self._member(name).file_size

    def read(self, name: str) -> bytes:
        """Read a small part whole. Raises InputError."""
        member = self._member(name)
        if member.file_size > MAX_SMALL_PART_BYTES:
            raise InputError(
                f"{self.path.name}: {name} is {member.file_size >> 20} MB, more than the "
                f"{MAX_SMALL_PART_BYTES >> 20} MB allowed for such a part. Save the data as CSV and use that."
            )
        return b"".join(self.stream(name))

    def stream(self, name: str) -> Iterator[bytes]:
        """Read a part in pieces; its checksum has been verified when the last one is out. Raises InputError."""
        member = self._member(name)
        try:
            with self._zip.open(member) as part:
                while chunk := part.read(CHUNK_BYTES):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise InputError(
                f"{self.path.name}: {name} inside the file is damaged ({error}). "
                "Fetch the file again, or open it in Excel and save it."
            ) from None

    def relationships(self, name: str) -> list[Relationship]:
        """Return where a part ("" for the package) leads to."""
        folder, base = posixpath.split(name)
        rels = posixpath.join(folder, "_rels", f"{base}.rels")
        if rels not in self:
            return []
        found = []
        for element in elements(self.read(rels), self.path.name):
            if element.name == "Relationship":
                attributes = element.attributes
                target = attributes.get("Target", "")
                inside = attributes.get("TargetMode") != "External" and target
                target = posixpath.normpath(posixpath.join("/", folder, target))[1:] if inside else ""
                kind = attributes.get("Type", "").rpartition("/")[2]
                found.append(Relationship(attributes.get("Id", ""), kind, target))
        return found

    def copy(
        self,
        target: Path,
        replaced: Mapping[str, bytes],
        streamed: Mapping[str, Callable[[], Iterator[bytes]]],
        grown_bytes: int = 0,
    ) -> None:
        """Write the package to `target`, same members in the same order, all but the named ones byte for byte.

        `replaced` and `streamed` are by lower-case name; the streamed parts grow by about `grown_bytes`. The same
        input gives the same bytes: a rewritten member keeps the date of the one it stands for.
        """
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out, self.path.open("rb") as raw:
            out.comment = self._zip.comment
            for member in self._zip.infolist():
                key = member.filename.replace("\\", "/").lower()
                if key in replaced:
                    with out.open(_fresh(member), "w") as part:
                        part.write(replaced[key])
                elif key in streamed:
                    # The size is known only at the end, but whether it takes zip64 must be said at the start.
                    # Not always: Excel offers to "repair" a file with zip64 where none is needed.
                    large = member.file_size + grown_bytes > SURELY_PLAIN_BYTES
                    with out.open(_fresh(member), "w", force_zip64=large) as part:
                        for chunk in streamed[key]():
                            part.write(chunk)
                else:
                    _copy_raw(raw, member, out)

    def _member(self, name: str) -> zipfile.ZipInfo:
        try:
            member = self._members[name.lower()]
        except KeyError:
            raise InputError(
                f"{self.path.name}: the file lacks its part {name}. Open it in Excel, let it repair, save and retry."
            ) from None
        if member.flag_bits & _ENCRYPTED:
            raise InputError(f"{self.path.name}: the file is encrypted as a zip. Save it without a password.")
        size = member.file_size
        bomb = size > _SUSPECT_BYTES and size > _SUSPECT_RATIO * member.compress_size
        if size > MAX_PART_BYTES or bomb:
            raise InputError(
                f"{self.path.name}: {name} would unpack to {size >> 20} MB from {member.compress_size >> 10} KB. "
                "No ordinary workbook does; if the file is sound, save the sheet as CSV and use that."
            )
        return member


def is_workbook(start: bytes) -> bool:
    """Say whether a file that starts so is for this package: a zip, or the old container of Office."""
    return start.startswith((_ZIP, _OLE))


def _open(path: Path) -> zipfile.ZipFile:
    """Open the zip, telling apart what else calls itself .xlsx."""
    with path.open("rb") as file:
        start = file.read(1 << 20)
        file.seek(max(0, path.stat().st_size - (1 << 20)))
        sample = start + file.read()
    if start.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in sample:
            raise InputError(f"{path.name}: the workbook is protected by a password. Save it without one.")
        raise InputError(f"{path.name}: this is an old .xls workbook. Save it as .xlsx and use that.")
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, struct.error, ValueError) as error:
        if start.startswith(_ZIP):
            raise InputError(
                f"{path.name}: the file is cut short or damaged ({error}). Fetch or save it again."
            ) from None
        raise InputError(
            f"{path.name}: this is no Excel workbook. If it is text, give it the ending .csv or .txt."
        ) from None


def _fresh(member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Return a header for the same member with the same date, and no sizes yet."""
    fresh = zipfile.ZipInfo(member.filename, member.date_time)
    fresh.compress_type = zipfile.ZIP_DEFLATED
    fresh.create_system = member.create_system
    fresh.external_attr = member.external_attr
    fresh.internal_attr = member.internal_attr
    fresh.comment = member.comment
    return fresh


def _copy_raw(raw: IO[bytes], member: zipfile.ZipInfo, out: zipfile.ZipFile) -> None:
    """Append a member as its compressed bytes; zipfile itself can only inflate and deflate again.

    The sizes stand in our local header, so the flag that says they follow the data is cleared; of the extra fields
    the one for zip64 is ours to write.
    """
    raw.seek(member.header_offset)
    signature, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(raw.read(_LOCAL_HEADER_BYTES))
    if signature != b"PK\x03\x04":
        raise zipfile.BadZipFile(f"{member.filename} is not where the directory says")
    raw.seek(name_bytes + extra_bytes, os.SEEK_CUR)
    copy = _fresh(member)
    copy.compress_type = member.compress_type
    copy.flag_bits = member.flag_bits & (_UTF8_NAME | _COMPRESSION_HINTS)
    copy.CRC, copy.file_size, copy.compress_size = member.CRC, member.file_size, member.compress_size
    copy.create_version, copy.extract_version = member.create_version, member.extract_version
    copy.extra = _without_zip64(member.extra)
    stream = out.fp
    if stream is None:
        raise AssertionError("the copy is open")
    copy.header_offset = stream.tell()
    large = max(copy.file_size, copy.compress_size) > _ZIP64_FROM_BYTES
    stream.write(copy.FileHeader(large))
    _copy_bytes(raw, stream, member.compress_size)
    out.start_dir = stream.tell()  # where zipfile puts the next member, or the directory
    out.filelist.append(copy)
    out.NameToInfo[copy.filename] = copy


def _copy_bytes(raw: IO[bytes], stream: IO[bytes], count: int) -> None:
    left = count
    while left:
        chunk = raw.read(min(left, CHUNK_BYTES))
        if not chunk:
            raise zipfile.BadZipFile("the file ends inside a member")
        stream.write(chunk)
        left -= len(chunk)


def _without_zip64(extra: bytes) -> bytes:
    kept, position = b"", 0
    while position + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, position)
        if kind != _ZIP64_EXTRA:
            kept += extra[position : position + 4 + size]
        position += 4 + size
    return kept
