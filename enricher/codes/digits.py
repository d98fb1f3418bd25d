"""Bare texts to shapes, by arithmetic alone and whole columns at a time.

Knows the check digits and prefixes of GTINs, ISBN-10s and ASINs; nothing of headers, columns and what was asked for.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from enricher.codes import asin, gtin
from enricher.codes.shapes import MOST_TAIL, Can, Shapes
from enricher.keys import EAN8_END, read_digits

if TYPE_CHECKING:
    from enricher.cells import Cells

_Column = npt.NDArray[np.uint8]
"""The digits at one place of many texts of the same length."""

_LONGEST = 18
"""Digits that still fit into 64 bits, and longer than any padding seen."""
_X = ord("X") - ord("0")
_WIDTHS = (gtin.EAN8_DIGITS, asin.LENGTH, gtin.UPC_DIGITS, gtin.EAN_DIGITS, gtin.MAX_DIGITS)

_LONGEST_CELL = 4_096
"""Characters of a cell that are looked at: the first of several codes counts, and looking costs many times the size."""


def trimmed(cells: Cells) -> pa.StringArray:
    """Return the cells' texts without white space around them, and of long ones the start; nothing is an empty text."""
    text = pc.fill_null(pc.utf8_trim_whitespace(cells.text), "")
    longest = pc.max(pc.binary_length(text)).as_py() or 0
    return text if longest <= _LONGEST_CELL else pc.utf8_slice_codeunits(text, 0, _LONGEST_CELL)


def shapes_of(text: pa.StringArray, numeric: npt.NDArray[np.bool_], zeros: npt.NDArray[np.uint8]) -> Shapes:
    """Work out the shapes of bare texts: digits, or the ten characters of an ASIN. Others stay unknown.

    `zeros` is the width of an all-zeros number format, 0 where there is none.
    """
    shapes = Shapes.empty(len(text))
    lengths = pc.binary_length(text).to_numpy()
    for length in range(1, _LONGEST + 1):
        rows = np.flatnonzero(lengths == length)
        if not len(rows):
            continue
        columns = _columns(text, rows, length)
        digits = functools.reduce(np.maximum, columns) <= 9  # noqa: PLR2004 - letters wrap around
        if digits.any():
            rows_here, columns_here = (
                (rows, columns) if digits.all() else (rows[digits], [column[digits] for column in columns])
            )
            shapes.put(rows_here, _numbers(columns_here, numeric[rows_here], zeros[rows_here]))
        if 8 <= length <= asin.LENGTH and not digits.all():  # noqa: PLR2004 - an ISBN-10 that lost two zeros
            others = ~digits
            shapes.put(rows[others], _with_letters([column[others] for column in columns]))
    return shapes


def _columns(text: pa.StringArray, rows: npt.NDArray[np.intp], length: int) -> list[_Column]:
    """Take texts of one length apart, place by place, each byte less "0"."""
    _, offsets, data = text.buffers()
    starts = np.frombuffer(offsets, np.int32)[text.offset + rows].astype(np.intp)
    raw = np.frombuffer(data, np.uint8)
    return [raw[place:].take(starts) - np.uint8(ord("0")) for place in range(length)]


