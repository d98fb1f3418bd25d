"""Number formats: which style shows a number as so many zeros, and which one as a date.

Owns ECMA-376 part 1, 18.8.30 as far as codes and dates need it. Knows no cell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from enricher.sheets.xlsx.opc.markup import MAX_DIGITS, new_parser, parse
from enricher.sheets.xlsx.opc.refusals import unsound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from xml.parsers import expat

DateKind: TypeAlias = Literal["", "date", "time", "elapsed"]

_BUILT_IN_DATES: dict[int, DateKind] = {
    **dict.fromkeys((14, 15, 16, 17, 22, *range(27, 32), 36, *range(50, 59)), "date"),
    **dict.fromkeys((18, 19, 20, 21, *range(32, 36), 45, 47), "time"),
    46: "elapsed",
}
_ZEROS = re.compile(r"0+")
_MAX_ZEROS = 255
_MAX_FORMAT = 1_000  # Excel's own limit is 255 characters
_MAX_STYLES = 500_000  # Excel's own limit is 65,490
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
# Quoted text, escaped and padding characters, colours, conditions and locales: none of it is a date's letter.
_NOT_A_LETTER = re.compile(r'"[^"]*"?|\\.|[_*].|\[[^\]]*\]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Styles:
    """What each style of the workbook (the `s` of a cell) does to a number; both tuples by style."""

    zeros: tuple[int, ...]
    dates: tuple[DateKind, ...]

    def zeros_of(self, style: int) -> int:
        """Return the width of an all-zeros format, or 0."""
        return self.zeros[style] if style < len(self.zeros) else 0

    def date_of(self, style: int) -> DateKind:
        """Return what kind of date the style makes of a number, "" for none."""
        return self.dates[style] if style < len(self.dates) else ""


PLAIN = Styles((0,), ("",))


def read_styles(data: bytes, where: str) -> Styles:
    """Read styles.xml. Raises InputError."""
    parser = new_parser(where)
    reader = _Reader(parser, where)
    parse(parser, [data], where)
    numbers = set(reader.used)
    zeros = {number: zeros_in(reader.formats.get(number, "")) for number in numbers}
    dates = {number: _date_of(number, reader.formats) for number in numbers}
    return Styles(tuple(zeros[number] for number in reader.used), tuple(dates[number] for number in reader.used))


class _Reader:
    """The handlers: the formats that are named, and the format of every style a cell can have."""

    def __init__(self, parser: expat.XMLParserType, where: str) -> None:
        self.formats: dict[int, str] = {}
        self.used: list[int] = []
        self._where = where
        self._depth = 0
        self._inside = False
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if local == "numFmt" and "formatCode" in attributes:
            self.formats[_number(attributes.get("numFmtId"))] = attributes["formatCode"][:_MAX_FORMAT]
        elif self._depth == 1:
            self._inside = local == "cellXfs"
        elif self._inside and local == "xf":
            self.used.append(_number(attributes.get("numFmtId")))
        if len(self.used) > _MAX_STYLES or len(self.formats) > _MAX_STYLES:
            raise unsound(self._where, f"it has more than {_MAX_STYLES:,} styles")
        self._depth += 1

    def _end(self, _: str) -> None:
        self._depth -= 1


def zeros_in(code: str) -> int:
    """Return the width of a format that is all zeros for positive numbers, else 0.

    >>> zeros_in("000000000000"), zeros_in("0000000000000;-0"), zeros_in("0.00"), zeros_in("0")
    (12, 13, 0, 1)
    """
    first = code.partition(";")[0]
    return len(first) if _ZEROS.fullmatch(first) and len(first) <= _MAX_ZEROS else 0


def date_kind(code: str) -> DateKind:
    """Tell whether a format shows a number as a date, a time of day or an elapsed time.

    >>> date_kind("dd/mm/yyyy"), date_kind("h:mm"), date_kind("[h]:mm:ss")
    ('date', 'time', 'elapsed')
    >>> date_kind('0.00 "days"'), date_kind("[Red]0")
    ('', '')
    """
    first = code.partition(";")[0]
    if _ELAPSED.search(first):
        return "elapsed"
    letters = _NOT_A_LETTER.sub("", first).lower()
    if "general" in letters:
        return ""
    if "y" in letters or "d" in letters:
        return "date"
    if "h" in letters or "s" in letters:
        return "time"
    return "date" if "m" in letters else ""


def _date_of(number: int, formats: Mapping[int, str]) -> DateKind:
    return date_kind(formats[number]) if number in formats else _BUILT_IN_DATES.get(number, "")


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else 0
