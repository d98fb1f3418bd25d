"""Names of new columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def unique_names(taken: Iterable[str], names: Iterable[str]) -> list[str]:
    """Give every new column a name of its own, whatever its case: Excel's tables refuse two alike.

    >>> unique_names(["SKU", "Amazon_Title"], ["amazon_title", "amazon_brand"])
    ['amazon_title_2', 'amazon_brand']
    """
    used = {name.casefold() for name in taken}
    unique = []
    for name in names:
        candidate, number = name, 1
        while candidate.casefold() in used:
            number += 1
            candidate = f"{name}_{number}"
        used.add(candidate.casefold())
        unique.append(candidate)
    return unique
