"""Whole runs with several code columns: what is asked, paid and said, also when a run stops halfway."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from enricher import pipeline, sandbox
from enricher.config import load
from enricher.errors import EnricherError
from enricher.keys import unpack
from enricher.model import CodeType
from enricher.pipeline.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from enricher.clock import ManualClock
    from enricher.model import Domain, Item, Levels

NOWHERE = ["B000000001", "B000000002", "B000000003"]
KNOWN = ["B0ZR8JN5H7", "B0W7B0YY4H", "B0ZTJ30W4R"]
EANS = ["3760214912618", "3284716795918", "3284716679539", "4973826399619"]
EAN_NOWHERE = "4006381555555"


# --- reading ----------------------------------------------------------------------------------------------------


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return sheet_of(tmp_path, [*zip(KNOWN, EANS, strict=False), *zip(NOWHERE, EANS[1:], strict=True)])


def sheet_of(folder: Path, rows: Iterable[tuple[str, str]]) -> Path:
    path = folder / "sheet.csv"
    path.write_text("ASIN,EAN\n" + "".join(f"{asin},{ean}\n" for asin, ean in rows), encoding="utf-8")
    return path


def task(path: Path, api: sandbox.Sandbox, **flags: object) -> pipeline.Task:
    named: dict[str, object] = {"lookup.api_url": api.url, "input.code_columns": ["ASIN", "EAN"]}
    named |= {name.replace("__", "."): value for name, value in flags.items()}
    return pipeline.Task(path, load(None, named, {"ASINSCOPE_API_KEY": "sandbox"}))


def results(path: Path) -> list[tuple[str, str, str]]:
    with path.with_name("sheet.enriched.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        (row["lookup_status"], row["lookup_code"], row["lookup_note"].removesuffix("; sandbox data: not Amazon's"))
        for row in rows
    ]


def test_keys_are_numbered_in_the_order_of_first_need(tmp_path: Path, api: sandbox.Sandbox) -> None:
    path = sheet_of(tmp_path, [(KNOWN[0], EANS[0]), ("", EANS[1]), (NOWHERE[0], "odd"), ("", ""), (KNOWN[0], EANS[2])])
    reading = read(task(path, api), pipeline.Observer())
    assert [key.code for key in unpack(reading.keys)] == [KNOWN[0], EANS[1], NOWHERE[0], EANS[0], EANS[2]]
    assert reading.candidates.tolist() == [[0, 1, 2, -1, 0], [3, -1, -1, -1, 4]]
    assert reading.sources[reading.candidates >= 0].tolist() == [0, 1, 0, 0, 1, 1]
    assert len(reading.first_keys) == 3


def test_a_row_beyond_the_limit_loses_all_its_codes(tmp_path: Path, api: sandbox.Sandbox) -> None:
    path = sheet_of(tmp_path, zip(KNOWN, EANS, strict=False))
    reading = read(task(path, api, input__limit=1), pipeline.Observer())
    assert [key.code for key in unpack(reading.keys)] == [KNOWN[0], EANS[0]]
    assert reading.candidates.tolist() == [[0, -1, -1], [1, -1, -1]]


# --- runs -------------------------------------------------------------------------------------------------------


class Hears(pipeline.Observer):
    """Hears how many codes each round is about to look up, and may do something then."""

    def __init__(self, act: Callable[[], object] = lambda: None) -> None:
        self.rounds: list[int] = []
        self._act = act

    def looking_up(self, codes: int, levels: Levels) -> None:
        assert levels
        self.rounds.append(codes)
        self._act()


def test_a_second_code_is_paid_for_only_where_the_first_was_not_found(sheet: Path, api: sandbox.Sandbox) -> None:
    hears = Hears()
    summary = pipeline.enrich(task(sheet, api), hears)
    assert hears.rounds == [6, 3]
    assert api.ledger.spent("sandbox") == summary.tokens_spent == 9
    assert EANS[0] not in api.requests
    assert (summary.rows_found, summary.rows_not_found, summary.rows_by_fallback) == (6, 0, 3)
    assert (summary.unique_codes, summary.codes_found, summary.codes_not_found) == (9, 6, 3)
    assert (summary.tokens_saved_by_duplicates, summary.tokens_saved_by_resume_file) == (0, 0)
    assert "3 of them found by another code: the first was not found" in "\n".join(summary.lines())
    assert results(sheet) == [
        *(("found", code, "sandbox data: not Amazon's") for code in KNOWN),
        *(
            ("found", ean, f"{asin} in column 'ASIN' was not found; this is {ean} from column 'EAN'")
            for asin, ean in zip(NOWHERE, EANS[1:], strict=True)
        ),
    ]


def test_the_same_command_again_costs_nothing_and_says_the_same(sheet: Path, api: sandbox.Sandbox) -> None:
    pipeline.enrich(task(sheet, api), pipeline.Observer())
    before, spent = results(sheet), api.ledger.spent("sandbox")
    hears = Hears()
    summary = pipeline.enrich(task(sheet, api), hears)
    assert (hears.rounds, summary.tokens_spent, summary.tokens_saved_by_resume_file) == ([], 0, 9)
    assert (summary.unique_codes, summary.codes_pending, summary.rows_by_fallback) == (9, 0, 3)
    assert api.ledger.spent("sandbox") == spent
    assert results(sheet) == before


@pytest.mark.parametrize("budget", range(10))
def test_a_run_stopped_anywhere_pays_the_rest_the_next_time(sheet: Path, api: sandbox.Sandbox, budget: int) -> None:
    hears = Hears()
    stopped = pipeline.enrich(task(sheet, api, lookup__max_tokens=budget), hears)
    assert stopped.tokens_spent == sum(hears.rounds) == budget
    assert stopped.stop_reason == ("" if budget == 9 else "budget")
    assert stopped.codes_found + stopped.codes_not_found == budget
    assert stopped.codes_pending == stopped.unique_codes - budget
    rest = pipeline.enrich(task(sheet, api), pipeline.Observer())
    assert rest.tokens_spent == 9 - budget
    assert rest.tokens_saved_by_resume_file == budget
    assert set(api.requests.values()) == {1}
    assert rest.rows_found == 6


def test_a_row_waiting_for_its_second_code_says_so(sheet: Path, api: sandbox.Sandbox) -> None:
    stopped = pipeline.enrich(task(sheet, api, lookup__max_tokens=6), pipeline.Observer())
    assert (stopped.rows_pending, stopped.codes_pending, stopped.stop_reason) == (3, 3, "budget")
    asked = f"{NOWHERE[0]} in column 'ASIN' was not found"
    assert results(sheet)[3] == (
        "pending",
        EANS[1],
        f"{asked}; next is {EANS[1]} from column 'EAN'; not looked up yet: run again to go on",
    )


def test_a_signal_between_rounds_leaves_the_second_codes_for_the_next_run(sheet: Path, api: sandbox.Sandbox) -> None:
    hears = Hears()
    stopped = pipeline.enrich(task(sheet, api), hears, lambda: len(hears.rounds) > 1)
    assert (stopped.stop_reason, stopped.tokens_spent, stopped.rows_pending) == ("signal", 6, 3)
    assert pipeline.enrich(task(sheet, api), pipeline.Observer()).tokens_spent == 3


def test_what_was_paid_for_is_kept_when_the_program_dies_between_rounds(sheet: Path, api: sandbox.Sandbox) -> None:
    class Dies(Hears):
        def looking_up(self, codes: int, levels: Levels) -> None:
            super().looking_up(codes, levels)
            if len(self.rounds) > 1:
                raise EnricherError("the lights went out")

    with pytest.raises(EnricherError, match="lights"):
        pipeline.enrich(task(sheet, api), Dies())
    assert api.ledger.spent("sandbox") == 6
    assert pipeline.enrich(task(sheet, api), pipeline.Observer()).tokens_spent == 3


def test_a_row_none_of_whose_codes_exists_is_not_found_by_its_first(tmp_path: Path, api: sandbox.Sandbox) -> None:
    path = sheet_of(tmp_path, [(NOWHERE[0], EAN_NOWHERE), (NOWHERE[1], ""), ("", EAN_NOWHERE)])
    summary = pipeline.enrich(task(path, api), pipeline.Observer())
    assert (summary.rows_not_found, summary.rows_by_fallback, summary.codes_not_found) == (3, 0, 3)
    assert results(path) == [
        ("not_found", NOWHERE[0], f"not found, nor {EAN_NOWHERE} from column 'EAN'"),
        ("not_found", NOWHERE[1], ""),
        ("not_found", EAN_NOWHERE, ""),
    ]
    assert pipeline.enrich(task(path, api), pipeline.Observer()).tokens_spent == 0


def test_a_code_that_two_rows_share_is_one_lookup_whichever_place_it_has(tmp_path: Path, api: sandbox.Sandbox) -> None:
    rows = [(NOWHERE[0], EANS[0]), (NOWHERE[0], EANS[0]), (NOWHERE[1], EANS[0]), ("", EANS[0])]
    summary = pipeline.enrich(task(sheet_of(tmp_path, rows), api), pipeline.Observer())
    assert api.requests == Counter([*NOWHERE[:2], EANS[0]])
    assert (summary.rows_found, summary.rows_by_fallback, summary.tokens_saved_by_duplicates) == (4, 3, 1)


class Shelf(sandbox.Catalog):
    """Has the products whose codes lie on it, and breaks at those that are broken."""

    codes: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()

    def lookup(self, code_type: CodeType, code: str, domain: Domain) -> list[Item]:
        if code in self.broken:
            raise ZeroDivisionError
        asin = code if code_type is CodeType.ASIN else f"B{code[-9:]}"
        return [{"asin": asin, "ean": code, "title": f"{domain}"}] if code in self.codes else []


def test_a_not_found_of_long_ago_is_asked_again_before_the_next_code(tmp_path: Path, clock: ManualClock) -> None:
    path = sheet_of(tmp_path, zip(NOWHERE, EANS[:3], strict=True))
    catalog = Shelf()
    with sandbox.serve(catalog, {"sandbox": sandbox.PRO}, clock) as api:
        first = pipeline.enrich(task(path, api, lookup__max_tokens=3), pipeline.Observer(), clock=clock)
        assert (first.codes_not_found, first.rows_pending) == (3, 3)
        clock.sleep(3600)
        catalog.codes = frozenset([*NOWHERE[:2], *EANS])
        refresh = task(path, api, lookup__max_age="1m")
        plan = pipeline.plan(refresh, pipeline.Observer(), clock)
        assert (plan.tokens, plan.tokens_at_most) == (3, 6)
        second = pipeline.enrich(refresh, pipeline.Observer(), clock=clock)
        assert api.requests == Counter([*NOWHERE, *NOWHERE, EANS[2]])
    assert (second.tokens_spent, second.rows_found, second.rows_by_fallback) == (4, 3, 1)
    assert second.tokens_saved_by_resume_file == 0


def test_a_run_longer_than_the_age_allowed_does_not_ask_itself_again(tmp_path: Path, clock: ManualClock) -> None:
    path = sheet_of(tmp_path, zip(NOWHERE, EANS[:3], strict=True))
    with sandbox.serve(Shelf(), {"sandbox": sandbox.PRO}, clock) as api:
        hears = Hears(lambda: clock.sleep(3600))
        summary = pipeline.enrich(task(path, api, lookup__max_age="1m"), hears, clock=clock)
    assert (hears.rounds, summary.tokens_spent) == ([3, 3], 6)


def test_a_lookup_that_failed_moves_no_row_on(tmp_path: Path, clock: ManualClock) -> None:
    path = sheet_of(tmp_path, zip(NOWHERE[:1], EANS[:1], strict=True))
    catalog = Shelf()
    catalog.broken, catalog.codes = frozenset(NOWHERE), frozenset(EANS)
    with sandbox.serve(catalog, {"sandbox": sandbox.PRO}, clock) as api:
        summary = pipeline.enrich(task(path, api), pipeline.Observer(), clock=clock)
        assert EANS[0] not in api.requests
    assert (summary.rows_failed, summary.codes_failed, summary.codes_pending, summary.unique_codes) == (1, 1, 0, 1)
    assert results(path)[0][:2] == ("failed", NOWHERE[0])


def test_a_second_code_that_failed_is_named(tmp_path: Path, clock: ManualClock) -> None:
    path = sheet_of(tmp_path, zip(NOWHERE[:1], EANS[:1], strict=True))
    catalog = Shelf()
    catalog.broken = frozenset(EANS)
    with sandbox.serve(catalog, {"sandbox": sandbox.PRO}, clock) as api:
        summary = pipeline.enrich(task(path, api), pipeline.Observer(), clock=clock)
    assert (summary.rows_failed, summary.codes_failed, summary.codes_not_found) == (1, 1, 1)
    status, code, note = results(path)[0]
    assert (status, code) == ("failed", EANS[0])
    assert note.startswith(f"{NOWHERE[0]} in column 'ASIN' was not found; next is {EANS[0]} from column 'EAN'; ")


def test_offline_a_row_moves_on_as_far_as_is_known(sheet: Path, api: sandbox.Sandbox) -> None:
    pipeline.enrich(task(sheet, api, lookup__max_tokens=6), pipeline.Observer())
    offline = pipeline.enrich(task(sheet, api, lookup__offline=True), pipeline.Observer())
    assert (offline.rows_found, offline.rows_pending, offline.tokens_spent) == (3, 3, 0)
    assert results(sheet)[3][2].endswith(f"next is {EANS[1]} from column 'EAN'; not looked up: --offline")


# --- the plan ---------------------------------------------------------------------------------------------------


def test_a_plan_says_what_the_first_codes_cost_and_what_it_may_grow_to(sheet: Path, api: sandbox.Sandbox) -> None:
    plan = pipeline.plan(task(sheet, api), pipeline.Observer())
    assert (plan.tokens, plan.tokens_at_most) == (6, 10)
    assert "6 tokens in 1 request; up to 4 more where a row's first code is not found" in "\n".join(plan.lines())
    assert not api.requests


@pytest.mark.parametrize(("spent", "left"), [(6, (3, 3)), (8, (1, 1)), (9, (0, 0))])
def test_a_plan_goes_on_where_a_run_has_stopped(
    sheet: Path, api: sandbox.Sandbox, spent: int, left: tuple[int, int]
) -> None:
    pipeline.enrich(task(sheet, api, lookup__max_tokens=spent), pipeline.Observer())
    plan = pipeline.plan(task(sheet, api), pipeline.Observer())
    assert (plan.tokens, plan.tokens_at_most) == left
    assert "more where" not in "\n".join(plan.lines())
    assert sum(group.known for group in plan.groups) == spent


@pytest.mark.parametrize(("budget", "told"), [(4, (4, 4)), (7, (6, 7))])
def test_a_budget_caps_both_figures_of_a_plan(
    sheet: Path, api: sandbox.Sandbox, budget: int, told: tuple[int, int]
) -> None:
    plan = pipeline.plan(task(sheet, api, lookup__max_tokens=budget), pipeline.Observer())
    assert (plan.tokens, plan.tokens_at_most) == told
    offline = pipeline.plan(task(sheet, api, lookup__offline=True), pipeline.Observer())
    assert (offline.tokens, offline.tokens_at_most) == (0, 0)
