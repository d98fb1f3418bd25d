"""How a text file is to be read: delimiter, quoting, line end, decimal mark. Decided by content, never by the name.

The encoding is `encoding`'s to find. Knows nothing of how records are written.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from enricher.sheets.csv.encoding import NAMES, errors_of, read_opening

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_SAMPLE_RECORDS = 500
_MAX_FIELD_CHARS = 64 * 1024 * 1024
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_DECLARED = re.compile(r'"?sep=([!#-/:-@\[-`{-~]|\t)"?[\r\n]', re.IGNORECASE)
"""Excel's own first line: it names the delimiter."""
_SPLIT_OR_QUOTED = re.compile(r'[,;\t|"]')
_TITLE_LINES = 50
_BLANK_WITHIN = 20
_FIRST_RECORD = 0.25
_HALF = 0.5
_LIKE_A_VALUE = re.compile(r"\s*(?:[0-9]{12,14}|B0[0-9A-Z]{8}|-?[0-9]+[.,][0-9]{2})\s*")
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
        return errors_of(self.encoding)

    @property
    def description(self) -> str:
        marks = _DELIMITERS.get(self.delimiter, f"divided by {self.delimiter}")
        bom = " with BOM" if self.has_bom else ""
        quotes = "" if self.quoting else ", quotes have no meaning"
        comma = ", decimal commas" if self.decimal == "," else ""
        return f"text, {marks}, {NAMES.get(self.encoding, self.encoding)}{bom}{quotes}{comma}"

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Cut lines into records of fields. Raises csv.Error."""
        csv.field_size_limit(_MAX_FIELD_CHARS)
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if self.quoting else csv.QUOTE_NONE
        return csv.reader(lines, delimiter=self.delimiter, quoting=quoting)


def detect(path: Path) -> Dialect:
    """Tell how a text file is to be read. Raises InputError for what is no table of text.

    Encoding: by the whole file. The rest: by its first MB, of that the first 500 records. A file of one column has
    the delimiter that cuts none of its fields; for a single record it may be anyone's guess.
    """
    opening = read_opening(path)
    plain = Dialect(opening.encoding, opening.has_bom, ",", quoting=True, line_end="\n", decimal=".")
    found = _dialect_of(opening.text, plain, opening.is_cut)
    return replace(found, line_end=_line_end(opening.text, found), decimal=_decimal(opening.text, found))


class _Rating(NamedTuple):
    """How well a dialect fits: compared from left to right.

    `share` of records that are as wide as most wide ones are, more where the first record is wide too: a delimiter
    that it lacks stands inside fields, not between them (decimal commas, lists in a cell). At a tie quoting comes
    before width, since a comma in every quoted field would make a wider table of broken fields, and so do whole
    codes and prices, since a price cut at its comma would too.
    """

    share: float
    quoting: bool
    values: int
    width: int
    split: int
    records: int
    first_split: bool


def _dialect_of(text: str, plain: Dialect, is_cut: bool) -> Dialect:  # noqa: FBT001 - of a private function
    declared = _DECLARED.match(text)
    if declared:
        text = text[declared.end() :].lstrip("\r\n")
        delimiters, has_title = [declared[1]], False
    else:
        table = _below_title(text)
        delimiters, has_title = list(_DELIMITERS), table != text
        text = table
    dialects = [
        replace(plain, delimiter=delimiter, quoting=quoting)
        for delimiter in delimiters
        for quoting in _quotings(text, replace(plain, delimiter=delimiter))
    ]
    ratings = {dialect: _rate(text, dialect, is_cut) for dialect in dialects}
    best = max(dialects, key=ratings.__getitem__)
    rating = ratings[best]
    # Or one column: its delimiter is then the one that cuts the fewest of its cells, and no code and no price.
    single = min(dialects, key=lambda dialect: (-ratings[dialect].values, ratings[dialect].split, not dialect.quoting))
    is_table = rating.split > rating.records * _HALF or (rating.first_split and not has_title)
    cuts_values = has_title and not ratings[single].split and ratings[single].values > rating.values
    return best if is_table and not cuts_values else single


def _below_title(text: str) -> str:
    """Leave out the first lines that no delimiter could cut: titles, blank lines."""
    lines = io.StringIO(text, newline="")
    start = 0
    for line in itertools.islice(lines, _TITLE_LINES):
        if _SPLIT_OR_QUOTED.search(line):
            return text[start:]
        start += len(line)
    return text


def _quotings(text: str, dialect: Dialect) -> tuple[bool, ...]:
    """Say what quotes may mean: where all quoted fields are whole, quotes; where they look like inch marks, nothing."""
    if '"' not in text:
        return (True,)
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter, strict=True):
            pass
    except csv.Error as error:
        if "unexpected end" in str(error):
            return True, False
    else:
        return (True,)
    mark = re.escape(dialect.delimiter)
    whole = broken = 0
    for quoted in re.finditer(rf'(?:(?<={mark})|^)"((?:[^"]|"")*+)"(.?)', text, re.MULTILINE | re.DOTALL):
        if quoted[2] not in {dialect.delimiter, "\r", "\n", ""}:
            broken += 1
        elif '""' in quoted[1] or dialect.delimiter in quoted[1] or "\n" in quoted[1]:
            return True, False
        else:
            whole += 1
    return (False,) if broken >= whole else (True, False)


def _rate(text: str, dialect: Dialect, is_cut: bool) -> _Rating:  # noqa: FBT001 - of a private function
    widths: list[int] = []
    values = 0
    after_blank: int | None = None
    try:
        records = dialect.reader(io.StringIO(text.lstrip("\r\n"), newline=""))  # blank lines may fill the sample
        for number, fields in enumerate(itertools.islice(records, _SAMPLE_RECORDS)):
            if fields:
                widths.append(len(fields))
                values += sum(_LIKE_A_VALUE.fullmatch(field) is not None for field in fields)
            elif after_blank is None and number < _BLANK_WITHIN:
                after_blank = len(widths)
    except csv.Error:
        return _Rating(0.0, dialect.quoting, 0, 0, 0, 0, first_split=False)
    if is_cut and widths and len(widths) < _SAMPLE_RECORDS - _BLANK_WITHIN:
        widths.pop()  # the sample ends in the middle of it
    wide = Counter(width for width in widths if width > 1)
    if not wide:
        return _Rating(0.0, dialect.quoting, values, 1, 0, len(widths), first_split=False)
    width, count = max(wide.items(), key=lambda pair: pair[1])
    firsts = (widths[0], widths[after_blank] if after_blank is not None and after_blank < len(widths) else widths[0])
    share = count / len(widths) + sum(_FIRST_RECORD for first in firsts if first > 1)
    return _Rating(share, dialect.quoting, values, width, wide.total(), len(widths), first_split=widths[0] > 1)


def _line_end(text: str, dialect: Dialect) -> str:
    """Name the line end of most records; of line breaks inside fields nothing is known to follow."""
    ends: Counter[str] = Counter()
    line = ""

    def tee() -> Iterator[str]:
        nonlocal line
        for each in io.StringIO(text, newline=""):
            line = each
            yield each

    for _ in itertools.islice(dialect.reader(tee()), _SAMPLE_RECORDS):
        ends[line[len(line.rstrip("\r\n")) :]] += 1
    del ends[""]
    return max(ends, key=ends.__getitem__) if ends else "\n"


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
