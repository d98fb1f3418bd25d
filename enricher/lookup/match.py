"""Which item of a reply answers which code. The API promises neither order nor completeness (API.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from enricher.model import CodeType, gtin_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from enricher.model import Item, Key

_GTIN_FIELDS = ("upc", "ean", "upcList", "eanList")


@dataclass(frozen=True, slots=True)
class Matched:
    """The items of each key of a chunk (none: not found), and how many were left over.

    `strays` are about codes that nobody asked for; `nameless` say too little to tell what they are about.
    """

    items: Mapping[Key, tuple[Item, ...]]
    strays: int
    nameless: int


def match(keys: Sequence[Key], items: Iterable[Item]) -> Matched:
    """Hand out the items of one reply to the keys of its chunk.

    ASINs match by `asin`, UPCs and EANs by any of the item's own, compared as GTINs; one item may answer several codes.
    """
    answers: dict[Key, list[Item]] = {key: [] for key in keys}
    wanted = {_identity(key): answers[key] for key in keys}
    strays = nameless = 0
    for item in items:
        names = _asins(item) if keys[0].code_type is CodeType.ASIN else _gtins(item)
        hits = names & wanted.keys()
        for name in hits:
            if item not in wanted[name]:  # said twice, it is one product all the same
                wanted[name].append(item)
        strays += bool(names) and not hits
        nameless += not names
    return Matched({key: tuple(found) for key, found in answers.items()}, strays, nameless)


def _identity(key: Key) -> str | int:
    return key.code if key.code_type is CodeType.ASIN else int(key.code)


def _asins(item: Item) -> set[str | int]:
    asin = item.get("asin")
    return {asin.upper()} if isinstance(asin, str) else set()


def _gtins(item: Item) -> set[str | int]:
    """Collect every GTIN of an item, as the number that its padded forms share."""
    found: set[str | int] = set()
    for name in _GTIN_FIELDS:
        value = item.get(name)
        for text in value if isinstance(value, list) else [value]:
            number = gtin_value(text) if isinstance(text, str) else None
            if number:
                found.add(number)
    return found
