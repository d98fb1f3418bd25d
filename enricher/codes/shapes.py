"""The shapes of cells: so many digits, and which checks they pass. Words only; `digits` works them out.

A cell may pass several checks by chance (58 % of UPC-Es are valid EAN-8s, too), so a shape says what a cell can be.
What it is worth is decided by `verdicts`, once for each shape that a column has.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag, auto
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

MOST_TAIL = 6
"""Zeros at the end that no spreadsheet leaves by chance: one genuine number in a million ends so."""


class Can(IntFlag):
    """What a cell's text passes for. For shorter numbers the check is that of the number with its zeros restored."""

    NOTHING = 0
    ASIN = auto()
    """B0 and eight letters or digits."""
    ASIN_LIKE = auto()
    """Another B and nine more: an ASIN in a column of ASINs."""
    ISBN10 = auto()
    GTIN = auto()
    """The check digit of a GTIN; 7, 10 and 11 digits: of the EAN-8 or UPC that lost zeros."""
    UPC_E = auto()
    RESTRICTED = auto()
    """A prefix for shops' own numbers and coupons."""
    CASE = auto()
    """A GTIN-14 with an indicator from 1 to 8."""
    MEASURE = auto()
    """A GTIN-14 with the indicator 9: goods of variable weight."""
    BOOK = auto()
    """An ISBN-13 that begins with 978, so that the book has an ISBN-10, too."""
    UPC = auto()
    """A GTIN that has a form of 12 digits."""
    DATE = auto()
    ZERO_KEPT = auto()
    """The text begins with a zero, so no spreadsheet has dropped any."""
    PADDED = auto()
    """Zeros in front beyond the form the number is in now."""
    SHOWN = auto()
    """The zeros in front are those that the cell's number format shows."""
    NUMERIC = auto()
    LETTERS = auto()
    """The value is read in base 36."""
    FNSKU = auto()
    WRITTEN_OUT = auto()
    """It was in scientific notation, with all its digits."""
    LOST = auto()
    """It is in scientific notation, and digits are missing; `digits` tells how many it had."""
    FLOAT32 = auto()
    """As exact as a float of 32 bits can hold it, which one genuine 13-digit number in 200,000 is."""
    ZEROS = auto()
    ISBN13 = auto()
    SEVERAL = auto()
    """There are several codes in the cell, and the first valid one was taken."""
    FROM_TEXT = auto()
    FROM_ADDRESS = auto()
    ISBN10_PADDED = auto()
    """12 to 14 digits that are an ISBN-10 behind zeros."""
    OTHER_SITE = auto()
    """The address of a marketplace that the service does not offer."""


class Shape(NamedTuple):
    """All that matters about a cell's text. `digits` is 0 for what is no number, `tail` counts zeros at the end."""

    digits: int
    can: Can
    tail: int = 0


@dataclass(frozen=True, slots=True)
class Shapes:
    """The shapes of many cells; one element a cell, same order. `can` 0 and `digits` 0: nothing is known (yet)."""

    digits: npt.NDArray[np.uint8]
    can: npt.NDArray[np.int64]
    tail: npt.NDArray[np.uint8]
    values: npt.NDArray[np.uint64]

    @classmethod
    def empty(cls, count: int) -> Shapes:
        """Return so many cells of which nothing is known."""
        return cls(
            np.zeros(count, np.uint8), np.zeros(count, np.int64), np.zeros(count, np.uint8), np.zeros(count, np.uint64)
        )

    def put(self, rows: npt.NDArray[np.intp], other: Shapes) -> None:
        """Take over what is now known of some rows."""
        for name in self.__slots__:
            getattr(self, name)[rows] = getattr(other, name)

    def known(self) -> npt.NDArray[np.bool_]:
        """Say which cells are numbers or ASINs."""
        known: npt.NDArray[np.bool_] = (self.digits > 0) | (self.can > 0)
        return known
