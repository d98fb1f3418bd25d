"""What the loop hands on at once, and what is under way by then."""

from __future__ import annotations

import contextlib
from collections import deque
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from enricher.lookup import Client, Engine, Reply, Waiting, Workers, chunks_of
from enricher.lookup.network import Arrival
from enricher.lookup.replies import Response, read_lookup
from enricher.model import CodeType, Domain, Key, Levels

from .conftest import LEVELS, http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from enricher.clock import ManualClock
    from enricher.lookup import Chunk, Event

    from .conftest import Misbehaving

PLENTY = Levels(9999, 9999, 3600.0, 9999, 60.0, 9999)
FOUND = http(200, {**LEVELS, "items": [{"asin": "B088H39PXX"}]}, keep=True)


def keys(count: int) -> list[Key]:
    return [Key(CodeType.ASIN, Domain.COM, f"B0{number:08}") for number in range(count)]


def replied(events: Sequence[Event]) -> int:
    return sum(len(event.answers) for event in events if isinstance(event, Reply))


@contextlib.contextmanager
def engine(server: Misbehaving, clock: ManualClock) -> Iterator[Engine]:
    """One request at a time, over a real socket."""
    with Workers(lambda: Client(server.url, "sandbox", clock), 1, clock) as network:
        yield Engine(network, clock, PLENTY, workers=1)


def test_the_next_request_is_under_way_while_a_reply_is_put_away(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(FOUND)
    with engine(server, clock) as started:
        for lookups, turn in enumerate(started.turns(chunks_of(keys(30))), 1):
            assert [type(event) for event in turn] == [Reply]
            server.wait_for(min(lookups + 1, 3))


def test_nothing_is_sent_ahead_where_the_tokens_are_not_there_yet(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(http(200, {**LEVELS, "bucketSize": 0, "items": []}), FOUND)
    with engine(server, clock) as started:
        turns = started.turns(chunks_of(keys(20)))
        assert [type(event) for event in next(turns)] == [Reply]
        assert [type(event) for event in next(turns)] == [Waiting]
        assert len(server.seen) == 1
        assert len([*turns]) > 0


class Line:
    """A network on which all replies arrive together, in order, once no more requests go out.

    `breaks` are raised in the place of the arrival with that number.
    """

    def __init__(self, clock: ManualClock, breaks: dict[int, BaseException] | None = None) -> None:
        self._arrivals: deque[Arrival] = deque()
        self._clock, self._breaks = clock, breaks or {}
        self._taken, self._is_held = 0, True

    def lookup(self, chunk: Chunk) -> None:
        items = [{"asin": code} for code in chunk.codes]
        self._arrivals.append(Arrival(chunk, read_lookup(Response(200, {**LEVELS, "items": items}, ""), asked=10)))

    def account(self) -> None:
        raise AssertionError("there is no need to ask")

    def take(self, wait_s: float) -> Arrival | None:
        self._is_held = self._is_held and wait_s < 1
        if not self._arrivals or self._is_held:
            self._clock.sleep(wait_s)
            return None
        self._taken += 1
        if self._taken in self._breaks:
            raise self._breaks[self._taken]
        return self._arrivals.popleft()


def turns_on(network: Line, clock: ManualClock) -> Iterator[Sequence[Event]]:
    """Turns of a run with 32 requests under way before anything arrives."""
    started = Engine(network, clock, PLENTY, workers=32, tick_s=1.0)
    return started.turns(chunks_of(keys(320)))


def test_replies_that_arrived_together_are_handed_on_together_but_never_more_than_ten(clock: ManualClock) -> None:
    assert [len(turn) for turn in turns_on(Line(clock), clock)] == [10, 10, 10, 2]


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyboardInterrupt()])
@pytest.mark.parametrize("at", [1, 2, 5, 11, 15])
def test_an_error_comes_after_everything_that_was_taken_before_it(
    clock: ManualClock, error: BaseException, at: int
) -> None:
    taken: list[Event] = []
    with pytest.raises(type(error)):
        taken.extend(chain.from_iterable(turns_on(Line(clock, {at: error}), clock)))
    assert replied(taken) == 10 * (at - 1)
