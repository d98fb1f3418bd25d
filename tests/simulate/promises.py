"""What must hold whatever happens, each promise by its name. One that is broken raises PromiseError."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from enricher.lookup import Failure, MaybePaid, Reply, Stopped, Waiting
from enricher.lookup.replies import BucketEmpty, DayEmpty
from tests.simulate.catalog import truth
from tests.simulate.record import PromiseError, Record, Request
from tests.simulate.server import DAY, SECOND, TOKEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enricher.lookup import Event
    from tests.simulate.oracle import Pace
    from tests.simulate.server import Server

_MOST_TOGETHER = 10
_MOST_IN_HAND = 10 * _MOST_TOGETHER
"""Codes whose replies are taken, but not put away yet."""
_PATIENCE_US = (0, 5 * SECOND, SECOND // 2)
_ROUNDING_S = 1e-6
_SLACK_US = 2_500
"""The machine's clock may go a little slower than the true one."""


def sends_only_what_may_be_sent(record: Record, request: Request) -> None:
    """Never a code that is stored, never one twice at once, never more than 10 codes or `workers` requests."""
    _holds(len(record.owed) <= _MOST_IN_HAND, "few are in hand", "{} are taken, but not put", len(record.owed))
    _holds(not record.stops, "sends nothing after a stop", "{} asked for {} stops ago", request.keys, record.stops)
    _holds(not record.key_is_refused, "sends nothing with a refused key", "{}", request.keys)
    keys = request.keys
    _holds(1 <= len(keys) <= 10, "a chunk is 1 to 10 codes", "{} codes", len(keys))
    _holds(len({key[:2] for key in keys}) == 1, "a chunk has one type and one domain", "{}", keys)
    _holds(len(set(keys)) == len(keys), "a code is asked once", "twice in one chunk: {}", keys)
    for key in keys:
        _holds(key not in record.store, "a stored code is never asked again", "{}", key)
        _holds(key not in record.under_way, "a code is asked once", "{} is under way already", key)
        _holds(key not in record.owed, "a code is asked once", "{} is in hand already", key)
        _holds(key not in record.failures, "what failed is not asked again", "{}", key)
    busy = record.lookups_under_way
    _holds(busy < record.visit.workers, "at most `workers` requests at once", "{} are under way", busy)


def heeds_retry_after(record: Record, now_s: float) -> None:
    """Send no lookup before the time that the service asked for."""
    early_s = record.quiet_until_s - now_s
    _holds(early_s <= _ROUNDING_S, "heeds Retry-After", "{:.3f} s early", early_s)


def asks_for_the_levels_once_at_a_time(record: Record) -> None:
    _holds(not record.accounts_under_way, "one question for the levels at once", "another is under way")
    _holds(not record.key_is_refused, "sends nothing with a refused key", "asks for the levels")
    _holds(not record.stops, "sends nothing after a stop", "asks for the levels")


def hands_on_few_at_once(events: Sequence[Event]) -> None:
    """Bound what a kill while it is put away may cost."""
    replies = sum(isinstance(event, Reply) for event in events)
    _holds(len(events) > 0 and replies <= _MOST_TOGETHER, "hands on 1 to 10", "{} of {}", replies, len(events))


def puts_away_before_it_goes_on(record: Record, wait_s: float) -> None:
    _holds(not (record.owed and wait_s > 0), "put before anything else", "waits while {} are not put", record.owed)


def heeds_refusals(record: Record, request: Request, surprises: int) -> None:
    """No 429 alone; else one a refill, and one a day for the daily limit.

    Requests sent before the program could hear of a refusal are one with it. `surprises` counts the lies that were told
    and the tokens that were taken by others: another refusal for the day needs another one of them.
    """
    if not request.refusal:
        return
    _holds(not record.is_alone, "no 429 when alone", "refused by the {} for {}", request.refusal, len(request.keys))
    assert request.taken_us is not None
    if not isinstance(request.reply, BucketEmpty | DayEmpty):
        return  # the refusal was lost on its way
    if request.sent_us < record.refusal_heard_us.get(request.refusal, 0):
        return
    record.refusal_heard_us[request.refusal] = request.taken_us
    if request.refusal == "day":
        day = request.served_us // DAY
        is_first = surprises > record.days_refused.get(day, -1)
        _holds(is_first, "one 429 a day for the daily limit", "another one, and nobody took a token since")
        record.days_refused[day] = surprises
        return
    refill_us = len(request.keys) * TOKEN // request.rate_per_min
    due_us = record.next_refusal_us
    _holds(
        request.sent_us >= due_us - refill_us,
        "one 429 a refill",
        "the next one after {:.3f} s, not {:.3f}",
        (due_us - record.started_us) / SECOND,
        (request.sent_us - record.started_us) / SECOND,
    )
    record.next_refusal_us = max(due_us, request.sent_us) + refill_us


