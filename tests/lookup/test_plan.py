from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enricher.lookup import chunks_of, schedule
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
    assert schedule(160, BASIC).duration_s == pytest.approx(600)


def test_more_than_a_day_goes_on_after_the_reset() -> None:
    plan = schedule(2500, Levels(60, 1000, 7200.0, 60, 10.0, 1000))
    assert plan.tokens_by_day == (1000, 1000, 500)
    assert 7200 + 86_400 < plan.duration_s < 7200 + 2 * 86_400


def test_reserved_tokens_lengthen_the_plan() -> None:
    assert schedule(1500, BASIC, reserve=500).tokens_by_day == (500, 500, 500)


def test_an_account_without_tokens_never_ends() -> None:
    assert schedule(10, Levels(0, 0, 3600.0, 60, 10.0, 0)).duration_s == float("inf")
