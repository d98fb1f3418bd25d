"""Members of a zip appended to another as their compressed bytes; zipfile itself can only inflate and deflate again.

Owns local headers and extra fields. Knows no part by name.
"""

from __future__ import annotations

import os
import struct
import zipfile
from typing import IO

from enricher.sheets.xlsx.opc.container import LOCAL_HEADER

_CHUNK_BYTES = 1 << 18
_ZIP64_EXTRA = 1
_UTF8_NAME = 0x800
_COMPRESSION_HINTS = 0x6
# Between the plain limit of a zip and the point where Python's zipfile switches to zip64.
_ZIP64_FROM_BYTES = (1 << 31) - 1

_LEVEL = 5
"""zlib's level 6 takes 1.8 times the time for 3 % less; 4 saves a sixth more of it for 16 % more bytes."""


def fresh_header(member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Return a header for the same member with the same date, and no sizes yet."""
    fresh = deflated(zipfile.ZipInfo(member.filename, member.date_time))
    fresh.create_system = member.create_system
    fresh.external_attr = member.external_attr
    fresh.internal_attr = member.internal_attr
    fresh.comment = member.comment
    return fresh


def deflated(member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Return the header of a member that is to be written as a stream; zipfile has no open way to say how."""
    member.compress_type = zipfile.ZIP_DEFLATED
    member._compresslevel = _LEVEL  # type: ignore[attr-defined]  # noqa: SLF001
    return member


def copy_member(raw: IO[bytes], member: zipfile.ZipInfo, out: zipfile.ZipFile) -> None:
    """Append a member as it stands in the raw file. Raises BadZipFile where it isn't there, OSError.

    The sizes stand in our local header, so the flag that says they follow the data is cleared; of the extra fields
    the one for zip64 is ours to write.
    """
    raw.seek(member.header_offset)
    header = raw.read(LOCAL_HEADER.size)
    if len(header) < LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
        raise zipfile.BadZipFile(f"{member.filename} is not where the directory says")
    _, name_bytes, extra_bytes = LOCAL_HEADER.unpack(header)
    raw.seek(name_bytes + extra_bytes, os.SEEK_CUR)
    copy = fresh_header(member)
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
        chunk = raw.read(min(left, _CHUNK_BYTES))
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
