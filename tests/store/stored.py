"""What the tests of the store put into it, and how they look at it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from enricher.keys import pack
from enricher.model import Answer, CodeType, Domain, Key

if TYPE_CHECKING:
    from enricher.keys import KeyArray
    from enricher.store import Store

UPC = Key(CodeType.UPC, Domain.DE, "012345678905")
EAN = Key(CodeType.EAN, Domain.DE, "4006381333931")
ASIN = Key(CodeType.ASIN, Domain.COM, "B088H39PXX")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ITEM = {"asin": "B088H39PXX", "title": "Dart Board", "bsr": 95, "lowestNewPrice": 22.79, "upcList": ["793610399007"]}


def packed(*keys: Key) -> KeyArray:
    return np.array([pack(key) for key in keys], np.uint64)


def answer(key: Key, *items: dict[str, Any], at: datetime = NOON) -> Answer:
    return Answer(key, items, at)


def ean(number: int) -> Key:
    """One of many keys."""
    return Key(CodeType.EAN, Domain.DE, f"{4_000_000_000_000 + number}")


def titles(store: Store, *keys: Key) -> list[list[str | None]]:
    """The titles of each key's newest answer."""
    products, key_at = store.latest(packed(*keys))
    read = products.table(["title"])["title"].to_pylist()
    return [
        [title for title, at in zip(read, key_at.tolist(), strict=True) if at == place] for place in range(len(keys))
    ]
