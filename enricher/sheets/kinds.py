"""What kind of file this is: by what it holds, never by its name. Owns the signatures. Opens no file as its kind."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from enricher.errors import InputError
from enricher.sheets.jsonl.records import is_json_lines
from enricher.sheets.parquet.file import is_parquet
from enricher.sheets.xlsx.opc.container import open_zip
from enricher.sheets.xlsx.opc.limits import NO_LIMITS

if TYPE_CHECKING:
    from pathlib import Path

_SAMPLE_BYTES = 64 * 1024
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BIFF = re.compile(
    rb"\x09[\x00\x02\x04][\x04\x06\x08]\x00"
)  # a stream of Excel 2 to 4, without the container of later ones
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?><!--.*?-->\s*)*+<(?:!doctype\s+html|html|head|meta|style|body|table)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_SPREADSHEET_2003 = b"urn:schemas-microsoft-com:office:spreadsheet"


class Kind(StrEnum):
    """The kinds of file that can be read, each in words for the user."""

    WORKBOOK = "an Excel workbook"
    XLS = "an old Excel workbook (.xls)"
    XLSB = "a binary Excel workbook (.xlsb)"
    ODS = "an OpenDocument spreadsheet (.ods)"
    HTML = "a web page"
    XML_2003 = "an XML spreadsheet of Excel 2003"
    PARQUET = "a parquet file"
    JSON_LINES = "JSON"
    TEXT = "text"


SUFFIXES: dict[str, frozenset[Kind]] = {
    ".xlsx": frozenset({Kind.WORKBOOK}),
    ".xlsm": frozenset({Kind.WORKBOOK}),
    ".xls": frozenset({Kind.XLS}),
    ".xlsb": frozenset({Kind.XLSB}),
    ".ods": frozenset({Kind.ODS}),
    ".html": frozenset({Kind.HTML}),
    ".htm": frozenset({Kind.HTML}),
    ".xml": frozenset({Kind.XML_2003}),
    ".parquet": frozenset({Kind.PARQUET}),
    ".json": frozenset({Kind.JSON_LINES}),
    ".jsonl": frozenset({Kind.JSON_LINES}),
    ".ndjson": frozenset({Kind.JSON_LINES}),
    ".csv": frozenset({Kind.TEXT}),
    ".tsv": frozenset({Kind.TEXT}),
    ".tab": frozenset({Kind.TEXT}),
    ".txt": frozenset({Kind.TEXT}),
}
"""What a file of this name is expected to be."""


def kind_of(path: Path) -> Kind:
    """Tell a file's kind from its first bytes. Raises InputError for one that is missing or can't be read."""
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no file")
    try:
        with path.open("rb") as file:
            start = file.read(_SAMPLE_BYTES)
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror})") from None
    if start.startswith(b"PK"):
        return _kind_of_zip(path)
    if start.startswith(_OLE):
        # The container of a workbook with a password; that it is one is said when it is opened.
        return Kind.WORKBOOK if "EncryptedPackage".encode("utf-16-le") in _both_ends(path) else Kind.XLS
    if _BIFF.match(start):
        return Kind.XLS
    if is_parquet(start):
        return Kind.PARQUET
    if _SPREADSHEET_2003 in start and start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return Kind.HTML if _HTML.match(start) else Kind.XML_2003
    if _HTML.match(start.removeprefix(b"\xef\xbb\xbf").replace(b"\0", b"").removeprefix(b"\xff\xfe")):
        return Kind.HTML
    return Kind.JSON_LINES if is_json_lines(start) else Kind.TEXT


def misnamed(path: Path) -> str:
    """Say that a file is of another kind than its name promises; "" where it is not. Raises InputError."""
    kind = kind_of(path)
    expected = SUFFIXES.get(path.suffix.lower())
    return f"{path.name} is {kind}, not what its name says" if expected and kind not in expected else ""


def _kind_of_zip(path: Path) -> Kind:
    """Tell the zips apart; what is no sound zip is left to the reader of workbooks, which says why."""
    try:
        with open_zip(path, NO_LIMITS) as members:
            names = {name.replace("\\", "/").lower() for name in members.namelist()}
    except InputError:
        return Kind.WORKBOOK
    if "mimetype" in names and "content.xml" in names:
        return Kind.ODS
    return Kind.XLSB if "xl/workbook.bin" in names else Kind.WORKBOOK


def _both_ends(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(1 << 20)
        file.seek(max(0, path.stat().st_size - (1 << 20)))
        return start + file.read()
