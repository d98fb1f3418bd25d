"""Whether the next request may go: one gate for all requests, over quota, budget, pauses and what is under way.

Decides without I/O. Knows how many codes are wanted next, and not which; what becomes of a chunk is `engine`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from enricher.lookup.events import Stopped
from enricher.lookup.quota import Send, Wait

if TYPE_CHECKING:
    from enricher.lookup.quota import Quota, Ticket
    from enricher.model import Levels, ToldLevels

_STAGGER_S = 0.05
"""A request joins others only when the last one has been out for so long: with a service that answers sooner nothing is
gained by more of them, and a kill loses less."""
_SLOW_S = 0.2
_LOOK_AGAIN_S = 60.0
"""The account is asked no sooner again where the levels told merely don't fit."""
_DAY_LOOK_S = 900.0
"""While waiting for the reset the account is asked so often: the plan may be changed, and clocks go wrong."""
_MOST_VAIN = 100
_VAIN_PER_HALVING = 4
_MOST_VAIN_RESETS = 8
_MOST_FAILED_LOOKS = 8
_LONGEST_PAUSE_S = 120.0
_NEW_DAY_S = 3600.0


@dataclass(frozen=True, slots=True)
class Look:
    """Ask for the account's levels first."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Send nothing for `wait_s`, or until something arrives. `left_s` is what remains of the whole wait.

    `reason` "reply": for what is under way.
    """

    wait_s: float
    left_s: float
    reason: Literal["bucket", "day", "fault", "reply"]


Step: TypeAlias = Send | Look | Rest | Stopped
FOR_REPLY = Rest(float("inf"), float("inf"), "reply")
"""Nothing can be sent before something arrives."""


