"""What a plan says: days by the reader's calendar, where a run stops, and what is left out."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from enricher.report import Group, PlanReport
from enricher.report.timing import Forecast, Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNTIL_MIDNIGHT_S = 12 * 3600.0
GROUP = Group("ean", "de", 2530, 2500, 0, 2500, 250)


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """The reader's time zone: UTC unless the test moves there."""

    def move(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    move("UTC")
    yield move
    monkeypatch.undo()
    time.tzset()


def timing(duration_s: float, by_day: Sequence[int], *, days: int = 0, this_run: int | None = None) -> Timing:
    forecast = Forecast(duration_s, by_day, days or len(by_day))
    ends = sum(by_day) if this_run is None else this_run
    return Timing(NOON, 1000, 0, UNTIL_MIDNIGHT_S, forecast, forecast, ends, 5640.0)


def plan(times: Timing | None = None, **facts: Any) -> PlanReport:
    told: dict[str, Any] = {
        "input": "a.csv", "read_as": "text", "code_columns": ["EAN"], "rows": 2600, "rows_invalid": 50,
        "rows_blank": 20,
        "duplicates": 30, "problems": {}, "groups": [GROUP], "tokens": 2500, "tokens_at_most": 2500, "requests": 250,
        "made_at": NOON, "timing": times,
    }  # fmt: skip
    return PlanReport(**told | facts)


def text(report: PlanReport) -> str:
    return "\n".join(report.lines())


def test_a_plan_says_what_is_sent_and_why_the_rest_is_not() -> None:
    report = plan(problems={"check digit wrong": 40, "only zeros": 7, "a date": 2, "an FNSKU": 1})
    assert "2,600: 50 invalid and 20 blank cost nothing; 30 repeat a code" in text(report)
    assert "Not sent 40 x check digit wrong; 7 x only zeros; 2 x a date; 1 x others" in text(report)
    assert "ean   de        2,530       30    2,500        0    2,500      250" in text(report)
    assert "2,500 tokens in 250 requests" in text(report)


def test_several_marketplaces_are_summed_up() -> None:
    report = plan(groups=[GROUP, Group("asin", "com", 2, 1, 1, 0, 0)])
    assert "all             2,532       31    2,501        1    2,500      250" in text(report)


def test_days_are_named_by_the_calendar() -> None:
    report = plan(timing(120_000.0, (1000, 1000, 500), this_run=1000))
    assert "about 1 day 9 h, done Monday 2 March, 21:20" in text(report)
    assert "1,000 today, 1,000 tomorrow, 500 on Tuesday 3 March" in text(report)
    assert "1,000 tokens left today; more Monday 2 March, 00:00" in text(report)
    facts = report.to_json()
    assert facts["days"] == [
        {"date": "2026-03-01", "tokens": 1000},
        {"date": "2026-03-02", "tokens": 1000},
        {"date": "2026-03-03", "tokens": 500},
    ]
    assert (facts["done_at"], facts["reset_at"]) == ("2026-03-02T21:20:00+00:00", "2026-03-02T00:00:00+00:00")


def test_a_day_has_the_date_its_tokens_come_on_where_the_reader_is(zone: Callable[[str], None]) -> None:
    zone("America/Los_Angeles")
    report = plan(timing(120_000.0, (1000, 1000, 500)))
    assert "1,000 now, 1,000 today from 16:00 on, 500 tomorrow" in text(report)
    assert [day["date"] for day in report.to_json()["days"]] == ["2026-03-01", "2026-03-01", "2026-03-02"]


def test_a_day_stays_24_hours_where_clocks_are_put_forward(zone: Callable[[str], None]) -> None:
    zone("Europe/Berlin")
    report = plan(timing(29 * 86_400.0, (1000,) * 30))
    assert report.to_json()["days"][-1] == {"date": "2026-03-30", "tokens": 1000}
    assert "done Monday 30 March, 14:00" in text(report)


def test_a_midnight_told_a_hair_too_early_is_no_other_day() -> None:
    told = Timing(NOON, 0, 0, UNTIL_MIDNIGHT_S - 2, Forecast(5e4, (0, 9), 2), Forecast(5e4, (0, 9), 2), 0, 0.0)
    assert "more Monday 2 March, 00:00" in text(plan(told))
    assert "9 tomorrow" in text(plan(told))


def test_many_days_are_summed_up_and_another_year_is_named() -> None:
    report = plan(timing(330 * 86_400.0, (1000, *(990,) * 329, 10)))
    assert "1,000 today, then 990 a day, 331 days in all" in text(report)
    assert "done Monday 25 January 2027, 12:00" in text(report)
    uneven = plan(timing(5 * 86_400.0, (700, 1440, 1439, 1440, 3)))
    assert "700 today, then about 1,440 a day, 5 days in all" in text(uneven)


@pytest.mark.parametrize(
    ("by_day", "this_run", "said"),
    [
        ((1000, 500), 1000, ["stops after today's 1,000 tokens, in 1 h 34 min;", "run it again after the reset, or"]),
        ((1000, 1000, 500), 1000, ["stops after today's 1,000 tokens", "run it again each day, or once with"]),
        ((360, 1000, 500), 1360, ["this run stops after the first 1,360 tokens, in"]),
        ((0, 500), 0, ["a run now would stop at once, as today's tokens are used up;", "500 tomorrow"]),
    ],
)
def test_a_run_that_stops_at_a_used_up_day_is_told_of(by_day: tuple[int, ...], this_run: int, said: list[str]) -> None:
    told = text(plan(timing(1e5, by_day, this_run=this_run)))
    assert all(part in told for part in said)


@pytest.mark.parametrize("by_day", [(900,), (1000, 1000, 500)])
def test_a_run_that_spends_the_whole_plan_is_not_told_to_go_on(by_day: tuple[int, ...]) -> None:
    assert "stop" not in text(plan(timing(1e5, by_day)))


def test_one_day_needs_no_list_of_days() -> None:
    told = text(plan(timing(1440.0, (300,))))
    assert "about 24 min 0 s, done Sunday 1 March, 12:24" in told
    assert "today," not in told.partition("Time")[2]


def test_tokens_that_are_there_take_no_time() -> None:
    assert "no waiting: the tokens are there" in text(plan(timing(0.0, (50,))))


def test_a_plan_says_what_it_may_grow_to_only_where_it_may() -> None:
    slower = Timing(NOON, 1000, 0, UNTIL_MIDNIGHT_S, Forecast(300, (108,), 1), Forecast(660, (168,), 1), 108, 300)
    told = text(plan(slower, tokens=108, tokens_at_most=168, requests=11))
    assert "108 tokens in 11 requests; up to 60 more where a row's first code is not found" in told
    assert "with all the next codes of rows: about 11 min 0 s, done Sunday 1 March, 12:11" in told
    assert "more where" not in text(plan())


def test_what_a_budget_leaves_out_is_counted() -> None:
    report = plan(tokens=1, tokens_at_most=1, requests=1, codes_pending=2499, limited_by="--max-tokens")
    assert "1 token in 1 request; 2,499 codes left out by --max-tokens" in text(report)


def test_nothing_to_ask_is_said() -> None:
    assert "Time     no lookup is needed" in text(plan(tokens=0, tokens_at_most=0, requests=0))
    offline = plan(tokens=0, tokens_at_most=0, requests=0, codes_pending=9, limited_by="--offline")
    assert "Time     nothing is asked" in text(offline)
    assert offline.to_json()["duration_s"] == 0


@pytest.mark.parametrize(
    ("duration_s", "said"),
    [(float("inf"), "never: the account does not give so many tokens"), (1e12, "more than a hundred years")],
)
def test_an_endless_plan_is_said_to_be_one_and_null_in_json(duration_s: float, said: str) -> None:
    report = plan(timing(duration_s, (1,) * 367, days=10_000_000))
    assert said in text(report)
    facts = json.loads(json.dumps(report.to_json()))
    assert (facts["duration_s"], facts["done_at"]) == (None, None)


def test_the_same_names_are_in_json_whether_the_quota_is_known_or_not() -> None:
    known, unknown = plan(timing(1e5, (1000, 500))).to_json(), plan().to_json()
    assert known.keys() == unknown.keys()
    assert (unknown["duration_s"], unknown["days"]) == (None, [])
