"""The loop: chunks in, events out, paced by `quota`.

A generator, so a reply is in the caller's hands, and on disk, before the next request is sent. Knows nothing of files.
Sleeps by the clock it is given, a second at most at a time, so that a countdown can be shown and a stop is heeded.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from enricher.errors import ApiError, ApiKeyError
from enricher.lookup.match import match
from enricher.lookup.quota import DayUsedUp, Quota, Send, Wait
from enricher.lookup.replies import BadRequest, BucketEmpty, DayEmpty, Found, LookupReply, NoReply
from enricher.model import Answer, Key, Levels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from enricher.clock import Clock
    from enricher.lookup.plan import Chunk

_TICK_S = 1.0
_MOST_TRIES = 4
_MOST_TRIES_IF_CHARGED = 2
"""A request that may have been charged is asked once more, not for ever."""
_BACKOFF_CAP_S = 30.0
_RETRY_AFTER_CAP_S = 900.0
"""A server's Retry-After is honoured up to here: beyond, it is a mistake, or the next run's matter."""
_GIVE_UP_AFTER = 5
"""Chunks that failed one after the other: the service is down, and the rest can wait for the next run."""
_GIVE_UP_AFTER_REFUSED = 20
"""Codes the service called malformed, one after the other: it means something else than the codes."""
_MOST_REFUSALS = 8
"""429s for one chunk without one reply: a rival takes every token, or the levels mean something else."""


class Api(Protocol):
    """What the loop needs of the client."""

    def account(self) -> Levels:
        """Return the token levels."""

    def lookup(self, chunk: Chunk) -> LookupReply:
        """Ask for a chunk."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A paid reply. `tokens` is what the server says it cost; `strays` counts items that nobody asked for."""

    answers: tuple[Answer, ...]
    tokens: int
    strays: int
    levels: Levels