def _numbers(columns: list[_Column], numeric: npt.NDArray[np.bool_], zeros: npt.NDArray[np.uint8]) -> Shapes:
    """Work out the shapes of numbers with the same count of digits."""
    length, rows = len(columns), len(columns[0])
    values = _value(columns)
    can = np.where(numeric, np.int64(Can.NUMERIC), np.int64(0))
    can[columns[0] == 0] |= Can.ZERO_KEPT
    can[values == 0] |= Can.ZEROS
    shapes = Shapes(np.full(rows, length, np.uint8), can, np.zeros(rows, np.uint8), values)
    if length > gtin.MAX_DIGITS:
        _unpad(shapes)
    widened = (zeros > length) & np.isin(zeros, _WIDTHS)
    shapes.digits[widened] = zeros[widened]
    can[widened] |= Can.SHOWN
    if length <= gtin.MAX_DIGITS:
        can[_sum_mod_10(columns) == 0] |= Can.GTIN
    else:
        can[gtin.valid_array(values)] |= Can.GTIN
    if 7 <= length <= gtin.MAX_DIGITS:  # noqa: PLR2004 - an ISBN-10 that lost three zeros, or got four
        isbn10 = Can.ISBN10 if length <= asin.LENGTH else Can.ISBN10_PADDED
        can[(_sum_mod_11(columns) == 0) & (values < np.uint64(10**asin.LENGTH))] |= isbn10
    if length in {7, gtin.EAN8_DIGITS}:
        short = values < np.uint64(2 * 10**7)
        full = gtin.expand_upc_e_array(values[short])
        short[short] = gtin.valid_array(full) & (full >= np.uint64(EAN8_END))  # below, GS1 has EAN-8s
        can[short] |= Can.UPC_E
    if length == gtin.EAN8_DIGITS:
        can[_is_date(values)] |= Can.DATE
    _whole_numbers(shapes)
    return shapes


def _unpad(shapes: Shapes) -> None:
    """Take zeros off numbers of more than 14 digits, down to the form they can be in."""
    values = shapes.values
    padded = values < np.uint64(10**gtin.MAX_DIGITS)
    shapes.can[padded] |= Can.PADDED
    shapes.digits[padded] = gtin.MAX_DIGITS
    shapes.digits[padded & (values < np.uint64(10**gtin.EAN_DIGITS))] = gtin.EAN_DIGITS
    # Below this a number padded so far is as likely a shop's own as a GTIN; an EAN-8 has to be proved by the column.
    too_short = values < np.uint64(10**10)
    shapes.digits[too_short] = 1
    shapes.digits[(values < np.uint64(EAN8_END)) & (values >= np.uint64(10**7))] = gtin.EAN8_DIGITS
    shapes.can[too_short] &= ~Can.ZERO_KEPT


def _whole_numbers(shapes: Shapes) -> None:
    """Add what the prefixes and the last digits of UPCs, EANs and GTIN-14s say."""
    values, can, digits = shapes.values, shapes.can, shapes.digits
    _count_tails(shapes)
    # GS1 keeps the prefixes 0000000-0000099 free, so that a padded EAN-8 is no other number.
    padded_ean8 = (
        (digits >= gtin.UPC_DIGITS) & (values < np.uint64(EAN8_END)) & (values > 0) & ((can & Can.PADDED) == 0)
    )
    digits[padded_ean8] = gtin.EAN8_DIGITS
    can[padded_ean8] |= Can.PADDED
    eight = digits == gtin.EAN8_DIGITS
    if eight.any():
        first = values // np.uint64(10**7)
        can[eight & ((first == 0) | (first == 2))] |= Can.RESTRICTED  # noqa: PLR2004 - a shop's own EAN-8s
    long = digits >= gtin.UPC_DIGITS - 1
    if not long.any():
        return
    indicator, article = np.divmod(values, np.uint64(10**gtin.EAN_DIGITS))
    prefix = article // np.uint64(10**10)
    can[long & gtin.restricted_array(article)] |= Can.RESTRICTED
    can[long & (prefix == 978)] |= Can.BOOK | Can.ISBN13  # noqa: PLR2004 - Bookland
    can[long & (prefix == 979)] |= Can.ISBN13  # noqa: PLR2004 - no ISBN-10 there
    can[long & (values < np.uint64(10**gtin.UPC_DIGITS))] |= Can.UPC
    can[long & (indicator >= 1) & (indicator <= 8)] |= Can.CASE  # noqa: PLR2004 - GS1's indicators of cases
    can[long & (indicator == 9)] |= Can.MEASURE  # noqa: PLR2004 - and of weights
    even = np.flatnonzero(long & (values & np.uint64(0xFFF) == 0))  # what 24 bits hold ends in zeros
    can[even[values[even].astype(np.float32).astype(np.uint64) == values[even]]] |= Can.FLOAT32


