"""ASINs: Amazon's ten characters, which for a book are its ISBN-10. Knows nothing of cells and columns."""

from __future__ import annotations

import re

from enricher.codes import gtin, marketplaces

LENGTH = 10
_OWN = re.compile(r"B(?=[0-9A-Z]*[0-9])[0-9A-Z]{9}")
_ISBN10 = re.compile(r"[0-9]{9}[0-9X]")
_BOOKLAND = re.compile(r"978([0-9]{9})[0-9]")

_MARKED = re.compile(
    r"(?:^"
    r"|/(?:asin|cr|customer-reviews|detail/-|dp|glance|offer-listing|ol|product|product-reviews|reader|reviews?)/"
    r"|/d/(?:[^/?#\s]+/){0,3}"
    r"|[?&#;](?:creative)?asin(?:\.1)?=)([0-9A-Z]{10})(?![0-9A-Z])",
    re.IGNORECASE | re.ASCII,
)
"""Where an address has its ASIN. After Keepa's product number it stands at the very beginning."""
_SEGMENT = re.compile(r"(?<!/e)(?<!/author)/(B0[0-9A-Z]{8})(?![\w-])", re.IGNORECASE | re.ASCII)
"""A whole segment of a path, unless it is an author's number: those look the same (/Some-Author/e/B000AQ0842)."""


def is_own(code: str) -> bool:
    """Say whether this is an ASIN of Amazon's own numbering: B, then nine letters and digits.

    At least one is a digit, so that a ten-letter word is none.

    >>> is_own("B088H39PXX"), is_own("BASKETBALL")
    (True, False)
    """
    return _OWN.fullmatch(code) is not None


def is_isbn10(code: str) -> bool:
    """Say whether this is an ISBN-10 with the right check digit.

    >>> is_isbn10("0367672960"), is_isbn10("080442957X")
    (True, True)
    """
    return _ISBN10.fullmatch(code) is not None and code[-1] == _isbn10_check_digit(code[:-1])


def _isbn10_check_digit(body: str) -> str:
    """Return what completes nine digits (ISO 2108: weights 10 to 1, modulo 11)."""
    return "0123456789X"[-sum(int(digit) * (LENGTH - place) for place, digit in enumerate(body)) % 11]


def is_valid(code: str) -> bool:
    """Say whether Amazon may use this as an ASIN."""
    return is_own(code) or is_isbn10(code)


def to_isbn13(isbn10: str) -> str:
    """Return the EAN of a book, given its ISBN-10.

    >>> to_isbn13("080442957X")
    '9780804429573'
    """
    body = f"978{isbn10[:-1]}"
    return body + gtin.check_digit(body)


def from_isbn13(ean: str) -> str | None:
    """Return the ISBN-10 of a book's EAN; None for any other number, and for a 979: those have no ISBN-10.

    >>> from_isbn13("9780804429573"), from_isbn13("9791843123391"), from_isbn13("4006381333931")
    ('080442957X', None, None)
    """
    book = _BOOKLAND.fullmatch(ean)
    return book[1] + _isbn10_check_digit(book[1]) if book and gtin.is_valid(ean) else None


def from_url(text: str) -> tuple[str, str] | None:
    """Take the ASIN and the host out of an Amazon address; None where there is no ASIN in it.

    Of Keepa's addresses the host is that of the Amazon site they are about, so that its marketplace can be told.

    >>> from_url("https://www.amazon.co.uk/Some-Name/dp/b003e7une4?psc=1")
    ('B003E7UNE4', 'www.amazon.co.uk')
    >>> from_url("https://keepa.com/#!product/1-0367672960")
    ('0367672960', 'amazon.com')
    """
    for host, rest in marketplaces.addresses(text):
        # Another site's address may follow, and its numbers are not Amazon's.
        here = rest.partition("://")[0]
        for found in (*_MARKED.finditer(here), *_SEGMENT.finditer(here)):
            if is_valid(code := found[1].upper()):
                return code, host
    return None
