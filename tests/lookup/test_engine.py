"""The loop against the real sandbox on a clock that is moved, and against a server that misbehaves."""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from enricher import sandbox
from enricher.clock import ManualClock, SystemClock
from enricher.lookup import Chunk, Client, Engine, Failure, MaybePaid, Reply, Stopped, Waiting, Workers, chunks_of
from enricher.model import CodeType, Domain, Key, Levels

from .conftest import ACCOUNT, LEVELS, RESET, http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from enricher.clock import Clock
    from enricher.lookup import Event

    from .conftest import Misbehaving

FOUND = http(200, {**LEVELS, "items": [{"asin": "B088H39PXX"}]})
NOT_ENOUGH = http(429, {"error": "Not enough tokens in the bucket. Restore rate: 60 / min"})


def keys(count: int) -> list[Key]:
    return [Key(CodeType.ASIN, Domain.COM, f"B0{number:08}") for number in range(count)]


@contextlib.contextmanager
def engine(url: str, clock: Clock, key: str = "sandbox", workers: int = 1, **options: Any) -> Iterator[Engine]:
    """One request at a time unless said otherwise: a script of replies has an order."""
    with Client(url, key, clock) as client, Workers(lambda: Client(url, key, clock), workers, clock) as network:
        levels = client.account()
        assert isinstance(levels, Levels)
        yield Engine(network, clock, levels, workers=workers, **options)


def run(url: str, clock: ManualClock, chunks: Iterable[Chunk], key: str = "sandbox", **options: Any) -> list[Event]:
    with engine(url, clock, key, **options) as started:
        return list(started.run(chunks))


def answered(events: list[Event]) -> list[str]:
    return [answer.key.code for event in events if isinstance(event, Reply) for answer in event.answers]


def test_a_run_waits_exactly_for_the_refill_and_is_never_refused(clock: ManualClock) -> None:
    with sandbox.serve(clock=clock) as api:
        events = run(api.url, clock, chunks_of(keys(600)))
        assert answered(events) == [key.code for key in keys(600)]
        assert api.ledger.spent("sandbox") == 600
        assert not api.refusals
    assert 480 <= clock.monotonic_s() <= 481  # 120 at once, 480 at one a second


def test_a_used_up_day_stops_with_the_time_of_the_reset(clock: ManualClock) -> None:
    with sandbox.serve(clock=clock) as api:
        events = run(api.url, clock, chunks_of(keys(1005)), "sandbox-basic")
        assert api.ledger.spent("sandbox-basic") == 1000
        assert not api.refusals
    assert isinstance(events[-1], Stopped)
    assert events[-1].reason == "day"
    assert 0 < events[-1].reset_s <= 86_400


def test_waiting_for_the_reset_finishes_in_simulated_days(clock: ManualClock) -> None:
    with sandbox.serve(clock=clock) as api:
        events = run(api.url, clock, chunks_of(keys(2500)), "sandbox-basic", wait_for_day=True, tick_s=60.0)
        assert len(answered(events)) == api.ledger.spent("sandbox-basic") == 2500
        assert not api.refusals
    assert 36 * 3600 < clock.monotonic_s() < 38 * 3600  # from noon over two midnights, then 440 tokens at 10 a minute


def test_a_stop_is_heeded_before_the_next_request_and_takes_the_reply_under_way(clock: ManualClock) -> None:
    seen: list[Event] = []
    with sandbox.serve(clock=clock) as api, engine(api.url, clock, stop=lambda: len(seen) >= 3) as started:
        seen.extend(started.run(chunks_of(keys(100))))
    assert len(answered(seen)) == 40  # the fourth request left before the third reply was handed on
    assert isinstance(seen[-1], Stopped)