class Gate:
    """Lets requests through, at most `workers` at once, and hears what became of each.

    At most `budget` tokens are spent, tokens of lost replies included.
    """

    def __init__(self, quota: Quota, now_s: float, workers: int, budget: int | None, *, wait_for_day: bool) -> None:
        self._quota = quota
        self._workers, self._budget, self._wait_for_day = workers, budget, wait_for_day
        self._spent = self._requests = 0
        self._last_sent_s = self._pause_until_s = float("-inf")
        self._stagger_s = _STAGGER_S
        self._pause_reason: Literal["bucket", "fault"] = "fault"
        self._is_troubled = False
        self._look_wanted = self._awaits_day = False
        self._looking_since_s: float | None = None
        self._last_look_s = now_s
        self._vain = 0  # refusals of the bucket and looks since the last paid reply
        self._vain_resets = self._failed_looks = 0
        self._day_refusal: tuple[int, float] | None = None  # the tokens refused, and when the day was to end

    def next(self, codes: int, now_s: float) -> Step:
        """Say what to do where `codes` codes are to be asked next."""
        if self._looking_since_s is not None:
            return FOR_REPLY
        if now_s < self._pause_until_s:
            left_s = self._pause_until_s - now_s
            return Rest(left_s, left_s, self._pause_reason)
        if self._look_wanted or (self._quota.is_doubtful and now_s - self._last_look_s >= _LOOK_AGAIN_S):
            return Look()
        if self._vain > _MOST_VAIN:
            return Stopped("down", "another program with the same key takes every token; run again later to go on")
        # After a request that failed they go out one at a time: where the service is down, few of them are lost.
        if self._requests >= (1 if self._is_troubled else self._workers):
            return FOR_REPLY
        wanted = max(1, codes >> self._vain // _VAIN_PER_HALVING)  # where others take every token, a few can be had
        if self._budget is not None:
            wanted = min(wanted, self._budget - self._spent - self._quota.under_way)
            if wanted <= 0 and not self._requests:
                return Stopped("budget", f"the budget of {self._budget:,} tokens is spent; run again to go on")
        return self._by_quota(wanted, now_s) if wanted > 0 else FOR_REPLY

    def _by_quota(self, wanted: int, now_s: float) -> Step:
        decision = self._quota.decide(wanted, now_s)
        if isinstance(decision, Send):
            if self._awaits_day or self._quota.needs_look(now_s):
                return Look()
            rest_s = self._last_sent_s + self._stagger_s - now_s
            return Rest(rest_s, rest_s, "reply") if self._requests and rest_s > 0 else decision
        if isinstance(decision, Wait):
            wait_s = decision.duration_s
            if wait_s < float("inf"):
                return Rest(wait_s, wait_s, "bucket")
            return FOR_REPLY if self._requests else Stopped("down", "the account's bucket is empty and does not refill")
        return self._after_the_day(decision.reset_s, now_s)

    def _after_the_day(self, reset_s: float, now_s: float) -> Step:
        if self._requests:
            return FOR_REPLY  # what is under way may turn out not to have been charged
        if not self._wait_for_day:
            but = f", but for the {self._quota.reserve:,} reserved for others" if self._quota.reserve else ""
            return Stopped("day", f"today's tokens are used up{but}; run again after the reset", reset_s)
        self._awaits_day = True
        look_s = self._last_look_s + _DAY_LOOK_S - now_s
        return Look() if look_s <= 0 else Rest(min(reset_s, look_s), reset_s, "day")

    def sent(self, tokens: int, now_s: float) -> Ticket:
        """Hear that a request for so many codes leaves."""
        self._requests += 1
        self._last_sent_s = now_s
        return self._quota.sent(tokens, now_s)

    def paid(self, ticket: Ticket, told: ToldLevels, consumed: int, now_s: float) -> None:
        """Hear of a paid reply."""
        self._requests -= 1
        self._spent += consumed
        self._is_troubled = False
        self._vain = self._vain_resets = 0
        self._day_refusal = None
        latency_s = now_s - ticket.sent_s
        # Of a service that is known to be slow as many requests are under way as are allowed.
        self._stagger_s = min(_STAGGER_S, latency_s / self._workers) if latency_s > _SLOW_S else _STAGGER_S
        self._quota.paid(ticket, told, consumed, now_s)

    def uncharged(self, ticket: Ticket, now_s: float) -> None:
        """Hear that the service answered, and charged nothing."""
        self._requests -= 1
        self._is_troubled = False
        self._quota.free(ticket, now_s)

    def failed(self, ticket: Ticket, pause_s: float, now_s: float, *, maybe_charged: bool) -> None:
        """Hear of a request without a usable reply; nothing is sent for `pause_s`."""
        self._requests -= 1
        self._is_troubled = True
        self._pause(pause_s, now_s, "fault")
        if maybe_charged:
            self._spent += ticket.tokens
            self._quota.lost(ticket, now_s)
        else:
            self._quota.free(ticket, now_s)

    def refused(self, ticket: Ticket, rate_per_min: float | None, pause_s: float, now_s: float) -> None:
        """Hear of a 429 of the bucket: what was refused is refilled first, and then the account is asked."""
        self._requests -= 1
        self._vain += 1
        self._look_wanted = True
        self._quota.refused(ticket, rate_per_min, now_s)
        self._pause(max(pause_s, self._quota.refill_s(ticket.tokens)), now_s, "bucket")

    def refused_by_day(self, ticket: Ticket, now_s: float) -> None:
        """Hear of a 429 of the daily limit: the account knows more."""
        self._requests -= 1
        self._day_refusal = ticket.tokens, self._quota.reset_at_s
        self._quota.refused_by_day(ticket, now_s)
        self._look_wanted = True

    def clock_jumped(self) -> None:
        """Hear that a clock was set or the machine slept: what is predicted may be wrong."""
        self._look_wanted = True

    def looking(self, now_s: float) -> None:
        """Hear that the account is being asked; nothing is sent until it has answered."""
        self._looking_since_s, self._look_wanted = now_s, False

    def looked(self, levels: Levels, now_s: float) -> Stopped | None:
        """Hear what the account says. Where it contradicts itself without end, the run ends."""
        asked_s = now_s if self._looking_since_s is None else self._looking_since_s
        self._looking_since_s, self._last_look_s = None, now_s
        refusal, self._day_refusal = self._day_refusal, None
        self._vain += not self._awaits_day
        is_new_day = self._awaits_day and self._quota.daily_left > 0
        self._quota.looked(levels, asked_s, now_s)
        daily_left = self._quota.daily_left
        self._awaits_day, self._failed_looks = is_new_day and not daily_left, 0
        if self._awaits_day:  # the reset has passed, and brought nothing
            self._vain_resets += 1
            self._pause(min(_LONGEST_PAUSE_S, 2.0**self._vain_resets), now_s, "fault")
        is_contradicted = (
            refusal is not None
            and daily_left >= refusal[0]
            and self._quota.reset_at_s < refusal[1] + _NEW_DAY_S  # the day is the same
        )
        if is_contradicted or self._vain_resets > _MOST_VAIN_RESETS:
            return Stopped("day", "the service says that today's tokens are used up; run again later")
        if self._quota.reserve >= levels.daily_limit:  # the plan was changed
            left = f"{levels.daily_limit:,} tokens a day"
            return Stopped("day", f"the account now has {left}, and {self._quota.reserve:,} are reserved for others")
        return None

    def can_not_look(self, now_s: float) -> None:
        """Hear that the account did not answer: after the night it is asked again, else it goes without."""
        self._looking_since_s, self._last_look_s = None, now_s
        self._quota.can_not_look(now_s)
        self._failed_looks += 1
        if self._awaits_day and self._failed_looks <= _MOST_FAILED_LOOKS:
            self._look_wanted = True
            self._pause(min(_LONGEST_PAUSE_S, 2.0**self._failed_looks), now_s, "fault")
        else:
            self._awaits_day, self._failed_looks = False, 0

    def _pause(self, duration_s: float, now_s: float, reason: Literal["bucket", "fault"]) -> None:
        if now_s + duration_s > self._pause_until_s:
            self._pause_until_s, self._pause_reason = now_s + duration_s, reason
