"""The gate's decisions, without network and without time."""

from __future__ import annotations

import math

from enricher.lookup.events import Stopped
from enricher.lookup.gate import FOR_REPLY, Gate, Look, Rest, Step
from enricher.lookup.quota import Quota, Send
from enricher.model import Levels, ToldLevels

PRO = Levels(120, 10_000, 40_000.0, 120, 60.0, 10_000)
DRAINED = Levels(0, 10_000, 40_000.0, 120, 60.0, 10_000)
NO_DAY = Levels(120, 0, 3_600.0, 120, 60.0, 10_000)


def gate(levels: Levels = PRO, *, workers: int = 4, budget: int | None = None, wait_for_day: bool = False) -> Gate:
    return Gate(Quota(levels, 0.0), 0.0, workers, budget, wait_for_day=wait_for_day)


def rested(waiting: Gate, now_s: float) -> tuple[Step, float]:
    """Wait as long as the gate says; return what it says then, and when that is."""
    step = waiting.next(10, now_s)
    while isinstance(step, Rest):
        now_s += step.wait_s
        step = waiting.next(10, now_s)
    return step, now_s


def test_another_request_joins_when_the_last_one_has_been_out_for_a_while() -> None:
    slow = gate(workers=2)
    slow.sent(10, 0.0)
    rest = slow.next(10, 0.0)
    assert isinstance(rest, Rest)
    assert (rest.reason, rest.wait_s) == ("reply", 0.05)
    assert slow.next(10, 0.05) == Send(10)
    slow.sent(10, 0.05)
    assert slow.next(10, 9.0) == FOR_REPLY  # two workers, and both are busy


def test_a_budget_counts_what_is_under_way_and_what_may_have_been_lost() -> None:
    thrifty = gate(budget=25)
    first, second = thrifty.sent(10, 0.0), thrifty.sent(10, 0.0)
    assert thrifty.next(10, 1.0) == Send(5)
    thrifty.failed(first, 0.0, 1.0, maybe_charged=True)
    thrifty.uncharged(second, 1.0)
    third = thrifty.sent(15, 1.0)
    assert thrifty.next(10, 2.0) == FOR_REPLY
    thrifty.paid(third, ToldLevels(), 15, 2.0)
    step = thrifty.next(10, 2.0)
    assert isinstance(step, Stopped)
    assert step.reason == "budget"


def test_a_failure_pauses_everything_and_lets_one_through_until_something_works() -> None:
    shaken = gate()
    shaken.failed(shaken.sent(10, 0.0), 3.0, 0.0, maybe_charged=False)
    assert shaken.next(10, 1.0) == Rest(2.0, 2.0, "fault")
    ticket = shaken.sent(10, 3.0)
    assert shaken.next(10, 9.0) == FOR_REPLY
    shaken.paid(ticket, ToldLevels(), 10, 9.0)
    shaken.sent(10, 9.0)
    assert shaken.next(10, 10.0) == Send(10)


def test_a_refusal_is_not_provoked_again_before_its_tokens_are_refilled_and_the_account_is_asked() -> None:
    refused = gate()
    refused.refused(refused.sent(10, 0.0), 60.0, 0.0, 0.0)
    assert refused.next(10, 0.0) == Rest(10.0, 10.0, "bucket")
    assert refused.next(10, 10.0) == Look()  # the plan may be another one


def test_where_others_take_the_tokens_the_account_is_asked_first_and_less_is_wanted() -> None:
    contested = gate(DRAINED)
    contested.refused(contested.sent(10, 0.0), 60.0, 0.0, 0.0)
    wanted = []
    now_s = 10.0
    for _ in range(3):
        step, now_s = rested(contested, now_s)
        assert step == Look()
        contested.looking(now_s)
        assert contested.next(10, now_s) == FOR_REPLY
        assert contested.looked(DRAINED, now_s) is None
        rest = contested.next(10, now_s)
        assert isinstance(rest, Rest)
        wanted.append(rest.wait_s)
    assert wanted == sorted(wanted, reverse=True)
    contested.looking(now_s)
    contested.looked(PRO, now_s)
    assert isinstance(contested.next(10, now_s), Send)


def test_the_reset_is_waited_for_and_the_account_asked_before_the_new_day_begins() -> None:
    patient = gate(NO_DAY, wait_for_day=True)
    rest = patient.next(10, 0.0)
    assert isinstance(rest, Rest)
    assert (rest.reason, rest.wait_s) == ("day", 900.0)  # the plan may be changed meanwhile
    assert 3_600 <= rest.left_s < 3_601
    assert patient.next(10, 900.0) == Look()
    patient.looking(900.0)
    patient.looked(Levels(120, 0, 2_700.0, 120, 60.0, 10_000), 900.0)
    assert isinstance(patient.next(10, 900.0), Rest)
    assert patient.next(10, 3_601.0) == Look()
    patient.looking(3_601.0)
    patient.looked(PRO, 3_601.0)
    assert patient.next(10, 3_601.0) == Send(10)


def test_a_used_up_day_ends_the_run_with_its_reset() -> None:
    step = gate(NO_DAY).next(10, 0.0)
    assert isinstance(step, Stopped)
    assert step.reason == "day"
    assert 3_600 <= step.reset_s < 3_601


def test_an_account_that_never_gets_its_new_day_ends_the_run() -> None:
    patient = gate(Levels(120, 0, 0.0, 120, 60.0, 10_000), wait_for_day=True)
    now_s, stopped = 0.0, None
    while stopped is None:
        assert now_s < 1_000
        step = patient.next(10, now_s)
        if step == Look():
            patient.looking(now_s)
            stopped = patient.looked(Levels(120, 0, 0.0, 120, 60.0, 10_000), now_s)
        else:
            assert isinstance(step, Rest)
            assert math.isfinite(step.wait_s)
            now_s += step.wait_s
    assert stopped.reason == "day"


def test_an_account_that_does_not_answer_after_the_night_is_asked_again() -> None:
    patient = gate(NO_DAY, wait_for_day=True)
    patient.next(10, 0.0)
    now_s = 3_601.0
    for _ in range(8):
        step, now_s = rested(patient, now_s)
        assert step == Look()
        patient.looking(now_s)
        patient.can_not_look(now_s)
    assert now_s > 3_601 + 2 + 4 + 8


def test_an_account_that_gets_no_tokens_is_not_waited_for() -> None:
    step = gate(Levels(0, 100, 5_000.0, 120, 0.0, 10_000), wait_for_day=True).next(10, 0.0)
    assert isinstance(step, Stopped)
    assert "does not refill" in step.message


def test_a_plan_that_shrinks_below_the_reserve_ends_the_wait() -> None:
    patient = Gate(Quota(NO_DAY, 0.0, reserve=2_000), 0.0, 4, None, wait_for_day=True)
    assert isinstance(patient.next(10, 0.0), Rest)
    patient.looking(900.0)
    stopped = patient.looked(Levels(60, 0, 2_700.0, 60, 10.0, 1_000), 900.0)
    assert isinstance(stopped, Stopped)
    assert "1,000 tokens a day, and 2,000 are reserved" in stopped.message
