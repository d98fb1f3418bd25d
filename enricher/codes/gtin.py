"""GTINs: UPC-A, EAN-8, EAN-13 and GTIN-14 are one family of numbers with one check digit.

Source: GS1 General Specifications, section 7.9 (check digit), 1.4 (prefixes) and 7.10 (UPC-E). Numbers come as text,
or as arrays of integers. Knows nothing of cells and columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

UPC_DIGITS, EAN_DIGITS, MAX_DIGITS = 12, 13, 14
EAN8_DIGITS = 8

_RESTRICTED_RANGES = ((20, 30), (40, 60), (200, 300), (980, 1000))
_RESTRICTED = np.zeros(1000, np.bool_)
"""By GS1 prefix: numbers that mean something in one shop or one campaign only."""
for _first, _end in _RESTRICTED_RANGES:
    _RESTRICTED[_first:_end] = True


def check_digit(body: str) -> str:
    """Return the check digit that completes `body`, whatever its length.

    >>> check_digit("01234567890")
    '5'
    """
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return str(-weighted % 10)


def is_valid(number: str) -> bool:
    """Say whether a string of digits ends in its own check digit.

    >>> is_valid("4006381333931"), is_valid("098765432109")
    (True, False)
    """
    return check_digit(number[:-1]) == number[-1]


def valid_array(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Do the same for many numbers of up to 14 digits at once; leading zeros don't matter to the sum."""
    valid: npt.NDArray[np.bool_] = _weighted_sums(values) % np.uint64(10) == 0
    return valid


def _weighted_sums(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    total = np.zeros(len(values), np.uint64)
    rest = values
    for place in range(MAX_DIGITS):
        rest, digit = np.divmod(rest, np.uint64(10))
        total += digit if place % 2 == 0 else digit * np.uint64(3)
    return total


def restricted_array(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Say which GTIN-12s and -13s, given as numbers, are no global articles: in-store numbers, weights, coupons."""
    restricted: npt.NDArray[np.bool_] = _RESTRICTED[values // np.uint64(10**10)]
    return restricted


def is_restricted(ean: str) -> bool:
    """Say the same of one GTIN, written with 13 digits.

    >>> is_restricted("2012345678900"), is_restricted("0012345678905")
    (True, False)
    """
    return bool(_RESTRICTED[int(ean[:3])])


def is_upc_e(number: str) -> bool:
    """Say whether eight digits are a valid zero-suppressed UPC-E.

    >>> is_upc_e("04182635")
    True
    """
    return number[0] in "01" and check_digit(expand_upc_e(number)[:-1]) == number[-1]


def expand_upc_e(number: str) -> str:
    """Write out the UPC-A that an eight-digit UPC-E stands for.

    >>> expand_upc_e("04182635")
    '041800000265'
    """
    system, body, check = number[0], number[1:7], number[7]
    last = body[5]
    if last in "012":
        middle = body[:2] + last + "0000" + body[2:5]
    elif last == "3":
        middle = body[:3] + "00000" + body[3:5]
    elif last == "4":
        middle = body[:4] + "00000" + body[4]
    else:
        middle = body[:5] + "0000" + last
    return system + middle + check


def expand_upc_e_array(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Write out many UPC-Es, given as numbers: what `expand_upc_e` does to one.

    >>> int(expand_upc_e_array(np.array([4182635], np.uint64))[0])
    41800000265
    """
    rest, check = np.divmod(values, np.uint64(10))
    system, body = np.divmod(rest, np.uint64(10**6))
    five, last = np.divmod(body, np.uint64(10))
    cases = [last <= 2, last == 3, last == 4]  # noqa: PLR2004 - the standard's own cases
    kept = np.select(cases, [np.uint64(1000), np.uint64(100), np.uint64(10)], np.uint64(1))
    item = np.where(last <= 4, five % kept, last)  # noqa: PLR2004
    manufacturer = five // kept * kept + np.where(cases[0], last * np.uint64(100), np.uint64(0))
    expanded: npt.NDArray[np.uint64] = (
        (system * np.uint64(10**5) + manufacturer) * np.uint64(10**5) + item
    ) * np.uint64(10) + check
    return expanded


def units_array(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return the article inside each case: its GTIN-14 without the indicator, and with a check digit of its own.

    >>> int(units_array(np.array([14006381333938], np.uint64))[0])
    4006381333931
    """
    bodies = values % np.uint64(10**13) // np.uint64(10) * np.uint64(10)
    return bodies + check_digits_array(bodies)


def check_digits_array(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return the digit that each number should end in."""
    sums = _weighted_sums(values // np.uint64(10) * np.uint64(10))
    digits: npt.NDArray[np.uint64] = (np.uint64(10) - sums % np.uint64(10)) % np.uint64(10)
    return digits
