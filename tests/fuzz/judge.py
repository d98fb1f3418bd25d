"""Whether an output is what it should be, by other means than the program's own: zip bytes, openpyxl, csv, pyarrow.

Runs in a process of its own, for what judges is no better guarded against odd files than any library.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import json
import sys
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from enricher.sheets import open_sources
from tests.fuzz import zips
from tests.fuzz.serving import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from enricher.sheets.csv.dialect import Dialect

_ZIP, _PARQUET = b"PK\x03\x04", b"PAR1"
_TEXTS = {".csv", ".tsv", ".txt", ".tab"}
_MOST_COMPARED_BYTES = 200_000


def judge(request: dict[str, Any]) -> dict[str, Any]:
    """Compare `output` with `input`; `wrong` is what is wrong with it, or empty."""
    before, after = Path(request["input"]), Path(request["output"])
    old, new = before.read_bytes(), after.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return {"wrong": _wrong(before, after, old, new)}
        except (UnicodeError, json.JSONDecodeError, zipfile.BadZipFile) as error:
            return {"wrong": f"{type(error).__name__}: {error}"}


def _wrong(before: Path, after: Path, old: bytes, new: bytes) -> str:
    suffix = after.suffix.lower()
    if suffix == ".xlsx":
        return _workbook(before, after, old, new)
    if suffix == ".parquet":
        return _parquet(before, after, is_one=old.startswith(_PARQUET))
    if suffix == ".jsonl":
        return _json_lines(old, new)
    if suffix in _TEXTS:
        return _text(before, new, is_same=suffix in {".txt", before.suffix.lower()})
    return f"nobody asked for {suffix}"


# --- workbooks --------------------------------------------------------------------------------------------------


def _workbook(before: Path, after: Path, old: bytes, new: bytes) -> str:
    is_own = zips.is_workbook(old)
    first = _opened(before) if is_own else None
    second = _opened(after)
    if isinstance(second, str):
        return "" if isinstance(first, str) else f"openpyxl can't open the output: {second}"
    wrong = zips.difference(old, new) if is_own else ""
    if wrong or first is None or isinstance(first, str):
        return wrong
    return _cells(first, second) if len(old) <= _MOST_COMPARED_BYTES and zips.has_only_cells(old) else ""


def _opened(path: Path) -> openpyxl.Workbook | str:
    try:
        with path.open("rb") as file:
            return openpyxl.load_workbook(file)
    except Exception as error:  # noqa: BLE001 - openpyxl raises whatever comes along
        return f"{type(error).__name__}: {error}"


def _cells(first: openpyxl.Workbook, second: openpyxl.Workbook) -> str:
    if first.sheetnames != second.sheetnames:
        return f"sheets {second.sheetnames} for {first.sheetnames}"
    for page in first.worksheets:
        twin = second[page.title]
        for row in page.iter_rows():
            for cell in row:
                if cell.value is None:
                    continue
                other = twin[cell.coordinate]
                if repr(other.value) != repr(cell.value) and not hasattr(cell.value, "__dict__"):
                    return f"cell {page.title}!{cell.coordinate} {cell.value!r:.80} became {other.value!r:.80}"
    return ""


# --- texts ------------------------------------------------------------------------------------------------------


def _text(before: Path, new: bytes, *, is_same: bool) -> str:
    source = open_sources(before)[0]
    dialect: Dialect | None = getattr(source, "dialect", None)
    if dialect is None or (not is_same and new.startswith(codecs.BOM_UTF8)):  # a new CSV always has one
        new.decode("utf-8-sig")
        return ""
    old = before.read_bytes()
    text, result = (data.decode(dialect.encoding, dialect.errors) for data in (old, new))
    if text.encode(dialect.encoding, dialect.errors) != old:
        return f"{dialect.encoding} loses bytes"
    pairs = list(zip(*(_records(one, dialect) for one in (text, result)), strict=False))
    counts = [sum(1 for _ in _records(one, dialect)) for one in (text, result)]
    if counts[0] != counts[1]:
        return f"{counts[1]} records for {counts[0]}"
    for number, (record, longer) in enumerate(pairs, 1):
        bare, wide = record.rstrip("\r\n"), longer.rstrip("\r\n")
        if not wide.startswith(bare) or record[len(bare) :] != longer[len(wide) :]:
            return f"record {number} {record!r:.100} became {longer!r:.100}"
        if len(wide) > len(bare) and not wide[len(bare) :].startswith(dialect.delimiter):
            return f"record {number}: {wide[len(bare) :]!r:.60} stands where a delimiter should"
    return ""


def _records(text: str, dialect: Dialect) -> Iterator[str]:
    raw: list[str] = []

    def tee() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            raw.append(line)
            yield line

    for _ in dialect.reader(tee()):
        yield "".join(raw)
        raw.clear()


# --- parquet and JSON lines -------------------------------------------------------------------------------------


def _parquet(before: Path, after: Path, *, is_one: bool) -> str:
    try:
        table = pq.read_table(after, page_checksum_verification=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        return f"pyarrow can't read the output: {error}"
    if not is_one:
        return ""
    original = pq.read_table(before)
    if len(table) != len(original):
        return f"{len(table)} rows for {len(original)}"
    for at, field in enumerate(original.schema):
        if table.schema.field(at) != field or not table.column(at).equals(original.column(at)):
            if "double" in str(field.type) or "float" in str(field.type):
                continue  # NaN equals nothing
            return f"column {field.name!r} is not what it was"
    return ""


def _json_lines(old: bytes, new: bytes) -> str:
    for line in new.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        if line.strip():
            json.loads(line)
    before, after = (data.split(b"\n") for data in (old, new))
    first = old.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]
    try:
        if not isinstance(json.loads(first), dict):
            return ""
    except ValueError:  # no JSON lines any more: it was read as text
        return ""
    if len(before) != len(after):
        return f"{len(after)} lines for {len(before)}"
    for number, (line, longer) in enumerate(zip(before, after, strict=True), 1):
        start = line.rstrip(b" \t\r").removesuffix(b"}")
        if not longer.startswith(start):
            return f"line {number} {line[:80]!r} became {longer[:80]!r}"
    return ""


if __name__ == "__main__":
    with contextlib.suppress(OverflowError):
        csv.field_size_limit(2**30)
    sys.setrecursionlimit(10_000)
    serve(judge)
