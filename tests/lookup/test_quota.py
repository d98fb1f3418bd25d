from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from enricher.lookup.quota import DayUsedUp, Quota, Send, Wait
from enricher.model import Levels, ToldLevels

PRO = Levels(120, 10_000, 40_000.0, 120, 60.0, 10_000)


def told(bucket: int, daily: int = 10_000) -> ToldLevels:
    return ToldLevels(bucket, daily, 40_000.0)


def spend(quota: Quota, levels: ToldLevels, tokens: int = 10, sent_s: float = 0.0, now_s: float = 0.0) -> None:
    """A request of `tokens` codes that was paid for, alone on its way."""
    quota.paid(quota.sent(tokens, sent_s), levels, tokens, now_s)


def wait_of(quota: Quota, tokens: int, now_s: float) -> float:
    decision = quota.decide(tokens, now_s)
    assert isinstance(decision, Wait)
    return decision.duration_s


def test_tokens_that_are_there_are_used_at_once() -> None:
    assert Quota(PRO, 0.0).decide(10, 0.0) == Send(10)


def test_it_waits_for_the_whole_chunk_and_no_longer() -> None:
    quota = Quota(Levels(10, 10_000, 40_000.0, 120, 60.0, 10_000), 0.0)
    spend(quota, told(0))
    wait_s = wait_of(quota, 10, 0.0)
    assert 10.0 <= wait_s < 10.02
    assert quota.decide(10, wait_s) == Send(10)


def test_the_servers_numbers_win() -> None:
    quota = Quota(PRO, 0.0)
    spend(quota, told(3), now_s=1.0)  # a rival took the rest
    assert 6.9 < wait_of(quota, 10, 1.0) < 7.1


def test_fractions_of_tokens_are_not_lost_between_replies() -> None:
    quota = Quota(Levels(10, 10_000, 40_000.0, 120, 60.0, 10_000), 0.0)
    spend(quota, told(0), now_s=0.9)  # truly 0.9 are left: the server rounds down
    assert wait_of(quota, 1, 0.9) < 0.11


def test_what_is_under_way_counts_as_spent() -> None:
    quota = Quota(Levels(25, 10_000, 40_000.0, 120, 60.0, 10_000), 0.0)
    first, second = quota.sent(10, 0.0), quota.sent(10, 0.0)
    assert 4.9 < wait_of(quota, 10, 0.0) < 5.1
    quota.free(second, 0.0)
    assert quota.decide(10, 0.0) == Send(10)
    quota.lost(first, 0.0)
    assert quota.decide(10, 0.0) == Send(10)


def test_a_reply_overtaken_by_another_does_not_bring_its_tokens_back() -> None:
    quota = Quota(Levels(20, 10_000, 40_000.0, 120, 60.0, 10_000), 0.0)
    first, second = quota.sent(10, 0.0), quota.sent(10, 0.0)
    quota.paid(second, told(0, 9_980), 10, 0.1)
    quota.paid(first, told(10, 9_990), 10, 0.2)  # was charged first, and is late
    assert wait_of(quota, 10, 0.2) > 9.7
    assert quota.daily_left == 9_980


def test_a_late_reply_does_not_bring_back_what_others_took_meanwhile() -> None:
    quota = Quota(PRO, 0.0)
    first, second = quota.sent(10, 0.0), quota.sent(10, 1.0)
    quota.paid(second, told(11, 9_890), 10, 2.0)  # a rival had taken 90
    quota.paid(first, told(110, 9_990), 10, 3.0)  # and this was before
    assert quota.levels_at(3.0).bucket_left <= 13
    assert 9_880 <= quota.daily_left <= 9_890


def test_a_late_reply_does_not_outvote_the_account_or_a_refusal() -> None:
    quota = Quota(PRO, 0.0)
    first, second = quota.sent(10, 0.0), quota.sent(10, 0.5)
    quota.looked(Levels(20, 0, 40_000.0, 120, 60.0, 10_000), 1.0, 1.1)
    quota.refused_by_day(first, 2.0)
    quota.paid(second, told(110, 500), 10, 3.0)
    assert quota.levels_at(3.0).bucket_left <= 23
    assert quota.daily_left == 0


