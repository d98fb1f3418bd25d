"""What the text of a header tells: a kind of code, or that an earlier run added the column. Knows no cells."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from enricher.model import FIELDS, LOOKUP_FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADER_WORDS = {
    "asin": ("asin", "asin1"),
    "isbn": ("isbn", "isbn10"),
    "upc": ("upc", "upca", "standardupc"),
    "ean": ("ean", "ean13", "ean8", "eans", "jan", "isbn13"),
    "gtin": ("gtin", "gtin12", "gtin13", "gtin14", "barcode", "barcodes", "barkod", "strichcode"),
}
_NEVER = {"fnsku", "sku", "price", "qty", "quantity"}


def kind_of_header(name: str) -> str | None:
    """Return the kind of code a header names (asin, isbn, upc, ean, gtin), or None.

    >>> kind_of_header("Product Codes: EAN"), kind_of_header("fnsku"), kind_of_header("Barkod (EAN Number)")
    ('ean', None, 'ean')
    """
    words = words_of(name)
    if words & _NEVER:
        return None
    kinds = [kind for kind, known in _HEADER_WORDS.items() if words & set(known)]
    return kinds[0] if kinds else None


def words_of(name: str) -> set[str]:
    """Return the words of a header, in lower case; sellerSku has two."""
    return set(re.split(r"[\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()))


def is_never_codes(name: str) -> bool:
    """Say whether a header names something that only looks like codes: an FNSKU, a SKU, a price."""
    return bool(words_of(name) & _NEVER)


def added_before(names: Sequence[str]) -> list[int]:
    """Find the columns that earlier runs added: each time some fields, under any prefix, and then LOOKUP_FIELDS."""
    bare = [re.sub(r"_[0-9]+$", "", name) for name in names]
    count = len(LOOKUP_FIELDS)
    found: list[int] = []
    for start in range(len(bare) - count + 1):
        if tuple(bare[start : start + count]) == LOOKUP_FIELDS:
            found += range(start - _fields_before(bare[:start]), start + count)
    return found


def _fields_before(names: Sequence[str]) -> int:
    """Count how many names at the end are fields, all with the prefix that the last of them has."""
    nearest = names[-1] if names else ""
    prefixes = [nearest.removesuffix(field) for field in FIELDS if nearest.endswith(field)]
    ours = {prefix + field for prefix in prefixes for field in FIELDS}
    return len(list(itertools.takewhile(ours.__contains__, reversed(names))))