def _count_tails(shapes: Shapes) -> None:
    """Count zeros at the end, up to MOST_TAIL."""
    ends = np.flatnonzero((shapes.values % np.uint64(10) == 0) & (shapes.values > 0))
    for zeros in range(1, MOST_TAIL + 1):
        ends = ends[shapes.values[ends] % np.uint64(10**zeros) == 0]
        shapes.tail[ends] = zeros


def _with_letters(columns: list[_Column]) -> Shapes:
    """Work out the shapes of texts of 8 to 10 characters that are no numbers: ASINs, and ISBN-10s that end in X."""
    rows = len(columns[0])
    raw = np.stack([column + np.uint8(ord("0")) for column in columns], axis=1)
    at, values = read_digits(raw, 36)
    shapes = Shapes.empty(rows)
    can = np.zeros(rows, np.int64)
    ends_in_x = (functools.reduce(np.maximum, columns[:-1]) <= 9) & (columns[-1] == _X)  # noqa: PLR2004
    with_ten = [*columns[:-1], np.full(rows, 10, np.uint8)]
    can[ends_in_x] |= Can.LETTERS
    can[ends_in_x & (columns[0] == 0)] |= Can.ZERO_KEPT
    can[ends_in_x & (_sum_mod_11(with_ten) == 0)] |= Can.ISBN10
    if len(columns) == asin.LENGTH:
        own = raw[:, 0] == ord("B")
        certain = own & (raw[:, 1] == ord("0"))
        has_digit = functools.reduce(np.minimum, columns) <= 9  # noqa: PLR2004
        can[certain] |= Can.ASIN | Can.LETTERS
        typed_o = raw[:, 1] == ord("O")  # in the place of the zero
        can[own & ~certain & ~typed_o & has_digit] |= Can.ASIN_LIKE | Can.LETTERS
        can[(raw[:, 0] == ord("X")) & (raw[:, 1] == ord("0"))] |= Can.FNSKU | Can.LETTERS
    shapes.values[at] = values
    shapes.can[at] = can[at]
    shapes.digits[:] = np.where(ends_in_x, len(columns), 0)
    return shapes


def _value(columns: list[_Column]) -> npt.NDArray[np.uint64]:
    """Read digits, nine at a time in 32 bits, which is twice as fast as in 64."""
    values = np.zeros(len(columns[0]), np.uint64)
    for start in range(0, len(columns), 9):
        part = columns[start : start + 9]
        value = np.zeros(len(columns[0]), np.uint32)
        for column in part:
            value = value * np.uint32(10) + column
        values = values * np.uint64(10 ** len(part)) + value
    return values


def _sum_mod_10(columns: list[_Column]) -> _Column:
    """Weigh digits 1, 3, 1, ... from the right: at most 252 for 14 digits, so 8 bits are enough."""
    total = np.zeros(len(columns[0]), np.uint8)
    for place, column in enumerate(reversed(columns)):
        total += column if place % 2 == 0 else column * np.uint8(3)
    return total % np.uint8(10)


def _sum_mod_11(columns: list[_Column]) -> npt.NDArray[np.uint16]:
    """Weigh digits 1, 2, 3, ... from the right, as ISBN-10 does."""
    total = np.zeros(len(columns[0]), np.uint16)
    for place, column in enumerate(reversed(columns)):
        total += column * np.uint16(place + 1)
    return total % np.uint16(11)


def _is_date(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Say which eight digits are a date from 1900 on, year or day first."""
    first, last = np.divmod(values, np.uint64(10_000))
    is_date: npt.NDArray[np.bool_] = _is_year(first) & _is_day(*np.divmod(last, np.uint64(100)))
    return is_date | (_is_year(last) & _is_day(*np.divmod(first, np.uint64(100))[::-1]))


def _is_year(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    return (values >= 1900) & (values < 2100)  # noqa: PLR2004


def _is_day(month: npt.NDArray[np.uint64], day: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    return (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)  # noqa: PLR2004