def keeps_to_budget_and_reserve(record: Record, request: Request, server: Server) -> None:
    visit = record.visit
    if not request.charged:
        return
    if visit.budget is not None:
        _holds(record.charged <= visit.budget, "the budget", "{} of {} tokens", record.charged, visit.budget)
    if record.is_alone and not record.is_over:
        left = server.tokens.day_left
        _holds(left >= visit.reserve, "the reserve", "{} tokens are left of the day, not {}", left, visit.reserve)


def says_what_is_true(record: Record, event: Event) -> None:
    """Take an event as the pipeline does, and hold it against the truth."""
    _holds(record.stopped is None, "nothing comes after Stopped", "{}", event)
    match event:
        case Reply():
            _stores(record, event)
        case Failure():
            for key in event.keys:
                _holds(key not in record.store, "what failed is not stored", "{}", key)
                is_malformed = key in record.scenario.manners.malformed
                _holds(is_malformed or key in record.in_trouble, "fails for a reason", "{}: {}", key, event.reason)
                record.failures[key] = event.reason
        case MaybePaid():
            _holds(event.codes > 0, "says what is true", "{}", event)
            record.maybe_paid += event.codes
        case Waiting():
            is_time = 0 <= event.sleep_s <= event.left_s < math.inf
            _holds(is_time, "waits for a time", "{}", event)
        case Stopped():
            record.stopped = event


def _stores(record: Record, reply: Reply) -> None:
    record.replied_tokens += reply.tokens
    for answer in reply.answers:
        key, asins = answer.key, frozenset(item["asin"] for item in answer.items)
        _holds(key not in record.store, "a code is paid once", "{} is stored already", key)
        whole = truth(key)
        is_true = asins == whole or (key in record.in_trouble and bool(asins) and asins < whole)
        _holds(is_true, "stores the truth", "{} is {}, not {}", key, set(asins), set(whole))
        record.store[key] = asins
        record.owed.discard(key)


def stops_for_a_reason(record: Record, server: Server) -> None:
    """Stop only where the run can't go on, and leave nothing of what may be had."""
    stopped, visit, is_alone = record.stopped, record.visit, record.is_alone
    if stopped is None:
        left = [key for key in record.keys if key not in record.store and key not in record.failures]
        _holds(not left, "every code has its end", "no Reply, Failure or Stopped for {}", left)
        return
    match stopped.reason:
        case "signal":
            _holds(record.stops > 0, "stops for a reason", "{}", stopped)
        case "key":
            _holds(record.key_is_refused, "stops for a reason", "{}", stopped)
        case "budget":
            _holds(visit.budget is not None, "stops for a reason", "{}", stopped)
            if record.is_calm and not record.scenario.manners.is_absent_free:
                _holds(record.charged == visit.budget, "spends the budget", "{} of {}", record.charged, visit.budget)
        case "day":
            server.tokens.advance(record.world.now_us)
            _holds(not visit.wait_for_day or not is_alone, "waits for the day", "{}", stopped)
            is_free, is_awake = record.scenario.manners.is_absent_free, not record.scenario.sleeps
            trip_us = 2 * record.scenario.latency.most_us  # a day that began so lately can't be known of
            is_day = record.world.now_us % DAY > trip_us + SECOND
            if is_alone and is_awake and is_day and not is_free and not record.in_trouble:
                left_today = server.tokens.day_left - visit.reserve
                _holds(left_today <= 0, "spends the day", "{} tokens are left", left_today)
            if is_alone and is_awake and is_day:
                off_s = stopped.reset_s - (server.tokens.reset_us() - record.world.now_us) / SECOND
                _holds(abs(off_s) < 20, "knows when the day ends", "{:.1f} s off", off_s)
        case "down":
            is_refused = bool(record.in_trouble or record.failures or record.is_refused)
            _holds(is_refused, "stops for a reason", "{}", stopped)


