"""The quota arithmetic: what is granted, what is refused, and what can never happen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import accumulate

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from enricher.clock import ManualClock
from enricher.errors import ConfigError
from enricher.sandbox import BASIC, PRO, Catalog, Ledger, Limit, Plan, serve

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

plans = st.builds(
    Plan,
    st.just("Any"),
    bucket_capacity=st.integers(1, 200),
    tokens_per_minute=st.integers(1, 300),
    daily_limit=st.integers(0, 2_000),
)
waits_s = st.one_of(st.floats(0, 90), st.sampled_from([0.1, 1.0, 6.0, 10.0]), st.floats(0, 200_000))
steps = st.lists(st.tuples(waits_s, st.integers(1, 10)), min_size=1, max_size=40)


@given(plans, steps)
def test_no_window_ever_grants_more_than_a_full_bucket_and_what_flows_in(
    plan: Plan, steps: list[tuple[float, int]]
) -> None:
    clock = ManualClock(NOON)
    ledger = Ledger({"k": plan}, clock)
    grants = []
    for wait_s, tokens in steps:
        clock.sleep(wait_s)
        granted = ledger.spend("k", tokens).refused_by is None
        grants.append((clock.monotonic_s(), tokens if granted else 0))

    for first, (start_s, _) in enumerate(grants):
        for (end_s, _), total in zip(grants[first:], accumulate(tokens for _, tokens in grants[first:]), strict=True):
            allowed = plan.bucket_capacity + (end_s - start_s) * plan.tokens_per_minute / 60
            assert total <= allowed + 1e-6


@given(plans, steps)
def test_no_day_grants_more_than_its_limit(plan: Plan, steps: list[tuple[float, int]]) -> None:
    clock = ManualClock(NOON)
    ledger = Ledger({"k": plan}, clock)
    by_day: dict[str, int] = {}
    for wait_s, tokens in steps:
        clock.sleep(wait_s)
        if ledger.spend("k", tokens).refused_by is None:
            day = clock.now().date().isoformat()
            by_day[day] = by_day.get(day, 0) + tokens

    assert all(total <= plan.daily_limit for total in by_day.values())
    assert ledger.spent("k") == sum(by_day.values())


@given(plans, steps)
def test_a_refusal_consumes_nothing_and_a_grant_exactly_what_was_asked(
    plan: Plan, steps: list[tuple[float, int]]
) -> None:
    clock = ManualClock(NOON)
    ledger = Ledger({"k": plan}, clock)
    for wait_s, tokens in steps:
        clock.sleep(wait_s)
        before, spent = ledger.balance("k"), ledger.spent("k")
        receipt = ledger.spend("k", tokens)
        cost = 0 if receipt.refused_by else tokens

        assert receipt.balance == ledger.balance("k")
        assert receipt.balance.bucket_left == before.bucket_left - cost
        assert receipt.balance.daily_left == before.daily_left - cost
        assert ledger.spent("k") == spent + cost


@given(plans, steps)
def test_what_the_balance_shows_can_be_spent_and_no_more(plan: Plan, steps: list[tuple[float, int]]) -> None:
    clock = ManualClock(NOON)
    ledger = Ledger({"k": plan}, clock)
    for wait_s, tokens in steps:
        clock.sleep(wait_s)
        before = ledger.balance("k")
        refused_by = ledger.spend("k", tokens).refused_by

        if tokens > before.daily_left:
            assert refused_by is Limit.DAILY
        elif tokens > before.bucket_left:
            assert refused_by is Limit.BUCKET
        else:
            assert refused_by is None


@pytest.mark.parametrize("step_s", [0.1, 0.3, 1.0, 6.0])
def test_a_token_is_there_at_its_instant_however_often_one_looks(step_s: float) -> None:
    clock = ManualClock(NOON)
    ledger = Ledger({"k": BASIC}, clock)
    ledger.spend("k", 60)
    for _ in range(round(60 / step_s)):
        clock.sleep(step_s)
        ledger.balance("k")

    assert ledger.balance("k").bucket_left == 10
    assert ledger.spend("k", 10).refused_by is None


def test_the_day_begins_at_midnight_utc_and_only_once() -> None:
    class Jumping(ManualClock):
        moment = datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC)

        def now(self) -> datetime:
            return self.moment

    clock = Jumping(NOON)
    ledger = Ledger({"k": Plan("Ten", bucket_capacity=100, tokens_per_minute=60, daily_limit=10)}, clock)
    assert ledger.spend("k", 10).refused_by is None
    clock.moment = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
    assert ledger.spend("k", 10).refused_by is None

    clock.moment = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
    assert ledger.spend("k", 1).refused_by is Limit.DAILY
    clock.moment = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    assert ledger.spend("k", 1).refused_by is Limit.DAILY


def test_the_reset_is_told_to_the_millisecond() -> None:
    start = datetime(2026, 3, 1, 23, 59, 58, 500_000, tzinfo=UTC)

    assert Ledger({"k": PRO}, ManualClock(start)).balance("k").reset_ms == 1_500


def test_keys_have_their_own_buckets() -> None:
    ledger = Ledger({"a": PRO, "b": PRO}, ManualClock(NOON))
    ledger.spend("a", 100)

    assert ledger.balance("b").bucket_left == 120


def test_a_plan_that_could_never_answer_is_refused() -> None:
    with pytest.raises(ConfigError, match="'Nothing' needs a bucket"):
        Plan("Nothing", bucket_capacity=0, tokens_per_minute=60, daily_limit=10)


def test_less_than_a_token_is_not_for_sale() -> None:
    with pytest.raises(ValueError, match="at least one token"):
        Ledger({"a": PRO}, ManualClock(NOON)).spend("a", -5)


def test_fifty_threads_never_overspend() -> None:
    ledger = Ledger({"k": PRO}, ManualClock(NOON))
    with ThreadPoolExecutor(50) as pool:
        receipts = list(pool.map(lambda _: ledger.spend("k", 1), range(1_000)))

    granted = [receipt for receipt in receipts if receipt.refused_by is None]
    assert len(granted) == 120
    assert sorted(receipt.balance.bucket_left for receipt in granted) == list(range(120))


def test_fifty_clients_at_once_never_overspend() -> None:
    with serve(Catalog(), clock=ManualClock(NOON)) as sandbox:
        url = sandbox.url + "/products/lookup?key=sandbox&asin=B088H39PXX,B088H39PXY,B088H39PXZ"
        with ThreadPoolExecutor(50) as pool:
            statuses = list(pool.map(lambda _: requests.get(url, timeout=30).status_code, range(100)))

        assert statuses.count(200) == 40
        assert statuses.count(429) == 60
        assert sandbox.ledger.spent("sandbox") == 120
