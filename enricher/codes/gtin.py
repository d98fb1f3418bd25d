"""GTINs: UPC-A, EAN-8, EAN-13 and GTIN-14 are one family of numbers with one check digit.

Source: GS1 General Specifications, section 7.9 (check digit) and 1.4 (prefixes). Knows nothing of cells and columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

UPC_DIGITS, EAN_DIGITS, MAX_DIGITS = 12, 13, 14
EAN8_DIGITS = 8

_RESTRICTED = ((20, 30), (40, 60), (200, 300), (980, 985), (990, 1000))
"""GS1 prefixes, first and end, of numbers that mean something in one shop or one campaign only."""


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
    total = np.zeros(len(values), np.uint64)
    rest = values.copy()
    for place in range(MAX_DIGITS):
        rest, digit = np.divmod(rest, np.uint64(10))
        total += digit if place % 2 == 0 else digit * np.uint64(3)
    valid: npt.NDArray[np.bool_] = total % np.uint64(10) == 0
    return valid


def restricted_array(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Say which GTIN-12s and -13s, given as numbers, are no global articles: in-store numbers, weights, coupons."""
    prefix = values // np.uint64(10**10)
    found = np.zeros(len(values), np.bool_)
    for first, end in _RESTRICTED:
        found |= (prefix >= first) & (prefix < end)
    return found


def is_restricted(ean: str) -> bool:
    """Say the same of one GTIN, written with 13 digits.

    >>> is_restricted("2012345678900"), is_restricted("0012345678905")
    (True, False)
    """
    return any(first <= int(ean[:3]) < end for first, end in _RESTRICTED)


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