def test_a_reply_of_yesterday_says_nothing_of_today() -> None:
    quota = Quota(Levels(120, 10, 5.0, 120, 60.0, 10_000), 0.0)
    ticket = quota.sent(10, 4.9)  # the day's last tokens
    quota.paid(ticket, ToldLevels(110, 0, 0.05), 10, 5.6)
    assert quota.daily_left > 9_000


def test_the_account_knows_better_whether_a_new_day_has_begun() -> None:
    quota = Quota(Levels(120, 0, 800.0, 120, 60.0, 10_000), 0.0)
    quota.looked(Levels(120, 0, 0.02, 120, 60.0, 10_000), 800.2, 800.3)  # our clock is a little fast
    assert quota.daily_left == 0
    assert quota.decide(10, 800.6) == Send(10)


def test_codes_that_cost_nothing_are_no_sign_of_another_plan() -> None:
    quota = Quota(PRO, 0.0)
    quota.paid(quota.sent(10, 0.0), told(120), 0, 0.1)
    assert not quota.is_doubtful
    assert quota.levels_at(0.1).bucket_left == 120


def test_a_full_bucket_gains_nothing_while_a_request_is_under_way() -> None:
    quota = Quota(PRO, 0.0)
    ticket = quota.sent(10, 0.0)  # charged just before its reply: the bucket was full until then
    quota.paid(ticket, told(110), 10, 5.0)
    assert quota.levels_at(5.0).bucket_left == 110


def test_a_chunk_larger_than_the_bucket_is_cut_to_it() -> None:
    assert Quota(Levels(5, 100, 1000.0, 5, 10.0, 100), 0.0).decide(10, 0.0) == Send(5)


def test_the_days_last_tokens_are_used() -> None:
    quota = Quota(PRO, 0.0)
    spend(quota, told(100, daily=3))
    assert quota.decide(10, 0.0) == Send(3)


def test_tokens_that_end_with_the_day_are_used_before_it_does() -> None:
    quota = Quota(Levels(7, 50, 2.0, 120, 60.0, 100), 0.0)  # the chunk's tokens come in 3 s, the day ends in 2
    assert quota.decide(10, 0.0) == Send(7)


def test_a_used_up_day_says_when_it_ends() -> None:
    quota = Quota(PRO, 0.0)
    spend(quota, told(100, daily=0), now_s=5.0)
    decision = quota.decide(10, 10.0)
    assert isinstance(decision, DayUsedUp)
    assert 39_995.0 <= decision.reset_s < 39_996.0
    assert quota.decide(10, 40_006.0) == Send(10)


def test_reserved_tokens_are_left_to_others() -> None:
    assert isinstance(Quota(PRO, 0.0, reserve=10_000).decide(1, 0.0), DayUsedUp)


def test_what_a_reply_does_not_say_is_predicted() -> None:
    quota = Quota(PRO, 0.0)
    spend(quota, ToldLevels(), now_s=5.0)
    levels = quota.levels_at(5.0)
    assert (levels.bucket_left, levels.daily_left, round(levels.daily_reset_s)) == (110, 9990, 39_995)


def test_a_plan_that_does_not_fit_what_is_told_is_doubted_until_the_account_is_asked() -> None:
    quota = Quota(Levels(10, 10_000, 40_000.0, 120, 60.0, 10_000), 0.0)
    assert not quota.is_doubtful
    spend(quota, told(90), now_s=1.0)
    assert quota.is_doubtful
    quota.looked(Levels(190, 90_000, 40_000.0, 200, 600.0, 100_000), 1.0, 1.0)
    assert not quota.is_doubtful
    assert quota.levels_at(1.0).rate_per_min == 600.0
    assert quota.decide(10, 1.0) == Send(10)


def test_after_a_refusal_the_account_is_asked_before_tokens_are_counted_on() -> None:
    quota = Quota(PRO, 0.0)
    assert not quota.needs_look(5.0)
    quota.refused(quota.sent(10, 0.0), 30.0, 0.0)
    assert 20.0 <= wait_of(quota, 10, 0.0) < 22.1  # at 30 a minute, and one token more than it takes
    assert quota.needs_look(20.0)
    quota.looked(PRO, 20.0, 20.0)
    assert not quota.needs_look(20.1)


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
        spend(quota, told(int(bucket)), tokens, now_s, now_s)