def test_a_lost_reply_is_asked_once_more_and_counted(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(RESET, FOUND)
    events = run(server.url, clock, chunks_of([Key(CodeType.ASIN, Domain.COM, "B088H39PXX")]))
    assert [type(event) for event in events if not isinstance(event, Waiting)] == [MaybePaid, Reply]
    assert len(server.seen) == 2


@pytest.mark.parametrize("first", [http(503, b""), http(429, b"slow down")])
def test_a_lost_reply_is_asked_once_more_also_when_the_service_was_busy_before(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock, first: bytes
) -> None:
    assert len(answered(run(misbehaving(first, RESET, FOUND).url, clock, chunks_of(keys(10))))) == 10


def test_a_reply_lost_twice_fails_its_codes_and_the_rest_goes_on(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(RESET, RESET, FOUND)
    events = run(server.url, clock, chunks_of(keys(15)))
    assert sum(len(event.keys) for event in events if isinstance(event, Failure)) == 10
    assert len(answered(events)) == 5


def test_chunks_that_fail_now_and_then_do_not_end_a_run_in_which_others_are_answered(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(*[http(404, b""), FOUND] * 8)
    events = run(server.url, clock, chunks_of(keys(160)))
    assert sum(isinstance(event, Failure) for event in events) == 8
    assert len(answered(events)) == 80
    assert not isinstance(events[-1], Stopped)


def test_what_is_cut_off_a_chunk_is_asked_next(misbehaving: Callable[..., Misbehaving], clock: ManualClock) -> None:
    server = misbehaving(http(200, {**LEVELS, "items": [], "bucketSize": 4}), http(200, {**LEVELS, "items": []}))
    server.account = {**ACCOUNT, "minutelyBucketCapacity": 6, "minutelyTokensLeft": 6}
    assert answered(run(server.url, clock, chunks_of(keys(20)))) == [key.code for key in keys(20)]


def test_a_bad_code_is_cornered_without_failing_its_neighbours(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(*[http(400, {"error": "malformed"})] * 4, FOUND)  # 10 -> 5 -> 2 -> 1: the first code is bad
    events = run(server.url, clock, chunks_of(keys(10)))
    failures = [event for event in events if isinstance(event, Failure)]
    assert [failure.keys for failure in failures] == [(keys(1)[0],)]
    assert failures[0].reason == "refused by the service: malformed"
    assert len(answered(events)) == 9


def test_the_bucket_429_waits_by_the_rate_in_its_text(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(NOT_ENOUGH, FOUND)
    events = run(server.url, clock, chunks_of(keys(10)))
    assert len(answered(events)) == 10
    assert 10 <= clock.monotonic_s() < 11.1  # with one token more than it takes, as the prediction was wrong


def test_a_bucket_that_never_fills_ends_the_run_with_a_refusal_a_refill_at_most(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(NOT_ENOUGH)
    events = run(server.url, clock, chunks_of(keys(10)))
    assert isinstance(events[-1], Stopped)
    assert (events[-1].reason, "another program" in events[-1].message) == ("down", True)
    assert len(server.seen) <= 1 + clock.monotonic_s()  # the least that is asked for is one token, a second's refill


def test_a_service_that_is_down_ends_the_run(misbehaving: Callable[..., Misbehaving], clock: ManualClock) -> None:
    server = misbehaving(http(503, b"down"))
    events = run(server.url, clock, chunks_of(keys(500)), workers=4)
    assert isinstance(events[-1], Stopped)
    assert events[-1].reason == "down"
    assert (
        len(server.seen) <= 5 * 5 + 3
    )  # five chunks five times each, and those that were under way at the first fault
    assert not [event for event in events if isinstance(event, MaybePaid)]


def test_a_daily_429_at_the_very_reset_does_not_loop(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(http(429, {"error": "The daily requests limit has been reached."}))
    server.account = {**ACCOUNT, "dailyTokensLeft": 0, "msBeforeNextDailyReset": 0}
    events = run(server.url, clock, chunks_of(keys(50)), wait_for_day=True)
    assert isinstance(events[-1], Stopped)
    assert len(server.seen) < 20
    assert clock.monotonic_s() >= len(server.seen) - 1


def test_an_absurd_retry_after_is_not_waited_for(misbehaving: Callable[..., Misbehaving], clock: ManualClock) -> None:
    server = misbehaving(http(503, b"", "Retry-After: 10000000"), FOUND)
    events = run(server.url, clock, chunks_of(keys(10)))
    assert len(answered(events)) == 10
    assert clock.monotonic_s() <= 900


def test_a_budget_counts_tokens_of_lost_replies(misbehaving: Callable[..., Misbehaving], clock: ManualClock) -> None:
    server = misbehaving(RESET, http(200, {**LEVELS, "items": [], "consumedTokens": 5}))
    events = run(server.url, clock, chunks_of(keys(30)), budget=15)
    asked = [line.split("asin=")[1].split("&")[0].count("B0") for line in server.seen]
    assert asked == [10, 5]
    assert isinstance(events[-1], Stopped)


def test_a_service_that_calls_every_code_malformed_is_not_asked_for_ever(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(http(400, {"error": "malformed"}))
    events = run(server.url, clock, chunks_of(keys(1000)))
    assert isinstance(events[-1], Stopped)
    assert len(server.seen) < 120


def test_a_key_that_is_withdrawn_in_mid_run_stops_at_once(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(FOUND, http(403, {"error": "no"}))
    events = run(server.url, clock, chunks_of(keys(50)))
    assert [type(event) for event in events] == [Reply, Stopped]
    assert len(server.seen) == 2


def test_a_daily_429_against_the_accounts_word_does_not_loop(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(http(429, {"error": "The daily requests limit has been reached."}))
    events = run(server.url, clock, chunks_of(keys(50)), wait_for_day=True)
    assert isinstance(events[-1], Stopped)
    assert len(server.seen) == 1


def test_several_requests_are_under_way_when_the_service_is_slow() -> None:
    with sandbox.serve(latency_s=0.2) as api, engine(api.url, SystemClock(), workers=4) as started:
        started_s = time.monotonic()
        events = list(started.run(chunks_of(keys(120))))
        took_s = time.monotonic() - started_s
        assert not api.refusals
        assert set(api.requests.values()) == {1}
    assert len(answered(events)) == 120
    assert took_s < 12 * 0.2 / 2  # twelve requests, one after the other, would take 2.4 s


def test_a_damaged_answer_keeps_what_it_holds_and_the_other_codes_are_asked_once_more(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    first, second = keys(2)
    damaged = http(200, {**LEVELS, "items": [{"asin": first.code}, {"title": "whose?"}]})
    server = misbehaving(damaged, http(200, {**LEVELS, "items": [{"asin": second.code}]}))
    events = run(server.url, clock, chunks_of([first, second]))
    assert answered(events) == [first.code, second.code]
    assert [event.codes for event in events if isinstance(event, MaybePaid)] == [1]
    assert all(answer.items for event in events if isinstance(event, Reply) for answer in event.answers)


def test_codes_that_a_damaged_answer_never_answers_fail_and_are_not_called_not_found(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(http(200, {**LEVELS, "items": ["B000000000", None]}))
    events = run(server.url, clock, chunks_of(keys(3)))
    assert [event.keys for event in events if isinstance(event, Failure)] == [tuple(keys(3))]
    assert not answered(events)
    assert len(server.seen) == 2


def test_after_a_fault_requests_go_out_one_at_a_time(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(RESET)
    events = run(server.url, clock, chunks_of(keys(100)), workers=4)
    assert isinstance(events[-1], Stopped)
    assert sum(event.codes for event in events if isinstance(event, MaybePaid)) == 10 * len(server.seen)
    assert len(server.seen) <= 5 * 2 + 3


@pytest.mark.parametrize(("asked", "latency_s", "taken"), [(1, 0.8, 10), (2, 2.0, 0)])
def test_a_stop_takes_the_reply_under_way_and_a_second_one_does_not_wait_for_it(
    asked: int, latency_s: float, taken: int
) -> None:
    stops: list[int] = []
    with (
        sandbox.serve(latency_s=latency_s) as api,
        engine(api.url, SystemClock(), stop=lambda: len(stops)) as started,
    ):
        threading.Timer(0.2, stops.extend, [[1] * asked]).start()
        started_s = time.monotonic()
        events = list(started.run(chunks_of(keys(100))))
        assert time.monotonic() - started_s < 1.9
    assert isinstance(events[-1], Stopped)
    assert events[-1].reason == "signal"
    assert len(answered(events)) == taken
    assert sum(event.codes for event in events if isinstance(event, MaybePaid)) == 10 - taken


def test_a_slow_down_of_an_unknown_kind_backs_off_and_charges_nothing(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(http(429, b"slow down"), http(429, b"", "Retry-After: 40"), FOUND)
    events = run(server.url, clock, chunks_of(keys(10)))
    assert len(answered(events)) == 10
    assert not [event for event in events if isinstance(event, MaybePaid)]
    assert 40 <= clock.monotonic_s() < 45


def test_a_plan_that_was_upgraded_is_noticed(misbehaving: Callable[..., Misbehaving], clock: ManualClock) -> None:
    drained = {**LEVELS, "bucketSize": 0, "items": []}
    server = misbehaving(http(200, drained), http(200, {**drained, "bucketSize": 900}), FOUND)
    with engine(server.url, clock) as started:
        events = started.run(chunks_of(keys(30)))
        next(events)
        server.account = {**ACCOUNT, "tokensPerMinute": 6000, "minutelyBucketCapacity": 1000, "minutelyTokensLeft": 900}
        assert len(answered(list(events))) == 20
    assert clock.monotonic_s() < 11  # one wait at the old rate


class Sleeper(ManualClock):
    """A machine's clock: it stands still while the machine sleeps, and the calendar does not."""

    slept = timedelta()

    def now(self) -> datetime:
        return super().now() + self.slept


def test_a_machine_that_slept_asks_the_account_instead_of_waiting_on(misbehaving: Callable[..., Misbehaving]) -> None:
    clock = Sleeper(datetime(2026, 3, 1, 12, tzinfo=UTC))
    server = misbehaving(http(200, {**LEVELS, "bucketSize": 0, "items": []}), FOUND)
    with engine(server.url, clock) as started:
        events = started.run(chunks_of(keys(20)))
        assert [type(next(events)) for _ in range(2)] == [Reply, Waiting]
        clock.slept = timedelta(hours=2)
        assert len(answered(list(events))) == 10
    assert clock.monotonic_s() < 1  # not the ten seconds that the chunk's tokens would have taken


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 404, 410])
def test_a_refusal_for_good_is_not_asked_again(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock, status: int
) -> None:
    server = misbehaving(http(status, b"", "Location: http://127.0.0.1:1/"), FOUND)
    events = run(server.url, clock, chunks_of(keys(10)))
    assert [type(event) for event in events] == [Failure]
    assert len(server.seen) == 1
