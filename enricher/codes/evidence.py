"""What a whole column tells about its cells: which readings hold throughout, and which would be chance.

One number in ten has the right check digit by chance. So a doubtful reading is believed only where it holds for
nearly all cells of the same length. Owns those thresholds; knows nothing of rows and keys.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from enricher.codes import asin, gtin
from enricher.codes.headers import GTIN_HEADERS
from enricher.codes.shapes import MOST_TAIL, Can, Shape
from enricher.model import CodeType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MAJORITY = 0.5
_NEARLY_ALL = 0.9
_NEARLY_ALL_TO_ONE = 9
_CHANCE_SHARE = 0.25
"""Of numbers without check digits a tenth passes by chance."""
_ROUNDED_SHARE = 0.3
"""Of the numbers that end in so many zeros: more wrong ones than that, and they were rounded."""
_TELLING_TAIL = 3
"""One number in a thousand ends so; a single wrong one is no accident."""
_CERTAIN_TAILS = {gtin.EAN8_DIGITS: 4}
"""Zeros at the end that no spreadsheet leaves by chance, where numbers are shorter than usual."""
_FLOAT_SHARE = 0.002
_ENOUGH = 10
_FEW = 3
_LENGTHS = range(gtin.UPC_DIGITS, gtin.MAX_DIGITS + 1)
_POOLED = {gtin.EAN8_DIGITS, *_LENGTHS}
_CHECKS = (Can.NOTHING, Can.GTIN, Can.UPC_E, Can.ISBN10)
_MARKS = Can.PADDED | Can.SHOWN | Can.FROM_ADDRESS
"""Numbers that bear different marks come from different places, and are judged apart."""


class Claim(StrEnum):
    """What the type column beside a code says it is (Amazon's `product-id-type`)."""

    ASIN = "asin"
    ISBN = "isbn"
    UPC = "upc"
    EAN = "ean"
    GTIN = "gtin"


@dataclass(frozen=True)
class Evidence:
    """What is known of a column: the type the user wants, the kind its header names, and how often each shape occurs.

    Blank cells are not in the census.
    """

    wanted: CodeType | None = None
    header: str | None = None
    census: Mapping[Shape, int] = field(default_factory=dict)

    @cached_property
    def filled(self) -> int:
        """Cells that are not blank."""
        return sum(self.census.values())

    @cached_property
    def asins(self) -> int:
        """Cells that are ASINs, or 10 digits with the check digit of an ISBN-10."""
        return self._count(lambda shape: bool(shape.can & Can.ASIN) or (shape.digits == asin.LENGTH and is_isbn(shape)))

    @cached_property
    def gtins(self) -> int:
        """Cells that are 12 to 14 digits with the right check digit."""
        return self._count(lambda shape: shape.digits in _LENGTHS and bool(shape.can & Can.GTIN))

    @property
    def is_gtin_column(self) -> bool:
        """Whether most cells are UPCs and EANs, or have to be."""
        if self.wanted in {CodeType.UPC, CodeType.EAN}:
            return True
        return self.gtins > max(_MAJORITY * self.filled, self.asins)

    @property
    def is_asin_column(self) -> bool:
        """Whether ten digits or a B are more likely an ASIN than anything else."""
        if self.wanted is CodeType.ASIN:
            return True
        if self.header in GTIN_HEADERS:
            return False
        return self.header is not None or self.asins > self.gtins

    @cached_property
    def _right(self) -> Counter[tuple[int, Can, Can]]:
        """Cells by digits, marks and check passed; under no check all of the group."""
        counts: Counter[tuple[int, Can, Can]] = Counter()
        for shape, count in self.census.items():
            if shape.digits and not shape.can & (Can.LOST | Can.ZEROS):
                for check in _CHECKS:
                    if check is Can.NOTHING or shape.can & check:
                        counts[shape.digits, shape.can & _MARKS, check] += count
        return counts

    def _score(self, shape: Shape, check: Can) -> tuple[int, int]:
        """Count how many numbers like this one pass a check, and how many fail it."""
        group = shape.digits, shape.can & _MARKS
        right = self._right[*group, check]
        return right, self._right[*group, Can.NOTHING] - right

    def holds(self, shape: Shape, check: Can) -> bool:
        """Say whether a check holds for nearly all of the column's numbers of this length."""
        right, wrong = self._score(shape, check)
        return right >= _NEARLY_ALL_TO_ONE * wrong

    def often(self, shape: Shape, check: Can, least: int = _FEW) -> bool:
        """Say whether a check has held more often than by chance."""
        return self._score(shape, check)[0] >= least

    def trusts(self, shape: Shape, check: Can) -> bool:
        """Say whether numbers of this length that pass a check are right, and not by chance.

        Where half of them fail, a ninth of the others pass by chance. A few are judged with the rest of the column.
        """
        right, wrong = self._score(shape, check)
        if wrong >= _FEW or right >= max(_FEW, _NEARLY_ALL_TO_ONE * wrong):
            return right >= wrong
        if right + wrong < _ENOUGH and check is Can.GTIN:
            groups = {group[:2] for group in self._right if group[0] in _POOLED}
            right = sum(self._right[*group, check] for group in groups)
            wrong = sum(self._right[*group, Can.NOTHING] for group in groups) - right
        return right + wrong < _ENOUGH or right >= wrong

    def lacks_checks(self, shape: Shape) -> bool:
        """Say whether numbers of this length have no check digits here: no more pass than by chance."""
        right, wrong = self._score(shape, Can.GTIN)
        return right + wrong >= _ENOUGH and right < _CHANCE_SHARE * (right + wrong)

    def has_upc_es(self, shape: Shape) -> bool:
        """Say whether there are UPC-Es for sure among the numbers of eight digits: some that are no EAN-8s."""
        marks = shape.can & _MARKS
        return (
            sum(
                count
                for other, count in self.census.items()
                if other.digits == gtin.EAN8_DIGITS
                and other.can & _MARKS == marks
                and other.can & Can.UPC_E
                and not other.can & Can.GTIN
            )
            >= _FEW
        )

    @cached_property
    def keeps_zeros(self) -> bool:
        """Whether there are codes whose zeros in front are there, in texts."""
        lengths = {asin.LENGTH, *_LENGTHS}
        return any(shape.digits in lengths and shape.can & Can.ZERO_KEPT for shape in self.census)

    @cached_property
    def has_isbn10s(self) -> bool:
        """Whether there are ISBN-10s with all their digits, and not by chance."""
        whole = Shape(asin.LENGTH, Can.NOTHING)
        return self.often(whole, Can.ISBN10) and self.trusts(whole, Can.ISBN10)

    @cached_property
    def is_of_books(self) -> bool:
        """Whether most of the UPCs and EANs are ISBN-13s."""
        books = self._count(lambda shape: bool(shape.can & Can.ISBN13) and bool(shape.can & Can.GTIN))
        return 2 * books > self.gtins

    def eights(self, shape: Shape) -> Literal["ean8", "upc_e"] | None:
        """Say what numbers of eight digits are here: the check that nearly all pass, if many fail the other."""
        group = gtin.EAN8_DIGITS, shape.can & _MARKS
        total, ean8, upc_e = (self._right[*group, check] for check in (Can.NOTHING, Can.GTIN, Can.UPC_E))
        found: Literal["ean8", "upc_e"] | None = None
        if upc_e >= _NEARLY_ALL * total and total - ean8 >= _FEW:
            found = "upc_e"
        elif ean8 >= _NEARLY_ALL * total and total - upc_e >= _FEW:
            found = "ean8"
        if self.header == "ean8":
            return None if found == "upc_e" else "ean8"
        return ("upc_e" if found != "ean8" else None) if self.header == "upc_e" else found

    def is_rounded(self, shape: Shape) -> bool:
        """Say whether a number has been rounded: too many zeros at its end, or as many as the wrong ones here have."""
        certain = _CERTAIN_TAILS.get(shape.digits, MOST_TAIL)
        if shape.tail >= certain or (shape.can & Can.FLOAT32 and self._is_of_floats):
            return True
        return shape.tail >= self._rounded_from[shape.digits] and not shape.can & Can.PADDED

    @cached_property
    def _is_of_floats(self) -> bool:
        """Whether more numbers fit 32 bits than one in 200,000, which is chance."""
        return self._count(lambda shape: bool(shape.can & Can.FLOAT32)) > _FLOAT_SHARE * self.filled

    @cached_property
    def _rounded_from(self) -> dict[int, int]:
        """How many zeros at the end give a rounded number away here, by digits.

        Rounding breaks nine check digits of ten, so among numbers that end in zeros the wrong ones pile up.
        """
        tails: Counter[tuple[int, int, bool]] = Counter()
        for shape, count in self.census.items():
            if not shape.can & (Can.PADDED | Can.LOST | Can.LETTERS):
                check = Can.GTIN if shape.digits > asin.LENGTH else Can.GTIN | Can.UPC_E | Can.ISBN10
                length = gtin.EAN_DIGITS if shape.digits in _LENGTHS else shape.digits
                tails[length, shape.tail, bool(shape.can & check)] += count
        found: dict[int, int] = defaultdict(lambda: MOST_TAIL + 1)
        for length in {length for length, _, _ in tails}:
            first = self._first_rounded(
                {tail: (tails[length, tail, True], tails[length, tail, False]) for tail in range(MOST_TAIL + 1)}
            )
            found.update(dict.fromkeys(_LENGTHS if length == gtin.EAN_DIGITS else [length], first))
        return found

    @staticmethod
    def _first_rounded(counts: Mapping[int, tuple[int, int]]) -> int:
        """Find the shortest tail among whose numbers the wrong ones pile up, given (right, wrong) for each."""
        right, wrong = counts[0]
        others = wrong / max(1, wrong + right)
        for tail in range(1, _TELLING_TAIL):
            right, wrong = counts[tail]
            if wrong > _FEW and wrong > max(_ROUNDED_SHARE, 2 * others) * (right + wrong):
                return tail
        right, wrong = (sum(counts[tail][at] for tail in range(_TELLING_TAIL, MOST_TAIL)) for at in (0, 1))
        return _TELLING_TAIL if wrong and wrong > 2 * others * (right + wrong) else MOST_TAIL + 1

    def _count(self, is_counted: Callable[[Shape], bool]) -> int:
        return sum(count for shape, count in self.census.items() if is_counted(shape))


def is_isbn(shape: Shape) -> bool:
    """Say whether a cell has the check digit of an ISBN-10, its lost zeros restored."""
    return bool(shape.can & Can.ISBN10)
