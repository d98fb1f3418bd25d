"""The kinds of cells a column is counted by, for people: one name for each of the many shapes."""

from __future__ import annotations

from enum import StrEnum

from enricher.codes import asin, gtin
from enricher.codes.shapes import Can, Shape


class Kind(StrEnum):
    """What a cell holds, by itself. Whether it is used is the column's verdict."""

    ASIN = "asin"
    ISBN10 = "isbn10"
    ISBN10_LOST_ZERO = "isbn10_lost_zero"
    GTIN8 = "gtin8"
    UPC_E = "upc_e"
    GTIN12 = "gtin12"
    GTIN13 = "gtin13"
    GTIN14 = "gtin14"
    CASE = "case"
    """A GTIN-14 of a case, or of goods by weight."""
    PADDED = "padded"
    IN_STORE = "in_store"
    SEVERAL = "several"
    LOST_ZERO = "lost_zero"
    BAD_CHECK = "bad_check"
    SCIENTIFIC = "scientific"
    ZEROS = "zeros"
    DATE = "date"
    FNSKU = "fnsku"
    OTHER = "other"
    BLANK = "blank"


_BY_FLAG = (
    (Can.SEVERAL, Kind.SEVERAL),
    (Can.LOST, Kind.SCIENTIFIC),
    (Can.ZEROS, Kind.ZEROS),
    (Can.ASIN, Kind.ASIN),
    (Can.FNSKU, Kind.FNSKU),
    (Can.DATE, Kind.DATE),
)
_BY_DIGITS = {
    gtin.EAN8_DIGITS: Kind.GTIN8,
    gtin.UPC_DIGITS - 1: Kind.LOST_ZERO,
    gtin.UPC_DIGITS: Kind.GTIN12,
    gtin.EAN_DIGITS: Kind.GTIN13,
    gtin.MAX_DIGITS: Kind.GTIN14,
}


def kind_of(shape: Shape) -> Kind:
    """Name what a cell of this shape holds.

    >>> kind_of(Shape(13, Can.GTIN)), kind_of(Shape(12, Can.NUMERIC))
    (<Kind.GTIN13: 'gtin13'>, <Kind.BAD_CHECK: 'bad_check'>)
    """
    for flag, kind in _BY_FLAG:
        if shape.can & flag:
            return kind
    if shape.can & Can.GTIN and shape.digits in _BY_DIGITS:
        return _gtin(shape)
    if shape.can & Can.ISBN10 and shape.digits <= asin.LENGTH:
        return Kind.ISBN10 if shape.digits == asin.LENGTH else Kind.ISBN10_LOST_ZERO
    if shape.can & Can.UPC_E and shape.digits == gtin.EAN8_DIGITS:
        return Kind.UPC_E
    is_whole = shape.digits == gtin.EAN8_DIGITS or gtin.UPC_DIGITS <= shape.digits <= gtin.MAX_DIGITS
    return Kind.BAD_CHECK if is_whole else Kind.OTHER


def _gtin(shape: Shape) -> Kind:
    if shape.can & Can.RESTRICTED:
        return Kind.IN_STORE
    if shape.can & (Can.CASE | Can.MEASURE):
        return Kind.CASE
    return Kind.PADDED if shape.can & Can.PADDED else _BY_DIGITS[shape.digits]
