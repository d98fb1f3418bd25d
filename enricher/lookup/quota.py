"""When may the next request be sent? Decided from the server's own numbers; no I/O, no clock of its own.

The server's numbers win, always. Between replies the levels are predicted, and a prediction is a lower bound: what is
under way counts as spent, clocks drift, and a number told is rounded down and was true a little before it arrived.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import takewhile

from enricher.model import Levels, ToldLevels

_SLACK_S = 0.002
"""Added to every wait for tokens: the two clocks tick apart, and a refusal costs a whole round trip."""
_RESET_SLACK_S = 0.25
"""Added to the daily reset: a request that is a hair too early is refused."""
_CAUTION = 0.9995
"""Our clock may run so much faster than the server's; 500 ppm is what a machine corrects its clock by at most."""
_ROUNDING = 1e-6
_DAY_S = 86_400.0
_MOST_ENDED = 1_000
"""More requests than can end while one of them is under way."""
_NOISE = 0.01
"""Tokens that a prediction may be off by without anybody having taken them."""
_CONTESTED_S = 600.0
"""So long after a sign of others on the same key the account is asked before tokens are counted on."""
_FRESH_S = 0.5


@dataclass(frozen=True, slots=True)
class Send:
    """Send now, at most `tokens` codes."""

    tokens: int


