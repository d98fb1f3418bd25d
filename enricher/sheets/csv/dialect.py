"""How a text file is to be read: encoding, delimiter, quoting, decimal mark. Decided by content, never by the name."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import charset_normalizer

from enricher.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_SAMPLE_BYTES = 1024 * 1024
_SAMPLE_RECORDS = 500
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_OTHER_SCRIPTS = ("cp1251", "cp1253", "cp1255", "cp1256", "shift_jis", "gb18030", "euc_kr", "cp1252")
"""What a file in runs of foreign bytes may be. Not big5: Python does not encode all that it decodes from it."""
_FOREIGN_RUN = re.compile("[\udc80-\udcff]+")  # bytes that are no UTF-8
_RUNS_SHARE = 0.4
_FIRST_RECORD = 0.5
_LIKE_A_CODE = re.compile(r"\s*(?:[0-9]{12,14}|B0[0-9A-Z]{8})\s*")
_DECIMAL_COMMA = re.compile(r"-?\d{1,3}(?:\.?\d{3})*,\d{1,4}")
_DECIMAL_POINT = re.compile(r"-?\d{1,3}(?:,?\d{3})*\.\d{1,4}")


@dataclass(frozen=True, slots=True)
class Dialect:
    """`quoting`: a field may stand in double quotes. `line_end` and `decimal` are for what is added."""

    encoding: str
    has_bom: bool
    delimiter: str
    quoting: bool
    line_end: str
    decimal: str

    @property
    def errors(self) -> str:
        """The error handler that gives back undecodable bytes as they were."""
        return "surrogatepass" if self.encoding.startswith("utf-16") else "surrogateescape"

    @property
    def description(self) -> str:
        quotes = "" if self.quoting else ", quotes have no meaning"
        comma = ", decimal commas" if self.decimal == "," else ""
        return (
            f"text, {_DELIMITERS[self.delimiter]}, {self.encoding}{' with BOM' if self.has_bom else ''}{quotes}{comma}"
        )

    def leaves_quote_open(self, record: str) -> bool:
        """Say whether the text of a file's last record ends inside a quoted field."""
        if not self.quoting:
            return False
        try:
            list(csv.reader([record], delimiter=self.delimiter, strict=True))
        except csv.Error as error:
            return "unexpected end of data" in str(error)
        return False

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Cut lines into records of fields. Raises csv.Error."""
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if self.quoting else csv.QUOTE_NONE
        return csv.reader(lines, delimiter=self.delimiter, quoting=quoting)


def detect(path: Path) -> Dialect:
    """Look at the start of a text file. Raises InputError for what is no table of text."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
    if not sample.strip():
        raise InputError(f"{path.name} is empty")
    encoding, bom = _encoding(sample)
    text = sample[len(bom) :].decode(encoding, "ignore" if encoding.startswith("utf-16") else "replace")
    if text.count("\0") > len(text) // 100:
        raise InputError(f"{path.name} is neither a spreadsheet nor a table of text")
    is_cut = len(sample) == _SAMPLE_BYTES
    line_end = "\r\n" if "\r\n" in text else "\n" if "\n" in text else "\r" if "\r" in text else "\n"
    dialects = [
        Dialect(encoding, bool(bom), delimiter, quoting, line_end, ".")
        for delimiter in _DELIMITERS
        for quoting in (True, False)
    ]
    best = max(dialects, key=lambda dialect: _fitness(text, dialect, is_cut=is_cut))
    return replace(best, decimal=_decimal(text, best))


def _encoding(sample: bytes) -> tuple[str, bytes]:
    for bom, encoding in _BOMS:
        if sample.startswith(bom):
            return encoding, bom
    if sample[1:200:2].count(0) > len(sample[1:200:2]) // 2:
        return "utf-16-le", b""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8", b""
    # Accents of western languages stand alone between ASCII letters; other scripts come in runs.
    runs = [len(run) for run in _FOREIGN_RUN.findall(sample.decode("utf-8", "surrogateescape"))]
    if sum(length for length in runs if length > 1) < sum(runs) * _RUNS_SHARE:
        return "cp1252", b""
    # Only the lines with foreign bytes tell anything; the rest would drown them.
    telling = b"\n".join(line for line in sample.splitlines() if not line.isascii())[:65536]
    best = charset_normalizer.from_bytes(telling, cp_isolation=list(_OTHER_SCRIPTS)).best()
    return (best.encoding if best is not None else "cp1252"), b""


def _fitness(text: str, dialect: Dialect, *, is_cut: bool) -> tuple[float, bool, int, int]:
    """Rate a dialect: by the share of records as wide as most are, and then by what the fields look like.

    A delimiter that the first record lacks stands inside fields, not between them: decimal commas, lists in a cell.
    At a tie quoting comes before width, since a comma in every quoted field would make a wider table of broken
    fields, and whole codes come before width, since a price cut at its comma would too.
    """
    widths: list[int] = []
    codes = 0
    try:
        for fields in itertools.islice(dialect.reader(io.StringIO(text, newline="")), _SAMPLE_RECORDS):
            if fields:
                widths.append(len(fields))
                codes += sum(_LIKE_A_CODE.fullmatch(field) is not None for field in fields)
    except csv.Error:
        return 0.0, dialect.quoting, 0, 0
    if is_cut and len(widths) < _SAMPLE_RECORDS:
        widths.pop()  # the sample ends in the middle of it
    wide = Counter(width for width in widths if width > 1)
    if not wide:
        return 0.0, dialect.quoting, codes, 1
    width, count = max(wide.items(), key=lambda pair: pair[1])
    share = count / len(widths) + (_FIRST_RECORD if widths[0] > 1 else 0.0)
    return share, dialect.quoting, codes, width


def _decimal(text: str, dialect: Dialect) -> str:
    """Say which decimal mark the file's own numbers have, so that the new ones look alike."""
    if dialect.delimiter == ",":
        return "."
    commas = points = 0
    for line in text.splitlines()[:_SAMPLE_RECORDS]:
        for field in line.split(dialect.delimiter):
            bare = field.strip().strip('"')
            commas += _DECIMAL_COMMA.fullmatch(bare) is not None
            points += _DECIMAL_POINT.fullmatch(bare) is not None
    return "," if commas > points else "."
