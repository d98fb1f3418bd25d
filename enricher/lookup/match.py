"""Which item of a reply answers which code. The API promises neither order nor completeness (API.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enricher.model import CodeType, gtin_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from enricher.model import Item, Key

_GTIN_FIELDS = ("upc", "ean", "upcList", "eanList")


def match(keys: Sequence[Key], items: Iterable[Item]) -> tuple[dict[Key, tuple[Item, ...]], int]:
    """Hand out the items of one reply to the keys of its chunk.

    Returns the items of every key (an empty tuple: not found), and how many items nobody asked for. ASINs match by
    `asin`, UPCs and EANs by any of the item's own, compared as GTINs; one item may answer several codes.
    """
    answers: dict[Key, list[Item]] = {key: [] for key in keys}
    wanted = {_identity(key): answers[key] for key in keys}
    strays = 0
    for item in items:
        names = {str(item.get("asin")).upper()} if keys[0].code_type is CodeType.ASIN else _gtins(item)
        hits = names & wanted.keys()
        strays += not hits
        for name in hits:
            wanted[name].append(item)
    return {key: tuple(found) for key, found in answers.items()}, strays


def _identity(key: Key) -> str | int:
    return key.code if key.code_type is CodeType.ASIN else int(key.code)


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
