"""ASINs: Amazon's ten characters, which for a book are its ISBN-10. Knows nothing of cells and columns."""

from __future__ import annotations

import re

LENGTH = 10
_OWN = re.compile(r"B(?=[0-9A-Z]*[0-9])[0-9A-Z]{9}")
_ISBN10 = re.compile(r"[0-9]{9}[0-9X]")
_URL_PATHS = re.compile(
    r"(?:/dp/(?:product/)?|/gp/(?:aw/d/|product/(?:glance/)?|offer-listing/)|/exec/obidos/(?:tg/detail/-/|ASIN/)"
    r"|/o/ASIN/|/d/(?:[^/?]+/)*|/product/|[?&]asin=)([0-9A-Z]{10})(?![0-9A-Z])",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?:https?://)?([\w.-]*amazon\.[a-z.]+|a\.co|amzn\.[a-z]+)(?=[/?:]|$)", re.IGNORECASE)


def is_own(code: str) -> bool:
    """Say whether this is an ASIN of Amazon's own numbering: B, then nine letters and digits.

    At least one is a digit, so that a ten-letter word is none.

    >>> is_own("B088H39PXX"), is_own("BASKETBALL")
    (True, False)
    """
    return _OWN.fullmatch(code) is not None


def is_isbn10(code: str) -> bool:
    """Say whether this is an ISBN-10 with the right check digit (ISO 2108: weights 10 to 1, modulo 11).

    >>> is_isbn10("0367672960"), is_isbn10("080442957X")
    (True, True)
    """
    if not _ISBN10.fullmatch(code):
        return False
    digits = [10 if char == "X" else int(char) for char in code]
    return sum(digit * (10 - place) for place, digit in enumerate(digits)) % 11 == 0


def is_valid(code: str) -> bool:
    """Say whether Amazon may use this as an ASIN."""
    return is_own(code) or is_isbn10(code)


def from_url(text: str) -> tuple[str, str] | None:
    """Take the ASIN and the host out of an Amazon address; None where there is no ASIN in it.

    >>> from_url("https://www.amazon.co.uk/Some-Name/dp/b003e7une4?psc=1")
    ('B003E7UNE4', 'www.amazon.co.uk')
    """
    host, code = _HOST.search(text), _URL_PATHS.search(text)
    if host is None or code is None or not is_valid(code[1].upper()):
        return None
    return code[1].upper(), host[1].lower()
