"""The loop: chunks in, events out. What may go is the gate's word; what became of a chunk is decided here.

A generator in one thread: what has arrived is in the caller's hands, and on disk, before anything is waited for. The
next requests are under way by then, so that the disk and the service work at the same time. Knows nothing of files,
threads and sockets; time passes only in `Network.take`.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Literal

from enricher.lookup.attempt import RETRY_AFTER_CAP_S, Attempt, backoff_s
from enricher.lookup.events import Event, Failure, MaybePaid, Reply, Stopped, Waiting
from enricher.lookup.gate import FOR_REPLY, Gate, Look, Rest
from enricher.lookup.match import match
from enricher.lookup.quota import Quota, Send
from enricher.lookup.replies import BadRequest, BucketEmpty, DayEmpty, Found, KeyRefused, NoReply
from enricher.model import Answer, Levels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from enricher.clock import Clock
    from enricher.lookup.gate import Step
    from enricher.lookup.network import Arrival, Network
    from enricher.lookup.plan import Chunk
    from enricher.lookup.quota import Ticket

_MOST_DOUBTFUL = 2
"""A code that a damaged reply may have answered is asked once more, not for ever."""
_GIVE_UP_AFTER = 5
"""Chunks that failed one after the other: the service is down, and the rest can wait for the next run."""
_LOOK_ELSEWHERE_AFTER = 20
"""Codes the service called malformed, one after the other: others are tried, so that a bad stretch of a sheet does not
hold up the rest of it in every run."""
_GIVE_UP_AFTER_REFUSED = 40
"""It calls all codes malformed, and so means something else."""
_PATIENCE_S = (float("inf"), 5.0, 0.5)
"""How long replies under way are waited for, once a stop was asked for 0, 1 or 2 times: supervisors kill after 10 s."""
_MOST_TOGETHER = 10
"""Replies handed on at once, which share one write to the disk: what a kill in it may cost is bounded."""
_CLOCK_JUMP_S = 5.0
_TICKS_OF_DAY = 4
"""Waiting for the next day nothing is under way: a stop may take a second."""


@dataclass
class Engine:
    """Looks up chunks, up to `workers` at once.

    `reserve` tokens of the day are left to others, and at most `budget` are spent, tokens of lost replies included.
    `wait_for_day`: sleep until the daily reset instead of ending with Stopped. `stop` says how often a stop was asked
    for: once, and what is under way is waited for; twice, and only what has arrived is taken.
    """

    network: Network
    clock: Clock
    levels: Levels
    reserve: int = 0
    budget: int | None = None
    wait_for_day: bool = False
    workers: int = 4
    stop: Callable[[], int] = lambda: 0
    jitter: random.Random = field(default_factory=random.Random)
    tick_s: float = 0.25
    """A countdown is shown, and a stop heeded, so often."""
    waited_s: float = field(default=0.0, init=False)
    """Time that passed while nothing could be asked."""

    def __post_init__(self) -> None:
        now_s = self.clock.monotonic_s()
        self._quota = Quota(self.levels, now_s, self.reserve)
        self._gate = Gate(self._quota, now_s, self.workers, self.budget, wait_for_day=self.wait_for_day)
        self._queue: deque[Attempt] = deque()
        self._under_way: dict[Chunk, Attempt] = {}
        self._failed_in_a_row = self._refused_in_a_row = 0
        self._stopped: Stopped | None = None
        self._drift_s = self._measure_drift()

    def levels_now(self) -> Levels:
        """Return the levels as they are known or predicted."""
        return self._quota.levels_at(self.clock.monotonic_s())

    def run(self, chunks: Iterable[Chunk]) -> Iterator[Event]:
        """Look up every chunk, as `turns` does; one event after the other."""
        return chain.from_iterable(self.turns(chunks))

    def turns(self, chunks: Iterable[Chunk]) -> Iterator[Sequence[Event]]:
        """Look up every chunk; no code is in two of them. Events come in turns: what happened by now, at least one.

        Replies that arrived together are in one turn, at most 10, and the next requests are under way by then. After a
        Stopped event nothing more comes; keys without Reply or Failure are open. An error comes after its last turn.
        """
        self._queue.extend(Attempt(chunk) for chunk in chunks)
        while (self._queue or self._under_way) and self._stopped is None:
            if self.stop():
                self._stopped = Stopped("signal", "on request; run again to go on")
            else:
                yield from self._step()
        if self._stopped is not None:
            yield from self._leave()
            yield [self._stopped]

    def _step(self) -> Iterator[Sequence[Event]]:
        """Take what has arrived; else do what the gate allows: send, ask for the levels, or wait."""
        arrival = self.network.take(0.0)
        if arrival is not None:
            yield from self._arrived(arrival)
            return
        now_s = self.clock.monotonic_s()
        match self._next(now_s):
            case Send() as send:
                self._send(send, now_s)
            case Look():
                self._gate.looking(now_s)
                self.network.account()
            case Rest() as rest:
                yield from self._rest(rest, now_s)
            case Stopped() as stopped:
                self._stopped = stopped

    def _next(self, now_s: float) -> Step:
        """Ask the gate what may be done."""
        if abs(self._measure_drift() - self._drift_s) > _CLOCK_JUMP_S:
            self._drift_s = self._measure_drift()
            self._gate.clock_jumped()
        return self._gate.next(len(self._queue[0].chunk.codes), now_s) if self._queue else FOR_REPLY

    def _send(self, send: Send, now_s: float) -> None:
        attempt = self._next_attempt(send.tokens)
        attempt.ticket = self._gate.sent(send.tokens, now_s)
        self._under_way[attempt.chunk] = attempt
        self.network.lookup(attempt.chunk)

    def _send_what_may_go(self) -> None:
        while self._stopped is None and not self.stop():
            now_s = self.clock.monotonic_s()
            step = self._next(now_s)
            if not isinstance(step, Send):
                return
            self._send(step, now_s)

    def _next_attempt(self, tokens: int) -> Attempt:
        """Take the first chunk from the queue, or as much of it as there are tokens for."""
        attempt = self._queue.popleft()
        if tokens < len(attempt.chunk.codes):
            chunk, rest = attempt.chunk.split(tokens)
            self._queue.appendleft(attempt.of(rest))
            attempt = attempt.of(chunk)
        return attempt

    def _rest(self, rest: Rest, now_s: float) -> Iterator[Sequence[Event]]:
        wait_s = min(rest.wait_s, self.tick_s * (_TICKS_OF_DAY if rest.reason == "day" else 1))
        if rest.reason != "reply":
            yield [Waiting(wait_s, rest.left_s, rest.reason)]
        arrival = self.network.take(wait_s)
        if rest.reason != "reply":
            self.waited_s += self.clock.monotonic_s() - now_s
        if arrival is not None:
            yield from self._arrived(arrival)

    def _leave(self) -> Iterator[Sequence[Event]]:
        """Take the replies under way, as far as there is patience for them; the others may have been paid for."""
        asked, until_s = -1, float("inf")
        while self._under_way:
            now_s = self.clock.monotonic_s()
            if self.stop() != asked:
                asked = self.stop()
                until_s = min(until_s, now_s + _PATIENCE_S[min(asked, 2)])
            left_s = until_s - now_s
            if left_s <= 0:
                break
            arrival = self.network.take(min(left_s, self.tick_s))
            if arrival is not None:
                yield from self._arrived(arrival)
        if self._under_way:
            yield [MaybePaid(len(attempt.chunk.codes)) for attempt in self._under_way.values()]
        self._under_way.clear()

    def _arrived(self, arrival: Arrival) -> Iterator[Sequence[Event]]:
        """Settle what has arrived, send what may go then, and only then hand on what happened."""
        events: list[Event] = []
        try:
            events.extend(self._settle(arrival))
            for _ in range(_MOST_TOGETHER - 1):
                another = self.network.take(0.0)
                if another is None:
                    break
                events.extend(self._settle(another))
            self._send_what_may_go()
        finally:  # also after an error: what was taken is paid for, and is to be put away
            if events:
                yield events

    def _settle(self, arrival: Arrival) -> Iterator[Event]:
        """Settle a request; what it did not answer goes back to the head of the queue."""
        now_s = self.clock.monotonic_s()
        if arrival.chunk is None:
            self._looked(arrival.reply, now_s)
            return
        attempt = self._under_way.pop(arrival.chunk)
        ticket = attempt.ticket
        assert ticket is not None  # noqa: S101 - it was sent
        match arrival.reply:
            case Found() as found:
                self._gate.paid(ticket, found.levels, found.consumed, now_s)
                yield from self._answered(attempt, found)
            case NoReply() as failure:
                yield from self._unanswered(attempt, ticket, failure, now_s)
            case BadRequest(message):
                self._gate.uncharged(ticket, now_s)
                yield from self._divide(attempt, message)
            case BucketEmpty(rate_per_min, retry_after_s):
                self._gate.refused(ticket, rate_per_min, min(retry_after_s or 0.0, RETRY_AFTER_CAP_S), now_s)
                self._queue.appendleft(attempt)
            case DayEmpty():
                self._gate.refused_by_day(ticket, now_s)
                self._queue.appendleft(attempt)
            case KeyRefused(message):
                self._gate.uncharged(ticket, now_s)
                self._stop("key", message)

    def _looked(self, reply: object, now_s: float) -> None:
        if isinstance(reply, Levels):
            self._stopped = self._stopped or self._gate.looked(reply, now_s)
        elif isinstance(reply, KeyRefused):
            self._stop("key", reply.message)
        else:
            self._gate.can_not_look(now_s)

    def _answered(self, attempt: Attempt, found: Found) -> Iterator[Event]:
        """Hand on what a paid reply answers. Where it is damaged, a code without an item may have had one."""
        matched = match(attempt.chunk.keys(), found.items)
        is_doubtful = found.is_garbled or found.oddities + matched.nameless > 0
        now = self.clock.now()
        fetched_at = now.replace(microsecond=now.microsecond // 1000 * 1000)  # as exact as the resume file keeps it
        answers = tuple(
            Answer(key, items, fetched_at) for key, items in matched.items.items() if items or not is_doubtful
        )
        left_over = matched.strays + matched.nameless + found.oddities
        yield Reply(answers, found.consumed, left_over, self.levels_now())
        if answers:
            self._failed_in_a_row = self._refused_in_a_row = 0
        if len(answers) < len(matched.items):
            codes = tuple(key.code for key, items in matched.items.items() if not items)
            rest = attempt.of(replace(attempt.chunk, codes=codes))
            rest.lost += 1
            yield MaybePaid(len(codes))
            yield from self._again(rest, "the service's answer is damaged", is_over=rest.lost >= _MOST_DOUBTFUL)

    def _unanswered(self, attempt: Attempt, ticket: Ticket, failure: NoReply, now_s: float) -> Iterator[Event]:
        """Ask again after a while, but only a bounded number of times."""
        attempt.lost += failure.maybe_charged
        attempt.unpaid += not failure.maybe_charged
        tries = attempt.lost if failure.maybe_charged else attempt.unpaid
        is_over = tries >= failure.most_tries
        goes_on = is_over and not failure.retry_after_s  # with other codes, at once
        pause_s = 0.0 if goes_on else backoff_s(tries, failure.retry_after_s, self.jitter)
        self._gate.failed(ticket, pause_s, now_s, maybe_charged=failure.maybe_charged)
        if failure.maybe_charged:
            yield MaybePaid(len(attempt.chunk.codes))
        yield from self._again(attempt, failure.message, is_over=is_over)

    def _again(self, attempt: Attempt, reason: str, *, is_over: bool) -> Iterator[Failure]:
        """Ask for a chunk once more, or give it up."""
        if not is_over:
            self._queue.appendleft(attempt)
            return
        yield Failure(tuple(attempt.chunk.keys()), reason)
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= _GIVE_UP_AFTER:
            vain = f"nothing came of {_GIVE_UP_AFTER} lookups in a row ({reason})"
            self._stop("down", f"{vain}; run again later to go on")

    def _divide(self, attempt: Attempt, message: str) -> Iterator[Failure]:
        """Halve a chunk that the server calls malformed until the bad code stands alone; a 400 costs nothing."""
        self._failed_in_a_row = 0
        chunk = attempt.chunk
        if len(chunk.codes) > 1:
            first, second = chunk.split(len(chunk.codes) // 2)
            self._queue.extendleft((attempt.of(second), attempt.of(first)))
            return
        yield Failure(tuple(chunk.keys()), f"refused by the service: {message}")
        self._refused_in_a_row += 1
        if self._refused_in_a_row >= _GIVE_UP_AFTER_REFUSED:
            self._stop("down", f"the service refused {_GIVE_UP_AFTER_REFUSED} codes in a row as malformed")
        elif self._refused_in_a_row >= _LOOK_ELSEWHERE_AFTER:
            self._queue.rotate(self.jitter.randrange(len(self._queue) + 1))

    def _stop(self, reason: Literal["down", "key"], message: str) -> None:
        self._stopped = self._stopped or Stopped(reason, message)

    def _measure_drift(self) -> float:
        """Return how far the calendar is ahead of the clock: it changes when one is set, or the machine has slept."""
        return self.clock.now().timestamp() - self.clock.monotonic_s()
