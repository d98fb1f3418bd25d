from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from enricher.lookup.quota import DayUsedUp, Quota, Send, Wait
from enricher.model import Levels, ToldLevels

PRO = Levels(120, 10_000, 40_000.0, 120, 60.0, 10_000)


def levels(bucket: int, daily: int = 10_000) -> ToldLevels:
    return ToldLevels(bucket, daily, 40_000.0)


def test_tokens_that_are_there_are_used_at_once() -> None:
    assert Quota(PRO, 0.0).decide(10, 0.0) == Send(10)


def test_it_waits_for_the_whole_chunk_and_no_longer() -> None:
    quota = Quota(PRO, 0.0)
    quota.observe(levels(0), 10, 0.0)
    decision = quota.decide(10, 0.0)
    assert isinstance(decision, Wait)
    assert 10.0 <= decision.duration_s < 10.01
    assert quota.decide(10, decision.duration_s) == Send(10)


def test_the_servers_numbers_win() -> None:
    quota = Quota(PRO, 0.0)
    quota.observe(levels(3), 10, 1.0)  # a rival took the rest
    assert isinstance(quota.decide(10, 1.0), Wait)


def test_fractions_of_tokens_are_not_lost_between_replies() -> None:
    quota = Quota(Levels(10, 10_000, 40_000.0, 120, 60.0, 10_000), 0.0)
    quota.observe(levels(0), 10, 0.9)  # truly 0.9 are left: the server rounds down
    decision = quota.decide(1, 0.9)
    assert isinstance(decision, Wait)
    assert decision.duration_s < 0.11


def test_a_chunk_larger_than_the_bucket_is_cut_to_it() -> None:
    assert Quota(Levels(5, 100, 1000.0, 5, 10.0, 100), 0.0).decide(10, 0.0) == Send(5)


def test_the_days_last_tokens_are_used() -> None:
    quota = Quota(PRO, 0.0)
    quota.observe(levels(100, daily=3), 10, 0.0)
    assert quota.decide(10, 0.0) == Send(3)


def test_a_used_up_day_says_when_it_ends() -> None:
    quota = Quota(PRO, 0.0)
    quota.observe(levels(100, daily=0), 10, 5.0)
    assert quota.decide(10, 10.0) == DayUsedUp(39_995.0)
    assert quota.decide(10, 40_006.0) == Send(10)


def test_reserved_tokens_are_left_to_others() -> None:
    assert isinstance(Quota(PRO, 0.0, reserve=10_000).decide(1, 0.0), DayUsedUp)


def test_what_a_reply_does_not_say_is_predicted() -> None:
    quota = Quota(PRO, 0.0)
    quota.observe(ToldLevels(), 10, 5.0)
    assert quota.levels_at(5.0) == Levels(110, 9990, 39_995.0, 120, 60.0, 10_000)


@given(st.lists(st.tuples(st.integers(1, 10), st.floats(0, 5)), min_size=1, max_size=200))
def test_it_never_sends_what_a_lone_bucket_would_refuse(requests: list[tuple[int, float]]) -> None:
    quota = Quota(PRO, 0.0)
    now_s, bucket, updated_s = 0.0, 120.0, 0.0
    for tokens, pause_s in requests:
        now_s += pause_s
        decision = quota.decide(tokens, now_s)
        if isinstance(decision, Wait):
            now_s += decision.duration_s
            decision = quota.decide(tokens, now_s)
        assert decision == Send(tokens)
        bucket = min(120.0, bucket + (now_s - updated_s))
        updated_s = now_s
        assert bucket >= tokens
        bucket -= tokens
        quota.observe(levels(int(bucket)), tokens, now_s)