@dataclass(frozen=True, slots=True)
class Wait:
    """The bucket has the tokens in `duration_s`; infinite: not before something under way is settled."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class DayUsedUp:
    """No token is left today but those reserved; the day starts anew in `reset_s`."""

    reset_s: float


@dataclass(slots=True, eq=False)
class Ticket:
    """A request under way: its tokens are set aside until it is known what became of it."""

    tokens: int
    sent_s: float
    ended_s: float = float("inf")


class Quota:
    """What is known of the account's quota at a moment of the caller's clock, in seconds.

    Levels are those beyond what requests under way will take. `reserve` tokens of the day are left to others.
    """

    def __init__(self, levels: Levels, now_s: float, reserve: int = 0) -> None:
        self._reserve = reserve
        self._under_way: set[Ticket] = set()
        self._ended: deque[Ticket] = deque(maxlen=_MOST_ENDED)
        self._margin = 0  # whole tokens left in the bucket, once a prediction has been wrong
        self._contested_until_s = float("-inf")
        self.is_doubtful = False
        """What was told does not fit the plan as it is known: it may have changed."""
        self._adopt(levels, now_s)
        self._heard_s = now_s
        """When the newest question was asked that has been answered; the answers to older ones may be older, too."""
        self._bucket, self._day = float(min(levels.bucket_left, self._capacity)), levels.daily_left
        self._day_told, self._day_began_s = levels.daily_left, float("-inf")

    @property
    def daily_left(self) -> int:
        """Tokens left today, without those reserved for others and those under way."""
        return max(0, self._day - self._reserve)

    @property
    def reserve(self) -> int:
        """Tokens of each day that are left to others."""
        return self._reserve

    @property
    def under_way(self) -> int:
        """Tokens of the requests under way."""
        return sum(ticket.tokens for ticket in self._under_way)

    @property
    def _room(self) -> int:
        """Where the level ends: a request under way may not be charged yet, and a full bucket gains nothing."""
        return self._capacity - self.under_way

    @property
    def reset_at_s(self) -> float:
        """When the day starts anew."""
        return self._reset_at_s

    def refill_s(self, tokens: int) -> float:
        """Return how long the bucket takes to gain so many tokens."""
        return tokens / self._rate_per_s if self._rate_per_s else 0.0

    def decide(self, tokens: int, now_s: float) -> Send | Wait | DayUsedUp:
        """Say when a chunk of `tokens` codes may go: all of them, or as many as the day and the bucket can hold."""
        self._advance(now_s)
        if self.daily_left == 0:
            return DayUsedUp(self._reset_at_s - now_s)
        wanted = min(tokens, self._capacity, self.daily_left)
        margin = min(self._margin, self._capacity - wanted)
        missing = wanted + margin - self._bucket
        if missing <= _ROUNDING:
            return Send(wanted)
        if wanted + margin > self._room:
            return Wait(float("inf"))
        if not self._rate_per_s:
            return Wait(float("inf"))
        wait_s = missing / (self._rate_per_s * _CAUTION) + _SLACK_S
        at_hand = int(self._bucket - margin)
        if now_s + wait_s > self._reset_at_s and at_hand > 0:
            return Send(min(at_hand, wanted))  # what is left of the day ends with it
        return Wait(wait_s)

    def sent(self, tokens: int, now_s: float) -> Ticket:
        """Set tokens aside for a request that is sent now."""
        self._advance(now_s)
        ticket = Ticket(tokens, now_s)
        self._under_way.add(ticket)
        self._bucket -= tokens
        self._day -= tokens
        return ticket

    def paid(self, ticket: Ticket, told: ToldLevels, consumed: int, now_s: float) -> None:
        """Take over what a reply that cost `consumed` tokens says; what it does not say is predicted."""
        self._end(ticket, ticket.tokens, now_s)
        self._learn(told, ticket.sent_s, now_s, free=max(0, ticket.tokens - consumed))
        self._heard_s = max(self._heard_s, ticket.sent_s)
        self._ended.append(ticket)

    def lost(self, ticket: Ticket, now_s: float) -> None:
        """Count a request without a reply as charged, until a number told says otherwise."""
        self._end(ticket, ticket.tokens, now_s)
        self._ended.append(ticket)

    def free(self, ticket: Ticket, now_s: float) -> None:
        """Give back the tokens of a request that was not charged."""
        self._end(ticket, 0, now_s)

    def refused(self, ticket: Ticket, rate_per_min: float | None, now_s: float) -> None:
        """Learn from a 429 of the bucket: it held less than the request wanted, whatever was predicted."""
        self._end(ticket, 0, now_s)
        self._bucket = min(self._bucket, 0.0)
        self._margin = 1
        self._contested_until_s = now_s + _CONTESTED_S
        if rate_per_min:
            self._rate_per_s = rate_per_min / 60

    def refused_by_day(self, ticket: Ticket, now_s: float) -> None:
        """Learn from a 429 of the daily limit."""
        self._heard_s, self._day_told = max(self._heard_s, ticket.sent_s), 0
        self._end(ticket, 0, now_s)

    def looked(self, levels: Levels, asked_s: float, now_s: float) -> None:
        """Take over the levels of the account, plan and all, asked for at `asked_s`."""
        self._refill(now_s)  # whether a new day has begun the account knows better
        self._adopt(levels, now_s)
        self._heard_s = max(self._heard_s, asked_s)
        told = ToldLevels(min(levels.bucket_left, self._capacity), levels.daily_left, levels.daily_reset_s)
        self._learn(told, asked_s, now_s, is_account=True)
        self._bucket = min(self._bucket, float(self._room))
        self.is_doubtful = False

    def can_not_look(self, now_s: float) -> None:
        """Go on by what is known: the account does not answer."""
        self._told_s = now_s
        self.is_doubtful = False

    def needs_look(self, now_s: float) -> bool:
        """Whether others take tokens, too, and what was told last is too old to send by."""
        return now_s < self._contested_until_s and now_s - self._told_s > _FRESH_S

    def levels_at(self, now_s: float) -> Levels:
        """Return the levels as they are known or predicted."""
        self._advance(now_s)
        bucket, day = max(0, int(self._bucket + _ROUNDING)), max(0, self._day)
        reset_s = self._reset_at_s - now_s
        return Levels(bucket, day, reset_s, self._capacity, self._rate_per_s * 60, self._daily_limit)

    def _adopt(self, levels: Levels, now_s: float) -> None:
        self._capacity = max(1, levels.bucket_capacity)
        self._rate_per_s = levels.rate_per_min / 60
        self._daily_limit = levels.daily_limit
        self._reset_at_s = now_s + levels.daily_reset_s + _RESET_SLACK_S
        self._at_s = self._told_s = now_s

    def _advance(self, now_s: float) -> None:
        """Let time pass: the bucket refills up to its capacity, and a new day begins."""
        self._refill(now_s)
        if now_s >= self._reset_at_s:
            self._reset_at_s += _DAY_S * (1 + (now_s - self._reset_at_s) // _DAY_S)
            self._day_told, self._day_began_s = self._daily_limit, now_s
            self._day = self._day_told - self.under_way

    def _refill(self, now_s: float) -> None:
        if now_s > self._at_s:
            gained = (now_s - self._at_s) * self._rate_per_s * _CAUTION
            self._bucket = max(self._bucket, min(self._bucket + gained, self._room))
            self._at_s = now_s

    def _end(self, ticket: Ticket, charged: int, now_s: float) -> None:
        self._advance(now_s)
        self._under_way.remove(ticket)
        ticket.ended_s = now_s
        self._bucket += ticket.tokens - charged
        # What was told while it was under way holds all the same: a token that was not there can't come back.
        self._day = min(self._day + ticket.tokens - charged, self._day_told)

    def _learn(
        self, told: ToldLevels, asked_s: float, now_s: float, free: int = 0, *, is_account: bool = False
    ) -> None:
        """Correct the predictions by what a reply to a request of `asked_s`, with `free` free codes, says.

        Others that were under way since then may or may not be counted in it: its level less all of those is what
        there is at least. A prediction that what is told leaves possible is kept: it has the fraction of a token.
        """
        overlapping = takewhile(lambda ticket: ticket.ended_s > asked_s, reversed(self._ended))
        behind = self.under_way + sum(ticket.tokens for ticket in overlapping)
        is_news = asked_s >= self._heard_s  # else it may be older than what is known, and only lowers
        self._told_s = now_s
        if told.bucket_left is not None:
            least, most = told.bucket_left - behind, told.bucket_left + 1 + self._rate_per_s * (now_s - asked_s)
            if self._bucket >= most + _NOISE:
                self._bucket, self.is_doubtful = float(least), True
                self._contested_until_s = now_s + _CONTESTED_S
            elif self._bucket < least:
                self.is_doubtful = self.is_doubtful or least - self._bucket > 1 + free
                self._bucket = float(least) if is_news else self._bucket
        if asked_s < self._day_began_s and not is_account:
            return  # the rest may be yesterday's word
        if told.daily_left is not None:
            least = told.daily_left - behind
            if self._day > told.daily_left or (self._day < least and is_news):
                self._day = least
            self._day_told = told.daily_left if is_news else min(told.daily_left, self._day_told)
        if told.daily_reset_s and is_news:  # 0 says nothing: at the reset itself the prediction knows it, too
            self._reset_at_s = now_s + told.daily_reset_s + _RESET_SLACK_S
