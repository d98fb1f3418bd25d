"""A chunk on its way: how often it was asked for in vain, and how long it waits before the next time. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from enricher.lookup.plan import Chunk
    from enricher.lookup.quota import Ticket

_BACKOFF_CAP_S = 30.0
RETRY_AFTER_CAP_S = 900.0
"""A server's Retry-After is honoured up to here: beyond, it is a mistake, or the next run's matter."""


@dataclass(slots=True)
class Attempt:
    """A chunk, and how often it was asked for in vain: `lost` times it may have been charged, `unpaid` times not."""

    chunk: Chunk
    lost: int = 0
    unpaid: int = 0
    ticket: Ticket | None = None

    def of(self, chunk: Chunk) -> Attempt:
        """Make one for a part of the chunk."""
        return Attempt(chunk, self.lost, self.unpaid)


def backoff_s(tries: int, retry_after_s: float | None, jitter: random.Random) -> float:
    """Full jitter, so that many clients don't come back at the same moment; the server's own word comes first."""
    if retry_after_s:
        return min(retry_after_s, RETRY_AFTER_CAP_S)
    return jitter.uniform(0.0, min(_BACKOFF_CAP_S, 2.0 ** (tries - 1)))
