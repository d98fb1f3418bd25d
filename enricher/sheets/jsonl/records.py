"""A JSON file as objects, each with the bytes around it: nothing is lost, so that nothing need be written anew.

Owns what lies between objects: line ends and blank lines, or the brackets and commas of an array. Parses no object.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from enricher.errors import InputError
from enricher.sheets.jsonl.array import elements
from enricher.sheets.jsonl.record import MAX_OBJECT_BYTES, Record, too_long

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_SAMPLE_BYTES = 64 * 1024
_BLANKS = b" \t\r\n"
_MEMBER = rb'\{\s*(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"\s*:|\})'
_START = re.compile(rb"\s*(?:\[\s*)?" + _MEMBER, re.DOTALL)
_ARRAY = re.compile(rb"\s*\[")


def is_json_lines(start: bytes) -> bool:
    """Say whether a file that starts so holds JSON objects: one a line, or all in an array.

    >>> is_json_lines(b'{"asin": "B01"}'), is_json_lines(b'[1, 2]'), is_json_lines(b"asin,title")
    (True, False, False)
    """
    return _START.match(start.removeprefix(codecs.BOM_UTF8)) is not None


def records(path: Path) -> Iterator[Record]:
    """Cut a file into records. Raises InputError where an object is too long, or an array is none."""
    with path.open("rb") as file:
        start = file.read(_SAMPLE_BYTES)
        bom = codecs.BOM_UTF8 if start.startswith(codecs.BOM_UTF8) else b""
        file.seek(len(bom))
        yield from elements(file, bom, path.name) if _ARRAY.match(start, len(bom)) else _lines(file, bom, path.name)


def _lines(file: BinaryIO, bom: bytes, name: str) -> Iterator[Record]:
    number = 0
    while line := file.readline(MAX_OBJECT_BYTES + 1):
        number += 1
        if len(line) > MAX_OBJECT_BYTES:
            raise InputError(f"{name}, line {number}: {too_long()}")
        rest = line.lstrip(_BLANKS)
        body = rest.rstrip(_BLANKS)
        before = line[: len(line) - len(rest)]
        yield Record(number, bom + before, body, rest[len(body) :])
        bom = b""
