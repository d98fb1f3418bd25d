from __future__ import annotations

import json

from enricher.report import Summary, group_problems


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
    assert stopped.lines()[-1].startswith("  Stopped  run again after the reset, Monday 2 March, ")


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


def test_rows_found_by_a_later_code_are_told() -> None:
    assert "12 of them found by another code" in "\n".join(Summary(rows_found=20, rows_by_fallback=12).lines())
    assert "another code" not in "\n".join(Summary(rows_found=20).lines())
