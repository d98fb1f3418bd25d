"""Files of other programs, made byte by byte: the smallest that are sound, so that a test can make them unsound."""

from __future__ import annotations

import struct
import zipfile
from typing import TYPE_CHECKING, Protocol
from xml.sax.saxutils import escape, quoteattr

import pytest

from enricher.sheets.foreign import foreign_tables
from enricher.sheets.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from enricher.sheets.foreign.source import SpooledTable

Cell = tuple[int, int, str | float | bool]
"""Row and column, both from 0, and what is there."""

_FREE, _END_OF_CHAIN, _FAT_SECTOR = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_SECTOR = 512
_MAIN_PART = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
_SHEET_PART = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument.spreadsheet"


class Xls(Protocol):
    def __call__(
        self, sheets: Mapping[str, Iterable[Cell]], *, hidden: str = "", after_bof: bytes = b"", date_columns: int = 0
    ) -> Path: ...


class Xlsb(Protocol):
    def __call__(self, sheets: Mapping[str, Iterable[Cell]], *, hidden: str = "") -> Path: ...


class Ods(Protocol):
    def __call__(self, tables: str, *, encrypted: bool = False) -> Path: ...


class Saved(Protocol):
    def __call__(self, content: str | bytes, name: str = "report.xls") -> SpooledTable: ...


@pytest.fixture
def saved(tmp_path: Path) -> Saved:
    """Save a page or an XML spreadsheet; return its first table."""

    def save(content: str | bytes, name: str = "report.xls") -> SpooledTable:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return foreign_tables(path, kind_of(path))[0]

    return save


@pytest.fixture
def make_xls(tmp_path: Path) -> Xls:
    """Write a BIFF8 workbook in its container ([MS-XLS] 2.4, [MS-CFB] 2.2).

    Numbers in the first `date_columns` columns are shown as dates.
    """

    def make(
        sheets: Mapping[str, Iterable[Cell]], *, hidden: str = "", after_bof: bytes = b"", date_columns: int = 0
    ) -> Path:
        formats = b"".join(_biff(0x00E0, struct.pack("<HH16x", 0, code)) for code in (0, 14))
        bounds = sum(4 + 8 + 2 * len(name) for name in sheets)
        start = _bof(5) + after_bof + _biff(0x0042, struct.pack("<H", 1200)) + formats
        offset = len(start) + bounds + 4
        globals_, bodies = start, b""
        for name, cells in sheets.items():
            title = name.encode("utf-16-le")
            place = struct.pack("<IBBBB", offset + len(bodies), name == hidden, 0, len(name), 1)
            globals_ += _biff(0x0085, place + title)
            bodies += _bof(16) + b"".join(_biff_cell(cell, date_columns) for cell in cells) + _biff(0x000A)
        path = tmp_path / "book.xls"
        path.write_bytes(_container(globals_ + _biff(0x000A) + bodies))
        return path

    return make


def _biff(number: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", number, len(data)) + data


def _bof(kind: int) -> bytes:
    return _biff(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))


def _biff_cell(cell: Cell, date_columns: int) -> bytes:
    row, column, value = cell
    place = struct.pack("<HHH", row, column, 1 if column < date_columns else 0)
    match value:
        case bool():
            return _biff(0x0205, place + struct.pack("<BB", value, 0))
        case str():
            return _biff(0x0204, place + struct.pack("<HB", len(value), 1) + value.encode("utf-16-le"))
        case _:
            return _biff(0x0203, place + struct.pack("<d", value))


