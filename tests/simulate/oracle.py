"""How fast a run could be that knew everything: the bound that a run alone is held against."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from enricher.model import MAX_CHUNK
from tests.simulate.server import DAY, SECOND, TOKEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulate.server import Account, Plan

STAGGER_US = SECOND // 20
"""Requests that join others may leave so far apart."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What holds a run back beside the quota. `trip_us`: every trip to the service and back takes so long."""

    plan: Plan
    workers: int
    reserve: int
    trip_us: int
    sleeps: Sequence[tuple[int, int]] = ()
    """From when to when the machine slept."""

    @property
    def lost_us(self) -> int:
        """Return what is lost at the start, and of each day.

        A level is told in whole tokens, so one may be there and not be known; it takes a trip to learn more. And nobody
        asks at the very moment of the reset.
        """
        return TOKEN * 5 // 4 // self.plan.rate_per_min + self.trip_us + SECOND // 3

    @property
    def lost_each_us(self) -> int:
        """Return what is lost with each chunk where the bucket has no room above one.

        It is full when the next one leaves, and the refill of the trip is lost.
        """
        is_narrow = self.plan.capacity * TOKEN < MAX_CHUNK * TOKEN + 2 * self.trip_us * self.plan.rate_per_min
        return 2 * self.trip_us if is_narrow else 0

    def awake_us(self, at_us: int) -> int:
        """Return when the machine can do what is due at a moment; what falls just before a sleep may come after it."""
        for since_us, until_us in self.sleeps:
            if since_us - self.lost_us <= at_us < until_us:
                at_us = until_us
        return at_us


def best_end_us(account: Account, start_us: int, sizes: Sequence[int], pace: Pace) -> int:
    """Return when the last reply could be there.

    `sizes` are the chunks' codes, asked in order; a chunk is cut where the bucket or the day holds less. What is lost
    of a day is taken from its end: what the oracle just so gets into a day may cost another one.
    """
    account = account.copy()
    short_us = pace.lost_us + pace.lost_each_us * min(sum(sizes), pace.plan.daily_limit)
    free_us = [start_us] * pace.workers
    end_us = sent_us = start_us
    for size in sizes:
        left = size
        while left:
            now_us = max(free_us[0], sent_us)
            if end_us > now_us:
                now_us = min(max(now_us, sent_us + STAGGER_US), end_us)
            now_us = pace.awake_us(now_us)
            account.advance(max(now_us, account.at_us))
            tokens = min(left, account.plan.capacity, account.day_left - pace.reserve)
            if tokens <= 0:
                sent_us = max(account.reset_us(), now_us)
                continue
            sent_us = pace.awake_us(max(account.ready_us(tokens), now_us))
            if (sent_us + short_us) // DAY > sent_us // DAY:
                sent_us = (sent_us // DAY + 1) * DAY
            account.advance(sent_us)
            tokens = min(tokens, account.day_left - pace.reserve)  # a new day may have begun meanwhile, and has more
            account.charge(tokens)
            back_us = pace.awake_us(sent_us + pace.trip_us)
            heapq.heapreplace(free_us, back_us)
            end_us = max(end_us, back_us)
            left -= tokens
    return end_us
