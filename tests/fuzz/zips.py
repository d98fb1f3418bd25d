"""Two zips compared member by member, as compressed bytes: what an enriched workbook may differ in, and no more."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from xml.etree import ElementTree as ET

_ROOT = re.compile(rb"<(?:[\w.-]+:)?(\w+)[\s>/]")
_MAY_CHANGE = {"worksheet": 1, "workbook": 1, "styleSheet": 1, "table": 1_000}
"""Parts that must know of new columns, by their root element, and how many of each."""
_LOCAL_BYTES = 30


def is_workbook(data: bytes) -> bool:
    """Say whether this is a zip with a workbook in it, as far as zipfile can tell."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            return any("workbook" in name.lower() for name in file.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return False


def has_only_cells(data: bytes) -> bool:
    """Say whether all rows hold cells and nothing else: openpyxl counts whatever stands there as a cell."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            parts = [part for entry in file.infolist() if b"sheetData" in (part := file.read(entry))]
        roots = [ET.fromstring(part) for part in parts]  # noqa: S314 - of a size and in a process that may fail
    except (ET.ParseError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        return False
    for root in roots:
        rows = [element for element in root.iter() if element.tag.endswith("}row")]
        if any(child.tag != row.tag.removesuffix("row") + "c" for row in rows for child in row):
            return False
    return True


def difference(old: bytes, new: bytes) -> str:
    """Return what is not as it was and should be; empty where all is well."""
    before, after = _members(old), _members(new)
    if [name for name, _, _ in before] != [name for name, _, _ in after]:
        return f"members {[name for name, _, _ in after]} for {[name for name, _, _ in before]}"
    changed: dict[str, int] = {}
    for (name, method, packed), (_, new_method, new_packed) in zip(before, after, strict=True):
        if (method, packed) == (new_method, new_packed):
            continue
        root = _root(new_method, new_packed)
        changed[root] = changed.get(root, 0) + 1
        if changed[root] > _MAY_CHANGE.get(root, 0):
            return f"member {name} (a {root}) is not what it was"
    return ""


def _members(data: bytes) -> list[tuple[str, int, bytes]]:
    """Return name, method and compressed bytes of every member, in the directory's order."""
    found = []
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        start_dir = file.start_dir
        for entry in file.infolist():
            name_bytes, extra_bytes = struct.unpack_from("<HH", data, entry.header_offset + 26)
            start = entry.header_offset + _LOCAL_BYTES + name_bytes + extra_bytes
            found.append(
                (entry.filename, entry.compress_type, data[start : min(start + entry.compress_size, start_dir)])
            )
    return found


def _root(method: int, packed: bytes) -> str:
    start = packed[:4000]
    if method == zipfile.ZIP_DEFLATED:
        start = zlib.decompressobj(-15).decompress(packed, 4000)
    if b"\0" in start[:4]:
        start = start.replace(b"\0", b"")
    found = _ROOT.search(re.sub(rb"<!--.*?-->", b"", start, flags=re.DOTALL))
    return found[1].decode() if found else "part without a root"
