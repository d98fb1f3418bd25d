"""The products the sandbox sells: which items answer a code in a marketplace.

Owns the catalog, its index by GTIN, and the rule that an offer belongs to its marketplace while a product's identity
is the same everywhere. Knows no keys, no tokens and no HTTP.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from enricher.errors import InputError
from enricher.model import CodeType, Domain, Item, gtin_value
from enricher.sandbox.files import read_rows
from enricher.sandbox.money import format_price
from enricher.sandbox.rows import Columns, RowError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OFFER_KEYS = frozenset({"bsr", "lowestNewPrice", "lowestFormattedPrice", "soldByAmazon", "totalNew"})
"""The keys of an item that are true of one marketplace only; all others are the product's identity."""

_Offers: TypeAlias = dict[Domain | None, Item]
"""One product: its rows by marketplace (None: holds in all of them). The first one is its identity elsewhere."""


class Catalog:
    """Products by ASIN and by GTIN, immutable once made; answers in constant time.

    `rows` are products under any of the names that files may use (the API's item keys, enricher's field names, or
    price, currency, marketplace, all_eans, image), one for each product and marketplace. Of two rows for the same
    ASIN in the same marketplace the later one counts. Raises InputError naming row and column.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        self._products: dict[str, _Offers] = {}
        self._by_gtin: dict[int, list[str]] = {}
        self._add("catalog", enumerate(rows, start=1))

    @classmethod
    @cache
    def shipped(cls) -> Self:
        """Return the thousand invented products that come with the package. None of them exists."""
        with resources.as_file(resources.files(__package__) / "catalog.jsonl") as path:
            return cls.load(path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Load a .csv, .jsonl or .parquet file. Raises InputError naming file, row and column."""
        catalog = cls()
        catalog._add(str(path), read_rows(Path(path)))
        return catalog

    def __len__(self) -> int:
        return len(self._products)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the ASINs, in the catalog's order."""
        return iter(self._products)

    def lookup(self, code_type: CodeType, code: str, domain: Domain) -> list[Item]:
        """Return the items of one code, as `domain` has them: none, one, or for a shared GTIN several.

        ASINs match as written, in capitals. UPCs and EANs match as GTINs, whatever their leading zeros, against all
        UPCs and EANs of a product: they are one number system (GS1 General Specifications, "GTIN").
        """
        if code_type is CodeType.ASIN:
            asins = [code] if code in self._products else []
        else:
            value = gtin_value(code)
            asins = [] if value is None else self._by_gtin.get(value, [])
        return [_item_in(self._products[asin], domain) for asin in asins]

    def _add(self, source: str, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        # Files of one format have the same columns in every row, or nearly: a handful of readers serves a million.
        readers: dict[tuple[str, ...], Columns] = {}
        for number, row in rows:
            names = tuple(row)
            try:
                if names not in readers:
                    readers[names] = Columns(names)
                item, domain = readers[names].read(row)
            except RowError as error:
                raise InputError(f"{source}, row {number}, {error}") from None
            self._products.setdefault(item["asin"], {})[domain] = item
            for code in (item["upc"], item["ean"], *(item["upcList"] or ()), *(item["eanList"] or ())):
                self._index(code, item["asin"])

    def _index(self, code: str | None, asin: str) -> None:
        value = None if code is None else gtin_value(code)
        if value is not None:
            asins = self._by_gtin.setdefault(value, [])
            if asin not in asins:
                asins.append(asin)


def _item_in(offers: _Offers, domain: Domain) -> Item:
    identity = next(iter(offers.values()))
    offer = offers.get(domain) or offers.get(None)
    item: Item = {}
    for key, known in identity.items():
        value = offer[key] if offer is not None else None
        if value is None and key not in OFFER_KEYS:
            value = known
        # A copy: whoever changes an answer must not change the catalog.
        item[key] = list(value) if isinstance(value, list) else value
    if item["lowestFormattedPrice"] is None and item["lowestNewPrice"] is not None:
        item["lowestFormattedPrice"] = format_price(item["lowestNewPrice"], domain)
    return item
