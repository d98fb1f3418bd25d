"""What the text of a header tells: a kind of code, or that an earlier run added the column. Knows no cells."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from enricher.model import FIELDS, LOOKUP_FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

_KINDS = {
    "asin": {"asin", "asin1", "asins", "asincode"},
    "upc_e": {"upce"},
    "ean8": {"ean8", "gtin8"},
    "isbn": {"isbn", "isbn10"},
    "upc": {"upc", "upca", "upcs", "upccode", "upc12", "gtin12", "standardupc"},
    "ean": {"ean", "ean13", "eans", "eancode", "jan", "jan13", "isbn13", "gtin13"},
    "gtin": {
        "gtin",
        "gtins",
        "gtincode",
        "gtin14",
        "itf14",
        "barcode",
        "barcodes",
        "barkod",
        "barkodu",
        "karekod",
        "strichcode",
        "barre",
        "barres",
        "barras",
        "codebarre",
        "codebarres",
        "streepjescode",
        "kreskowy",
        "streckkod",
        "strekkode",
        "stregkode",
        "viivakoodi",
        "バーコード",
        "条码",
        "条形码",
        "штрихкод",
    },
}
"""The words of headers for each kind of code: English, Turkish, German, French, Italian, Spanish, Dutch, Polish,
Swedish, Norwegian, Danish, Finnish, Japanese, Chinese, Russian. The first kind that has a word of a header wins."""
_PAIRS = {frozenset({"ean", "8"}): "ean8", frozenset({"gtin", "8"}): "ean8", frozenset({"isbn", "13"}): "ean"}
_UPC_E = re.compile(r"\bupc(?:[-_]?e| e$)(?![-\w])", re.IGNORECASE)
GTIN_HEADERS = frozenset({"upc", "ean", "gtin", "upc_e", "ean8"})
_NEVER = {"fnsku", "sku", "skus", "price", "qty", "quantity", "prix", "preis", "precio", "prezzo", "stock"}
_OTHER_ARTICLE = {"parent", "case", "carton", "karton", "caja", "box", "pack", "outer", "inner", "master", "pallet"}
_OTHER_ARTICLE |= {"competitor", "variation", "old", "colis", "umkarton", "bundle", "related", "bought"}
_CODE_WORDS = {"code", "codes", "codigo", "código", "codice", "kod", "kodu", "productid", "identifier"}


def kind_of_header(name: str) -> str | None:
    """Return the kind of code a header names (asin, isbn, upc, upc_e, ean, ean8, gtin), or None.

    >>> kind_of_header("Product Codes: EAN"), kind_of_header("fnsku"), kind_of_header("Barkod (EAN Number)")
    ('ean', None, 'ean')
    """
    words = words_of(name) | set(re.split(r"[\W_]+", name.casefold()))  # EANcode is one word, or three
    if words & _NEVER:
        return None
    if _UPC_E.search(name):
        return "upc_e"
    for pair, kind in _PAIRS.items():
        if pair <= words:
            return kind
    return next((kind for kind, known in _KINDS.items() if words & known), None)


def names_some_code(name: str) -> bool:
    """Say whether a header speaks of a code, of whatever kind: Code, product-id, Codigo."""
    words = words_of(name)
    return not words & _NEVER and bool(words & _CODE_WORDS or {"product", "id"} <= words)


def names_another_article(name: str) -> bool:
    """Say whether a header speaks of a code that is not the row's own article: its case, its parent, a rival."""
    return bool(words_of(name) & _OTHER_ARTICLE)


def words_of(name: str) -> set[str]:
    """Return the words of a header, in lower case; sellerSku has two, and so has JAN before Japanese letters.

    >>> sorted(words_of("external_product_id")), sorted(words_of("sellerSku"))
    (['external', 'id', 'product'], ['seller', 'sku'])
    """
    spaced = re.sub(
        r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=[^\x00-\u024f])|(?<=[^\x00-\u024f])(?=[A-Za-z])",
        " ",
        name,
    )
    return set(re.split(r"[\W_]+", spaced.casefold()))


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
