"""When may the next request be sent? Decided from the server's own numbers; no I/O, no clock of its own.

The server's numbers win, always. Between replies the bucket is predicted from its rate, and the prediction is a lower
bound: the levels are whole numbers rounded down, and they were true a little before they arrived.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from enricher.model import Levels

if TYPE_CHECKING:
    from enricher.model import ToldLevels

_SLACK_S = 0.002
"""Added to every wait: the two clocks tick apart, and a refusal costs a whole round trip."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send now, at most `tokens` codes."""

    tokens: int


@dataclass(frozen=True, slots=True)
class Wait:
    """The bucket has the tokens in `duration_s`."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class DayUsedUp:
    """No token is left today; the day starts anew in `reset_s`."""

    reset_s: float


class Quota:
    """What is known of the account's quota at a moment of the caller's clock, in seconds."""

    def __init__(self, levels: Levels, now_s: float, reserve: int = 0) -> None:
        self._reserve = reserve
        self._daily_left = levels.daily_left
        self.restart(levels, now_s)

    @property
    def daily_left(self) -> int:
        """Tokens left today, without those reserved for others."""
        return max(0, self._daily_left - self._reserve)

    def bucket_at(self, now_s: float) -> float:
        """Predict the tokens in the bucket: never more than there are, unless somebody else takes some."""
        refilled = self._bucket + (now_s - self._observed_s) * self._rate_per_s
        return min(float(self._capacity), refilled)

    def decide(self, tokens: int, now_s: float) -> Send | Wait | DayUsedUp:
        """Say when a chunk of `tokens` codes may go: all of them, or as many as the day still has."""
        if now_s < self._reset_at_s and self.daily_left == 0:
            return DayUsedUp(self._reset_at_s - now_s)
        wanted = min(tokens, self._capacity)
        if now_s < self._reset_at_s:
            wanted = min(wanted, self.daily_left)
        missing = wanted - self.bucket_at(now_s)
        if missing <= 0:
            return Send(wanted)
        if not self._rate_per_s:
            return DayUsedUp(max(0.0, self._reset_at_s - now_s))
        return Wait(missing / self._rate_per_s + _SLACK_S)

    def observe(self, told: ToldLevels, spent: int, now_s: float) -> None:
        """Take over what a reply that spent `spent` tokens says; what it does not say is predicted."""
        predicted = max(0.0, self.bucket_at(now_s) - spent)
        # The reply says 41 of a true 41.9: keep the fraction we know of, or a long run loses a token every reply.
        whole = told.bucket_left
        self._bucket = predicted if whole is None or whole <= predicted < whole + 1 else float(whole)
        self._daily_left = max(0, self._daily_left - spent) if told.daily_left is None else told.daily_left
        if told.daily_reset_s is not None:
            self._reset_at_s = now_s + told.daily_reset_s
        self._observed_s = now_s

    def levels_at(self, now_s: float) -> Levels:
        """Return the levels as they are known or predicted."""
        return Levels(
            int(self.bucket_at(now_s)),
            self._daily_left,
            max(0.0, self._reset_at_s - now_s),
            self._capacity,
            self._rate_per_s * 60,
            self._daily_limit,
        )

    def refused(self, now_s: float, rate_per_min: float | None) -> None:
        """Learn from a 429 of the bucket: it holds less than a chunk, whatever was predicted."""
        self._bucket, self._observed_s = 0.0, now_s
        if rate_per_min:
            self._rate_per_s = rate_per_min / 60

    def restart(self, levels: Levels, now_s: float) -> None:
        """Take over the levels of the account, plan and all."""
        self._capacity = max(1, levels.bucket_capacity)
        self._rate_per_s = levels.rate_per_min / 60
        self._bucket = float(levels.bucket_left)
        self._daily_left, self._daily_limit = levels.daily_left, levels.daily_limit
        self._observed_s = now_s
        self._reset_at_s = now_s + levels.daily_reset_s
