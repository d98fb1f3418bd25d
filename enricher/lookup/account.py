"""The account's levels at the start of a run: asked a few times, since nothing is spent and nothing else can go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enricher.errors import ApiError, ApiKeyError
from enricher.lookup.replies import KeyRefused, NoReply
from enricher.model import Levels

if TYPE_CHECKING:
    import random

    from enricher.clock import Clock
    from enricher.lookup.client import Client

_BACKOFF_S = (0.5, 1.0, 2.0, 4.0)
"""The longest waits before asking again. Each is a random part of that, so that many runs don't come back at once."""
_RETRY_AFTER_CAP_S = 30.0
_PATIENCE_S = 60.0


def ask_levels(client: Client, clock: Clock, jitter: random.Random) -> Levels:
    """Return the account's token levels; free. Asks again, for a minute at most, what another try may mend.

    Raises ApiKeyError and ApiError.
    """
    started_s = clock.monotonic_s()
    reply = client.account()
    for longest_s in _BACKOFF_S:
        if not isinstance(reply, NoReply) or reply.most_tries == 1:
            break
        wait_s = jitter.uniform(0, longest_s) if reply.retry_after_s is None else reply.retry_after_s
        if wait_s > _RETRY_AFTER_CAP_S or clock.monotonic_s() + wait_s - started_s > _PATIENCE_S:
            break
        clock.sleep(wait_s)
        reply = client.account()
    match reply:
        case Levels():
            return reply
        case KeyRefused():
            raise ApiKeyError(reply.message)
    if reply == NoReply.unsent(reply.message):
        raise ApiError(f"{client.url} can't be reached: {reply.message}. Check the address and the network, run again")
    hint = "Check the address" if reply.most_tries == 1 else "Run again later"
    raise ApiError(f"{client.url} did not tell the tokens left: {reply.message}. {hint}")
