"""Places on a worksheet: column letters and areas such as A1:G37.

Owns the arithmetic of references. Knows no file. Rows are numbered from 1 as Excel shows them, columns from 0.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_COLUMNS = 16_384
MAX_ROWS = 1_048_576
DIGITS = "0123456789"
_MAX_LETTERS = 3
_AREA = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})(?::\$?([A-Za-z]{1,3})\$?([0-9]{1,7}))?")


class _Columns(dict[str, int]):
    """Letters to column, remembered: a lookup is a third of the cost of working them out for each cell."""

    def __missing__(self, letters: str) -> int:
        if not (len(letters) <= _MAX_LETTERS and letters.isascii() and letters.isalpha()):
            raise ValueError(f"{letters[:20]!r} is no column")
        column = 0
        for letter in letters.upper():
            column = column * 26 + ord(letter) - 64
        if column > MAX_COLUMNS:
            raise ValueError(f"{letters} is right of the last column a worksheet has")
        self[letters] = column - 1
        return column - 1


COLUMNS = _Columns()


class Area(NamedTuple):
    """A rectangle of cells, all four edges included."""

    top: int
    left: int
    bottom: int
    right: int

    def meets(self, other: Area) -> bool:
        """Tell whether the two share a cell.

        >>> Area(1, 0, 5, 6).meets(Area(5, 6, 9, 9))
        True
        """
        return (
            self.top <= other.bottom
            and other.top <= self.bottom
            and self.left <= other.right
            and other.left <= self.right
        )

    def __str__(self) -> str:
        first = f"{letters_of(self.left)}{self.top}"
        last = f"{letters_of(self.right)}{self.bottom}"
        return first if first == last else f"{first}:{last}"


def letters_of(column: int) -> str:
    """Name a column.

    >>> letters_of(0), letters_of(26), letters_of(16383)
    ('A', 'AA', 'XFD')
    """
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def parse_area(reference: str) -> Area | None:
    """Read a reference; None for whole columns or rows, lists of areas, and nonsense.

    >>> parse_area("$A$5:G37")
    Area(top=5, left=0, bottom=37, right=6)
    >>> parse_area("A:C"), parse_area("A0:B2"), parse_area("A1:XFE2")
    (None, None, None)
    """
    match = _AREA.fullmatch(reference.strip())
    if match is None:
        return None
    first_letters, first_row, last_letters, last_row = match.groups()
    try:
        left = COLUMNS[first_letters]
        right = COLUMNS[last_letters or first_letters]
    except ValueError:
        return None
    top, bottom = int(first_row), int(last_row or first_row)
    if not (0 < top <= MAX_ROWS and 0 < bottom <= MAX_ROWS):
        return None
    return Area(min(top, bottom), min(left, right), max(top, bottom), max(left, right))
