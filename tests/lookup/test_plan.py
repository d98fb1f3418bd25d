from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enricher.lookup.plan import Schedule, chunks_of, schedule
from enricher.model import CodeType, Domain, Key, Levels

BASIC = Levels(60, 1000, 3600.0, 60, 10.0, 1000)


def keys(count: int, code_type: CodeType = CodeType.ASIN, domain: Domain = Domain.COM) -> list[Key]:
    return [Key(code_type, domain, f"B{number:09}") for number in range(count)]


@given(st.lists(st.tuples(st.sampled_from(CodeType), st.sampled_from(Domain), st.integers(0, 99)), unique=True))
def test_chunks_hold_every_key_once_and_mix_nothing(parts: list[tuple[CodeType, Domain, int]]) -> None:
    wanted = [Key(code_type, domain, f"B{number:09}") for code_type, domain, number in parts]
    chunks = chunks_of(wanted)
    assert sorted(itertools.chain.from_iterable(chunk.keys() for chunk in chunks)) == sorted(wanted)
    assert all(1 <= len(chunk.codes) <= 10 for chunk in chunks)
    groups = len({(key.code_type, key.domain) for key in wanted})
    assert len(chunks) <= len(wanted) // 10 + groups


def test_what_the_bucket_holds_takes_no_time() -> None:
    assert schedule(60, BASIC).duration_s == 0


def test_the_rest_takes_the_refill() -> None:
    assert schedule(160, BASIC).duration_s == 600


def test_nothing_to_ask_takes_no_day() -> None:
    assert schedule(0, BASIC) == Schedule(0.0, (), 0, 0)


def test_more_than_a_day_goes_on_after_the_reset() -> None:
    plan = schedule(2500, Levels(60, 1000, 7200.0, 60, 10.0, 1000))
    assert plan.tokens_by_day == (1000, 1000, 500)
    assert plan.duration_s == 7200 + 86_400 + (500 - 60) * 6
    assert plan.before_stop == 1000


def test_a_day_that_ends_before_its_tokens_are_spent_gives_what_the_bucket_gave() -> None:
    plan = schedule(2000, Levels(60, 1000, 1800.0, 60, 10.0, 1000))
    assert plan.tokens_by_day == (359, 1000, 641)  # the 360th comes at the reset, when the new day has begun
    assert plan.before_stop == 1359


def test_reserved_tokens_lengthen_the_plan() -> None:
    assert schedule(1500, BASIC, reserve=500).tokens_by_day == (500, 500, 500)


def test_a_day_already_used_up_gives_nothing() -> None:
    plan = schedule(100, Levels(60, 0, 3600.0, 60, 10.0, 1000))
    assert (plan.tokens_by_day, plan.before_stop) == ((0, 100), 0)
    assert plan.duration_s == 3600 + 40 * 6


@pytest.mark.parametrize(
    "levels",
    [
        Levels(0, 0, 3600.0, 60, 10.0, 0),
        Levels(5, 1000, 3600.0, 60, 0.0, 1000),
        Levels(0, 1000, 3600.0, 0, 10.0, 1000),
    ],
)
def test_an_account_that_gives_too_little_never_ends(levels: Levels) -> None:
    assert schedule(10, levels).duration_s == math.inf


def test_a_million_days_are_counted_and_not_walked() -> None:
    plan = schedule(10_000_000, Levels(0, 10, 3600.0, 60, 10.0, 10))
    assert plan.days == 1_000_000
    assert plan.tokens_by_day == (10,) * 366
    assert plan.duration_s == 3600 + 999_998 * 86_400


def token_by_token(tokens: int, levels: Levels, reserve: int) -> tuple[list[int], Fraction, int]:
    """Take each token the moment it is there: the tokens of each day, when the last came, and those before a stop."""
    rate, bucket, now = Fraction(levels.rate_per_min) / 60, Fraction(levels.bucket_left), Fraction(0)
    left, reset = levels.daily_left - reserve, Fraction(levels.daily_reset_s)
    days, stops = [0], []
    while sum(days) < tokens:
        due = now + max(Fraction(0), 1 - bucket) / rate
        if left <= 0:
            stops.append(sum(days))
        if left <= 0 or due >= reset:
            bucket = min(Fraction(levels.bucket_capacity), bucket + (reset - now) * rate)
            now, reset, left = reset, reset + 86_400, levels.daily_limit - reserve
            days.append(0)
        else:
            bucket, now, left = bucket + (due - now) * rate - 1, due, left - 1
            days[-1] += 1
    return days, now, min(stops, default=tokens)


@st.composite
def accounts(draw: st.DrawFn) -> Levels:
    rate = draw(st.sampled_from([0.01, 0.05, 0.1, 1 / 3, 1.0, 7.0, 10.0, 61.0, 300.0]))
    a_day = int(rate * 1440)
    limit = draw(st.integers(1, 150) | st.integers(max(1, a_day - 3), a_day + 3).filter(lambda limit: limit < 1500))
    capacity = draw(st.integers(1, 70))
    reset_s = draw(st.integers(1, 86_400) | st.floats(0.001, 5000.0))
    return Levels(draw(st.integers(0, capacity)), draw(st.integers(0, limit)), float(reset_s), capacity, rate, limit)


@given(tokens=st.integers(1, 800), levels=accounts(), reserve=st.integers(0, 30))
def test_a_schedule_is_what_taking_each_token_at_once_comes_to(tokens: int, levels: Levels, reserve: int) -> None:
    reserve = min(reserve, levels.daily_limit - 1)
    days, last_s, before_stop = token_by_token(tokens, levels, reserve)
    plan = schedule(tokens, levels, reserve)
    assert (list(plan.tokens_by_day), plan.days) == (days[:366], len(days))
    assert plan.duration_s == pytest.approx(float(last_s))
    if len(days) <= 366:
        assert plan.before_stop == before_stop