def _container(stream: bytes) -> bytes:
    """Put a stream named Workbook into a compound file; of at least 4,096 bytes, or it would live elsewhere in it."""
    stream = stream.ljust(4096, b"\0")
    stream += b"\0" * (-len(stream) % _SECTOR)
    sectors = len(stream) // _SECTOR
    tables = -(-(sectors + 1 + sectors // 100 + 1) * 4 // _SECTOR)
    chain = [_FAT_SECTOR] * tables + [_END_OF_CHAIN]
    first = len(chain)
    chain += [*range(first + 1, first + sectors), _END_OF_CHAIN]
    chain += [_FREE] * (tables * _SECTOR // 4 - len(chain))
    places = [*range(tables), *[_FREE] * (109 - tables)]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, tables, tables, 0, 4096, _END_OF_CHAIN, 0,
                          _END_OF_CHAIN, 0)  # fmt: skip
    header += struct.pack("<109I", *places)
    root = _entry("Root Entry", 5, 1, _END_OF_CHAIN, 0)
    book = _entry("Workbook", 2, _FREE, first, len(stream))
    directory = (root + book).ljust(_SECTOR, b"\0")
    return header + struct.pack(f"<{len(chain)}I", *chain) + directory + stream


def _entry(name: str, kind: int, child: int, start: int, size_bytes: int) -> bytes:
    title = name.encode("utf-16-le")
    return (
        title.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(title) + 2, kind, 1, _FREE, _FREE, child)
        + bytes(36)
        + struct.pack("<IQ", start, size_bytes)
    )


@pytest.fixture
def make_xlsb(tmp_path: Path) -> Xlsb:
    """Write a binary workbook ([MS-XLSB] 2.1)."""

    def make(sheets: Mapping[str, Iterable[Cell]], *, hidden: str = "") -> Path:
        path = tmp_path / "book.xlsb"
        links = {f"worksheets/sheet{at}.bin": _SHEET_PART for at, _ in enumerate(sheets, 1)}
        bundle = b"".join(
            _record(156, struct.pack("<II", name == hidden, at) + _wide(f"rId{at}") + _wide(name))
            for at, name in enumerate(sheets, 1)
        )
        book = _record(131) + _record(143) + bundle + _record(144) + _record(157, bytes(26)) + _record(132)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
            out.writestr("[Content_Types].xml", "<Types/>")
            out.writestr("_rels/.rels", _links({"xl/workbook.bin": _MAIN_PART}))
            out.writestr("xl/workbook.bin", book)
            out.writestr("xl/_rels/workbook.bin.rels", _links(links))
            for at, cells in enumerate(sheets.values(), 1):
                out.writestr(f"xl/worksheets/sheet{at}.bin", _binary_sheet(list(cells)))
        return path

    return make


def _links(targets: Mapping[str, str]) -> str:
    lines = (
        f'<Relationship Id="rId{at}" Type="{kind}" Target="{target}"/>'
        for at, (target, kind) in enumerate(targets.items(), 1)
    )
    return f'<Relationships xmlns="{_RELATIONS}">{"".join(lines)}</Relationships>'


def _binary_sheet(cells: list[Cell]) -> bytes:
    rows, columns = [cell[0] for cell in cells], [cell[1] for cell in cells]
    area = (min(rows, default=0), max(rows, default=0), min(columns, default=0), max(columns, default=0))
    parts = [_record(129), _record(148, struct.pack("<4I", *area)), _record(145)]
    last = -1
    for row, column, value in cells:
        if row != last:
            parts.append(_record(0, struct.pack("<IIHHBI", row, 0, 300, 0, 0, 0)))
            last = row
        place = struct.pack("<II", column, 0)
        match value:
            case bool():
                parts.append(_record(4, place + struct.pack("<B", value)))
            case str():
                parts.append(_record(6, place + _wide(value)))
            case _:
                parts.append(_record(5, place + struct.pack("<d", value)))
    return b"".join([*parts, _record(146), _record(130)])


def _record(number: int, data: bytes = b"") -> bytes:
    head = bytes([number]) if number < 128 else bytes([number & 0x7F | 0x80, number >> 7])
    size = len(data)
    while size > 127:
        head += bytes([size & 0x7F | 0x80])
        size >>= 7
    return head + bytes([size]) + data


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


@pytest.fixture
def make_ods(tmp_path: Path) -> Ods:
    """Write an OpenDocument spreadsheet around the XML of its tables."""

    def make(tables: str, *, encrypted: bool = False) -> Path:
        spaces = " ".join(
            f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{prefix}:1.0"'
            for prefix in ("office", "table", "text", "style")
        )
        secret = "<manifest:encryption-data/>" if encrypted else ""
        path = tmp_path / "book.ods"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
            out.writestr("mimetype", _OPEN_DOCUMENT)
            out.writestr(
                "META-INF/manifest.xml",
                '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
                f'<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml">{secret}'
                "</manifest:file-entry></manifest:manifest>",
            )
            out.writestr(
                "content.xml",
                f"<office:document-content {spaces}><office:body><office:spreadsheet>{tables}</office:spreadsheet>"
                "</office:body></office:document-content>",
            )
        return path

    return make


def ods_table(name: str, rows: Iterable[Iterable[str | float]]) -> str:
    """Write a table of an OpenDocument spreadsheet."""
    lines = []
    for row in rows:
        cells = [
            f'<table:table-cell office:value-type="string"><text:p>{escape(value)}</text:p></table:table-cell>'
            if isinstance(value, str)
            else f'<table:table-cell office:value-type="float" office:value="{value!r}"/>'
            for value in row
        ]
        lines.append(f"<table:table-row>{''.join(cells)}</table:table-row>")
    return f"<table:table table:name={quoteattr(name)}>{''.join(lines)}</table:table>"
