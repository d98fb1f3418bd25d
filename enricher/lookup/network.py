"""What the loop needs of the network: requests leave at once, and their replies arrive in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from enricher.lookup.plan import Chunk
    from enricher.lookup.replies import AccountReply, LookupReply


@dataclass(frozen=True, slots=True)
class Arrival:
    """A reply, and the chunk it answers; None: it answers a question for the account's levels."""

    chunk: Chunk | None
    reply: LookupReply | AccountReply


class Network(Protocol):
    """Several requests at once, seen from one thread."""

    def lookup(self, chunk: Chunk) -> None:
        """Ask for a chunk; costs a token a code. Returns at once."""

    def account(self) -> None:
        """Ask for the token levels; free. Returns at once."""

    def take(self, wait_s: float) -> Arrival | None:
        """Return the next arrival, waiting up to `wait_s` for it; None: nothing came.

        With nothing under way it lets `wait_s` pass by the clock.
        """