@dataclass(frozen=True, slots=True)
class Failure:
    """Keys given up on in this run, and the reason in words."""

    keys: tuple[Key, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class MaybePaid:
    """A request that may have been charged got no reply: `codes` codes may be paid twice."""

    codes: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """The loop is about to sleep for `sleep_s`; `left_s` is what remains of the whole wait."""

    sleep_s: float
    left_s: float
    reason: Literal["bucket", "day", "fault"]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The loop ends before the last chunk."""

    reason: Literal["budget", "day", "signal", "down", "key"]
    message: str
    reset_s: float = 0.0


Event: TypeAlias = Reply | Failure | MaybePaid | Waiting | Stopped


@dataclass(slots=True)
class _Attempt:
    """A chunk on its way, and how often it was asked for in vain."""

    chunk: Chunk
    tries: int = 0
    refusals: int = 0


@dataclass
class Engine:
    """Looks up chunks one after the other.

    `reserve` tokens of the day are left to others, and at most `budget` are spent, tokens of lost replies included.
    `stop` is asked between requests. `wait_for_day`: sleep until the daily reset instead of ending with Stopped.
    """

    api: Api
    clock: Clock
    levels: Levels
    reserve: int = 0
    budget: int | None = None
    wait_for_day: bool = False
    stop: Callable[[], bool] = lambda: False
    jitter: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._quota = Quota(self.levels, self.clock.monotonic_s(), self.reserve)
        self._queue: deque[_Attempt] = deque()
        self._failed_in_a_row = self._refused_in_a_row = 0
        self._spent = 0

    def run(self, chunks: Iterable[Chunk]) -> Iterator[Event]:
        """Look up every chunk. After a Stopped event nothing more comes; keys without Reply or Failure are open."""
        self._queue.extend(_Attempt(chunk) for chunk in chunks)
        while self._queue:
            for event in self._step():
                yield event
                if isinstance(event, Stopped):
                    return

    def _step(self) -> Iterator[Event]:
        """Do what the quota allows next: wait, or ask for the first chunk in the queue."""
        if self.stop():
            yield Stopped("signal", "stopped on request; run again to go on")
            return
        wanted = len(self._queue[0].chunk.codes)
        if self.budget is not None:
            wanted = min(wanted, self.budget - self._spent)
            if wanted <= 0:
                yield Stopped("budget", f"the budget of {self.budget:,} tokens is spent; run again to go on")
                return
        decision = self._quota.decide(wanted, self.clock.monotonic_s())
        match decision:
            case Wait():
                yield from self._sleep(decision.duration_s, "bucket")
            case DayUsedUp() if self.wait_for_day:
                yield from self._sleep(decision.reset_s, "day")
                self._refresh()
            case DayUsedUp():
                yield Stopped("day", "today's tokens are used up; run again after the reset", decision.reset_s)
            case Send():
                yield from self._ask(self._take(decision.tokens))
                if self._failed_in_a_row >= _GIVE_UP_AFTER:
                    yield Stopped("down", f"{_GIVE_UP_AFTER} requests in a row failed; run again later to go on")
                elif self._refused_in_a_row >= _GIVE_UP_AFTER_REFUSED:
                    yield Stopped("down", f"the service refused {_GIVE_UP_AFTER_REFUSED} codes in a row as malformed")

    def _take(self, tokens: int) -> _Attempt:
        """Take the first chunk from the queue, or as much of it as there are tokens for."""
        attempt = self._queue.popleft()
        if tokens < len(attempt.chunk.codes):
            chunk, rest = attempt.chunk.split(tokens)
            self._queue.appendleft(_Attempt(rest, attempt.tries, attempt.refusals))
            attempt = _Attempt(chunk, attempt.tries, attempt.refusals)
        return attempt

    def _ask(self, attempt: _Attempt) -> Iterator[Event]:
        """Send one request; what it did not settle goes back to the head of the queue."""
        try:
            reply = self.api.lookup(attempt.chunk)
        except ApiKeyError as error:
            yield Stopped("key", str(error))
            return
        match reply:
            case Found():
                self._failed_in_a_row = self._refused_in_a_row = 0
                self._spent += reply.consumed
                self._quota.observe(reply.levels, reply.consumed, self.clock.monotonic_s())
                yield self._reply(attempt.chunk, reply)
            case BadRequest():
                yield from self._divide(attempt.chunk, reply.message)
            case DayEmpty():
                self._queue.appendleft(attempt)
                self._refresh()
                attempt.refusals += 1
                if self._quota.daily_left >= len(attempt.chunk.codes) or attempt.refusals > _MOST_REFUSALS:
                    # The account and the refusal contradict each other: asking again might go on for ever.
                    yield Stopped("day", "the service says that today's tokens are used up; run again later")
                yield from self._sleep(_TICK_S, "fault")
            case BucketEmpty():
                yield from self._refused(attempt, reply)
            case NoReply():
                yield from self._unanswered(attempt, reply)

    def _refused(self, attempt: _Attempt, reply: BucketEmpty) -> Iterator[Event]:
        """Take a 429 of the bucket as news of its level; the quota then says how long to wait."""
        self._quota.refused(self.clock.monotonic_s(), reply.rate_per_min)
        attempt.refusals += 1
        if attempt.refusals > _MOST_REFUSALS:
            yield self._fail(attempt, "the service kept refusing for want of tokens")
            return
        self._queue.appendleft(attempt)
        yield from self._sleep(min(reply.retry_after_s or 0.0, _RETRY_AFTER_CAP_S), "bucket")

    def _unanswered(self, attempt: _Attempt, reply: NoReply) -> Iterator[Event]:
        """Ask again after a while, but only a bounded number of times."""
        attempt.tries += 1
        if reply.maybe_charged:
            self._spent += len(attempt.chunk.codes)
            yield MaybePaid(len(attempt.chunk.codes))
        if attempt.tries >= (_MOST_TRIES_IF_CHARGED if reply.maybe_charged else _MOST_TRIES):
            yield self._fail(attempt, reply.message)
            return
        self._queue.appendleft(attempt)
        yield from self._sleep(self._backoff_s(attempt.tries, reply.retry_after_s), "fault")

    def _fail(self, attempt: _Attempt, reason: str) -> Failure:
        self._failed_in_a_row += 1
        return Failure(tuple(attempt.chunk.keys()), reason)

    def _reply(self, chunk: Chunk, found: Found) -> Reply:
        items, strays = match(chunk.keys(), found.items)
        now = self.clock.now()
        fetched_at = now.replace(microsecond=now.microsecond // 1000 * 1000)  # as exact as the resume file keeps it
        answers = tuple(Answer(key, matched, fetched_at) for key, matched in items.items())
        levels = self._quota.levels_at(self.clock.monotonic_s())
        return Reply(answers, found.consumed, strays + found.oddities, levels)

    def _divide(self, chunk: Chunk, message: str) -> Iterator[Failure]:
        """Halve a chunk that the server calls malformed until the bad code stands alone; a 400 costs nothing."""
        if len(chunk.codes) == 1:
            self._refused_in_a_row += 1
            yield Failure(tuple(chunk.keys()), f"refused by the service: {message}")
            return
        first, second = chunk.split(len(chunk.codes) // 2)
        self._queue.extendleft((_Attempt(second), _Attempt(first)))

    def _backoff_s(self, tries: int, retry_after_s: float | None) -> float:
        """Full jitter, so that many clients don't come back at the same moment; the server's own word comes first."""
        if retry_after_s:
            return min(retry_after_s, _RETRY_AFTER_CAP_S)
        return self.jitter.uniform(0.0, min(_BACKOFF_CAP_S, 2.0**tries))

    def _sleep(self, duration_s: float, reason: Literal["bucket", "day", "fault"]) -> Iterator[Waiting]:
        until_s = self.clock.monotonic_s() + duration_s
        while (left_s := until_s - self.clock.monotonic_s()) > 0 and not self.stop():
            sleep_s = min(_TICK_S, left_s)
            yield Waiting(sleep_s, left_s, reason)
            self.clock.sleep(sleep_s)

    def _refresh(self) -> None:
        """Ask the account anew; when it does not answer, go on with what is known."""
        try:
            levels = self.api.account()
        except ApiKeyError:
            return  # the next lookup meets the same refusal, and there it is handled
        except ApiError:
            return
        self._quota.restart(levels, self.clock.monotonic_s())
