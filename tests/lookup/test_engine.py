"""The loop against the real sandbox on a clock that is moved, and against a server that misbehaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enricher import sandbox
from enricher.lookup import Chunk, Client, Engine, Failure, MaybePaid, Reply, Stopped, Waiting, chunks_of
from enricher.model import CodeType, Domain, Key

from .conftest import ACCOUNT, LEVELS, RESET, http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from enricher.clock import ManualClock
    from enricher.lookup import Event

    from .conftest import Misbehaving

FOUND = http(200, {**LEVELS, "items": [{"asin": "B088H39PXX"}]})
NOT_ENOUGH = http(429, {"error": "Not enough tokens in the bucket. Restore rate: 60 / min"})


def keys(count: int) -> list[Key]:
    return [Key(CodeType.ASIN, Domain.COM, f"B0{number:08}") for number in range(count)]


def run(url: str, clock: ManualClock, chunks: Iterable[Chunk], key: str = "sandbox", **options: int) -> list[Event]:
    with Client(url, key, clock) as client:
        return list(Engine(client, clock, client.account(), **options).run(chunks))  # type: ignore[arg-type]


def answered(events: list[Event]) -> list[str]:
    return [answer.key.code for event in events if isinstance(event, Reply) for answer in event.answers]


def test_a_run_waits_exactly_for_the_refill_and_is_never_refused(clock: ManualClock) -> None:
    with sandbox.serve(clock=clock) as api:
        events = run(api.url, clock, chunks_of(keys(600)))
        assert answered(events) == [key.code for key in keys(600)]
        assert api.ledger.spent("sandbox") == 600
        assert not api.refusals
    assert 480 <= clock.monotonic_s() <= 482  # 120 at once, 480 at one a second


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
        events = run(api.url, clock, chunks_of(keys(2500)), "sandbox-basic", wait_for_day=True)
        assert len(answered(events)) == api.ledger.spent("sandbox-basic") == 2500
        assert not api.refusals
    assert 36 * 3600 < clock.monotonic_s() < 38 * 3600  # from noon over two midnights, then 440 tokens at 10 a minute


def test_a_stop_is_heeded_between_requests(clock: ManualClock) -> None:
    with sandbox.serve(clock=clock) as api, Client(api.url, "sandbox", clock) as client:
        seen: list[Event] = []
        engine = Engine(client, clock, client.account(), stop=lambda: len(seen) >= 3)
        seen.extend(engine.run(chunks_of(keys(100))))
    assert len(answered(seen)) == 30
    assert isinstance(seen[-1], Stopped)


def test_a_lost_reply_is_asked_once_more_and_counted(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(RESET, FOUND)
    events = run(server.url, clock, chunks_of([Key(CodeType.ASIN, Domain.COM, "B088H39PXX")]))
    assert [type(event) for event in events if not isinstance(event, Waiting)] == [MaybePaid, Reply]
    assert len(server.seen) == 2


def test_a_reply_lost_twice_fails_its_codes_and_the_rest_goes_on(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    server = misbehaving(RESET, RESET, FOUND)
    events = run(server.url, clock, chunks_of(keys(15)))
    assert sum(len(event.keys) for event in events if isinstance(event, Failure)) == 10
    assert len(answered(events)) == 5


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
    assert 10 <= clock.monotonic_s() < 10.1


def test_a_bucket_that_never_fills_gives_up(misbehaving: Callable[..., Misbehaving], clock: ManualClock) -> None:
    events = run(misbehaving(NOT_ENOUGH).url, clock, chunks_of(keys(10)))
    assert isinstance(events[-1], Failure)


def test_a_service_that_is_down_ends_the_run(misbehaving: Callable[..., Misbehaving], clock: ManualClock) -> None:
    server = misbehaving(http(503, b"down"))
    events = run(server.url, clock, chunks_of(keys(500)))
    assert isinstance(events[-1], Stopped)
    assert events[-1].reason == "down"
    assert len(server.seen) == 10


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
    assert len(server.seen) < 50


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
