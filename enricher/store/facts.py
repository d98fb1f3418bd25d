"""What a resume file holds, in figures. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from enricher.keys import market_of, markets_of

if TYPE_CHECKING:
    from enricher.model import CodeType, Domain
    from enricher.store.answers import Answers, IntArray


@dataclass(frozen=True, slots=True)
class Group:
    """The keys of one type and marketplace: how many, and how many of them were found."""

    code_type: CodeType
    domain: Domain
    keys: int
    found: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Figures of a resume file. Times are in milliseconds since 1970 UTC.

    `keys`, `found`, `products`, `asked_ms` and `groups` are about the newest answers: `products` counts their rows,
    `asked_ms` tells when each key was last asked for. `answers` counts all there ever were, `unfolded` those that are
    in the journal alone.
    """

    host: str
    format: int
    keys: int
    found: int
    products: int
    answers: int
    unfolded: int
    size_bytes: int
    outputs: int
    asked_ms: IntArray
    groups: tuple[Group, ...]


def facts_of(  # noqa: PLR0913, PLR0917 - what the answers don't tell
    held: Answers, host: str, version: int, unfolded: int, size_bytes: int, outputs: int
) -> Facts:
    """Count what there is to count."""
    newest = held.newest
    found = held.found[newest]
    return Facts(
        host=host,
        format=version,
        keys=len(newest),
        found=int(found.sum()),
        products=int(held.rows[newest][found].sum()),
        answers=int(held.distinct.sum()),
        unfolded=unfolded,
        size_bytes=size_bytes,
        outputs=outputs,
        asked_ms=held.fetched_ms[newest],
        groups=_groups_of(held),
    )


def _groups_of(held: Answers) -> tuple[Group, ...]:
    """Count the newest answers by type and marketplace."""
    markets = markets_of(held.keys[held.newest])
    found = held.found[held.newest]
    return tuple(
        Group(*market_of(int(market)), int((markets == market).sum()), int(found[markets == market].sum()))
        for market in np.unique(markets)
    )
