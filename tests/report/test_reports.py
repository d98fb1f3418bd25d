from __future__ import annotations

import json

from enricher.report import Group, PlanReport, Summary, group_problems


def test_a_summary_says_what_was_spent_and_what_was_saved() -> None:
    summary = Summary(
        rows=300, rows_found=280, rows_invalid=20, unique_codes=110, codes_found=110, tokens_spent=100,
        tokens_saved_by_duplicates=170, tokens_saved_by_resume_file=10, tokens_saved_by_refusing=20,
        tokens_left_today=9900,
    )  # fmt: skip
    text = "\n".join(summary.lines())
    assert "300: 280 found, 0 not found, 20 invalid" in text
    assert "100 spent; 9,900 left today; saved 170 by duplicates, 10 by the resume file, 20 by not sending" in text
    assert "SANDBOX" not in text


def test_a_stop_for_the_day_says_when_to_come_back() -> None:
    stopped = Summary(stopped="run again after the reset", reset_at="2026-03-02T12:00:00Z")
    assert stopped.lines()[-1].startswith("  Stopped  run again after the reset, Monday 02 March, ")


def test_the_sandbox_is_never_mistaken_for_amazon() -> None:
    assert "SANDBOX" in "\n".join(Summary(is_sandbox=True).lines())


def test_json_holds_the_same_facts() -> None:
    facts = json.loads(json.dumps(Summary(rows=3, stop_reason="day").to_json()))
    assert (facts["rows"], facts["stop_reason"]) == (3, "day")


def test_problems_of_a_kind_are_counted_together() -> None:
    notes = [
        "check digit wrong: 098765432109 would have to end in 5",
        "check digit wrong: 4006381333932 would have to end in 1",
    ]
    assert group_problems([*notes, "only zeros"]) == {
        "check digit wrong: ... would have to end in ...": 2,
        "only zeros": 1,
    }


def test_a_plan_over_several_days_names_them() -> None:
    plan = PlanReport(
        input="a.csv", read_as="text", code_columns=["EAN"], rows=2600, rows_invalid=50, rows_blank=20, duplicates=30,
        groups=[Group("ean", "de", 2500, 0, 2500, 250)], tokens=2500, tokens_at_most=2500,
        requests=250, made_at="2026-03-01T12:00:00+00:00",
        duration_s=150_000.0, tokens_by_day=(1000, 1000, 500), tokens_left_today=1000,
    )  # fmt: skip
    text = "\n".join(plan.lines())
    assert "2,500 tokens in 250 requests" in text
    assert "1,000 today, 1,000 tomorrow, 500 on day 3" in text
    assert "Tuesday 03 March" in text


def test_a_plan_says_what_it_may_grow_to_only_where_it_may() -> None:
    told = [
        "\n".join(PlanReport("a", "b", [], 0, 0, 0, 0, [], 108, most, 11, "2026-03-01T12:00:00+00:00").lines())
        for most in (168, 108)
    ]
    assert "108 tokens in 11 requests; up to 60 more where a row's first code is not found" in told[0]
    assert "more where" not in told[1]


def test_rows_found_by_a_later_code_are_told() -> None:
    assert "12 of them found by another code" in "\n".join(Summary(rows_found=20, rows_by_fallback=12).lines())
    assert "another code" not in "\n".join(Summary(rows_found=20).lines())


def test_an_endless_plan_is_null_in_json() -> None:
    plan = PlanReport("a", "b", [], 0, 0, 0, 0, [], 5, 5, 1, "2026-03-01T12:00:00+00:00", duration_s=float("inf"))
    assert plan.to_json()["duration_s"] is None
    assert "never" in "\n".join(plan.lines())