def ends_in_time_after_a_stop(record: Record) -> None:
    assert record.ended_us is not None
    for asked, at_us in enumerate(record.stopped_at_us[:2], 1):
        late_us = record.ended_us - at_us - _PATIENCE_US[asked] - _SLACK_US
        slept_us = sum(duration_us for _, duration_us in record.scenario.sleeps)
        _holds(late_us <= slept_us, "leaves in time", "{:.3f} s late after stop {}", late_us / SECOND, asked)


def pays_no_more_than_it_says(record: Record) -> None:
    """What the service charged is in a reply, or may be paid twice and is said to be so."""
    said = record.replied_tokens + record.maybe_paid
    _holds(record.charged <= said, "says what may be paid twice", "{} charged, {} said", record.charged, said)


def pays_for_what_it_keeps_or_loses(records: Sequence[Record]) -> None:
    """Pay for each code once, and again only where its reply was lost, or was under way or in hand at the end."""
    lost = sum(
        request.charged
        for record in records
        for request in record.requests
        if not request.is_good or request.taken_us is None
    )
    in_hand = sum(len(record.owed) for record in records)
    charged, kept = sum(record.charged for record in records), len(records[0].store) if records else 0
    _holds(charged <= kept + lost + in_hand, "paid once", "{} for {}, {} lost, {}", charged, kept, lost, in_hand)


def asks_again_once(record: Record) -> None:
    for key, times in record.lost.items():
        _holds(times <= 2, "a lost reply is asked once more", "{} was lost {} times", key, times)


def ends_in_time(record: Record) -> None:
    """A run ends when quota, troubles and clocks say so, and not days later."""
    scenario, visit = record.scenario, record.visit
    assert record.ended_us is not None
    plans = [scenario.plan, *(plan for _, plan in scenario.plan_changes)]
    rate_per_min = min(plan.rate_per_min for plan in plans)
    a_day = min(plan.daily_limit for plan in plans) - visit.reserve
    tokens = 2 * len(record.keys) + record.rival_tokens
    troubled_us = sum(150 * SECOND for request in record.requests if not request.is_good)
    allowed_us = tokens * TOKEN // rate_per_min + troubled_us + int(record.retry_after_s * SECOND) + 300 * SECOND
    allowed_us += sum(rival.after_us + 2 * rival.gap_us * rival.times for rival in scenario.rivals)
    allowed_us += record.world.asleep_us + record.accounts_failed * 150 * SECOND
    if visit.wait_for_day:
        allowed_us += (-(-tokens // a_day) + 1) * DAY
    took_us = record.ended_us - record.started_us
    _holds(took_us <= allowed_us, "ends in time", "{:.0f} s, not {:.0f}", took_us / SECOND, allowed_us / SECOND)
    if visit.tick_s < math.inf:
        return
    most = 300 + 40 * (len(record.requests) + record.accounts)
    _holds(record.takes <= most, "ends in few steps", "{} steps for {} requests", record.takes, len(record.requests))


def never_idles(record: Record, best_us: int, pace: Pace) -> None:
    """Alone and without faults a run takes no longer than one that knew everything, and a little."""
    assert record.ended_us is not None
    scenario = record.scenario
    breaks = 1 + best_us // DAY - record.started_us // DAY + len(scenario.sleeps) + len(scenario.jumps)
    little_us = (best_us - record.started_us) // 100 + breaks * pace.lost_us + len(record.requests) * pace.lost_each_us
    due_us = pace.awake_us(best_us + little_us)
    if due_us > best_us + little_us:
        due_us += little_us
    late_us = record.ended_us - best_us
    _holds(
        record.ended_us <= due_us,
        "never idles while tokens are there",
        "{:.3f} s beyond {:.3f} s, {:.3f} s allowed",
        late_us / SECOND,
        (best_us - record.started_us) / SECOND,
        (due_us - best_us) / SECOND,
    )


def _holds(is_kept: bool, name: str, how: str, *details: object) -> None:  # noqa: FBT001
    if not is_kept:
        raise PromiseError(name, how.format(*details))
