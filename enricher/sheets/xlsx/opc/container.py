"""The zip that a workbook is: opened if it is one, its directory looked at before anything is made of it.

Owns what is a sound directory, and what else calls itself .xlsx. Knows no part and inflates nothing.
"""

from __future__ import annotations

import os
import struct
import zipfile
from typing import IO, TYPE_CHECKING

from enricher.errors import InputError
from enricher.sheets.xlsx.opc.refusals import AS_CSV, fetch_again

if TYPE_CHECKING:
    from pathlib import Path

    from enricher.sheets.xlsx.opc.limits import Limits

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK"
LOCAL_HEADER = struct.Struct("<4s22xHH")
_MAX_DIRECTORY_BYTES = 16 << 20
"""200,000 members; zipfile makes an object of 600 bytes of each before it can be asked anything."""
_END = b"PK\x05\x06"
_END_BYTES = 22
_LOCATOR_BYTES = 20
_END64 = b"PK\x06\x06"
_END64_BYTES = 56
_MAX_COMMENT_BYTES = 1 << 16
_SAMPLE_BYTES = 1 << 20
_ENCRYPTED = 0x1


def open_zip(path: Path, limits: Limits) -> zipfile.ZipFile:
    """Open the zip, telling apart what else calls itself .xlsx. Raises InputError."""
    try:
        with path.open("rb") as file:
            start, sample = _samples(file)
            if start.startswith(OLE):
                raise _old_container(path.name, sample)
            size_bytes = _directory_bytes(file)
        if size_bytes > _MAX_DIRECTORY_BYTES:
            raise InputError(
                f"{path.name}: the file claims to hold hundreds of thousands of parts, which no workbook does. "
                f"Fetch or save it again, or {AS_CSV}."
            )
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror or error})") from None
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError) as error:
        if start.startswith(ZIP):
            raise InputError(
                f"{path.name}: the file is cut short or damaged ({error!s:.100}). Fetch or save it again."
            ) from None
        raise InputError(
            f"{path.name}: this is no Excel workbook. If it is text, give it the ending .csv or .txt."
        ) from None
    try:
        _check_members(path, archive.infolist(), limits)
    except InputError:
        archive.close()
        raise
    return archive


def _samples(file: IO[bytes]) -> tuple[bytes, bytes]:
    """Return the first bytes, and the first and last together: an old container's directory may be at either end."""
    start = file.read(_SAMPLE_BYTES)
    file.seek(max(0, os.fstat(file.fileno()).st_size - _SAMPLE_BYTES))
    return start, start + file.read(_SAMPLE_BYTES)


def _old_container(name: str, sample: bytes) -> InputError:
    if "EncryptedPackage".encode("utf-16-le") in sample:
        return InputError(f"{name}: the workbook is protected by a password. Save it without one.")
    return InputError(f"{name}: this is an old .xls workbook. Save it as .xlsx and use that.")


def _directory_bytes(file: IO[bytes]) -> int:
    """Return the size that the directory claims, where zipfile will look for it; 0 where there is none to be seen."""
    file.seek(max(0, os.fstat(file.fileno()).st_size - _MAX_COMMENT_BYTES - _END_BYTES - _LOCATOR_BYTES - _END64_BYTES))
    tail = file.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) < end + _END_BYTES:
        return 0
    (size_bytes,) = struct.unpack_from("<L", tail, end + 12)
    end64 = end - _LOCATOR_BYTES - _END64_BYTES
    if end64 >= 0 and tail.startswith(_END64, end64):
        (size_bytes,) = struct.unpack_from("<Q", tail, end64 + 40)
    return int(size_bytes)


def _check_members(path: Path, members: list[zipfile.ZipInfo], limits: Limits) -> None:
    """Raise InputError for a part that is there twice, shares another's bytes or is encrypted."""
    names: set[str] = set()
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        key = member.filename.replace("\\", "/").lower()
        if key in names:
            raise InputError(f"{path.name}: the file holds {member.filename} twice. Save it again in Excel.")
        names.add(key)
        if member.flag_bits & _ENCRYPTED:  # even of a part that is only copied: the copy would not say so
            raise InputError(f"{path.name}: the file is encrypted as a zip. Save it without a password.")
        if member.header_offset < end:
            raise fetch_again(path.name, f"{member.filename} inside the file overlaps what stands before it")
        end = member.header_offset + LOCAL_HEADER.size + len(member.filename) + member.compress_size
    limits.check_total(path.name, sum(member.file_size for member in members))
