"""A plan is what the run with the same settings then asks, spends and takes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from enricher import pipeline, sandbox
from enricher.config import load
from enricher.report import Group

if TYPE_CHECKING:
    from pathlib import Path

    from enricher.clock import ManualClock
    from enricher.model import CodeType, Domain, Item

SMALL = sandbox.Plan("small", bucket_capacity=20, tokens_per_minute=1, daily_limit=100)


class Shelf(sandbox.Catalog):
    """Has every code but those that end in 9."""

    def lookup(self, code_type: CodeType, code: str, domain: Domain) -> list[Item]:
        asin = code if code_type == "asin" else f"B{code[-9:]}"
        return [] if code.endswith("9") else [{"asin": asin, "ean": code, "title": f"{domain}"}]


def asin(number: int) -> str:
    return f"B0{number:07}0"


def sheet_of(folder: Path, *rows: str, header: str = "ASIN") -> Path:
    path = folder / "sheet.csv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def task(path: Path, api: sandbox.Sandbox, **flags: object) -> pipeline.Task:
    named: dict[str, object] = {"lookup.api_url": api.url}
    named |= {name.replace("__", "."): value for name, value in flags.items()}
    return pipeline.Task(path, load(None, named, {"ASINSCOPE_API_KEY": "sandbox"}))


def test_cells_repeated_codes_known_codes_and_invalid_rows_are_counted(tmp_path: Path, api: sandbox.Sandbox) -> None:
    path = sheet_of(
        tmp_path,
        *(f"{asin(at % 25)},{'de' if at % 25 < 20 else 'UK'}" for at in range(40)),
        "junk,de",
        ",de",
        header="ASIN,marketplace",
    )
    wanted = task(path, api, input__domain_column="marketplace")
    plan = pipeline.plan(wanted, pipeline.Observer())
    assert plan.groups == [Group("asin", "de", 35, 20, 0, 20, 2), Group("asin", "uk", 5, 5, 0, 5, 1)]
    assert (plan.rows, plan.rows_invalid, plan.rows_blank, plan.duplicates) == (42, 1, 1, 15)
    assert plan.problems == {"neither an ASIN nor a UPC or EAN": 1}
    pipeline.enrich(task(path, api, input__domain_column="marketplace", lookup__max_tokens=7), pipeline.Observer())
    again = pipeline.plan(wanted, pipeline.Observer())
    assert again.groups == [Group("asin", "de", 35, 20, 7, 13, 2), Group("asin", "uk", 5, 5, 0, 5, 1)]
    assert pipeline.enrich(wanted, pipeline.Observer()).tokens_spent == again.tokens == 18


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"lookup__max_tokens": 13},
        {"lookup__max_tokens": 0},
        {"input__limit": 20},
        {"lookup__offline": True},
        {"lookup__reserve_tokens": 60},
        {"lookup__max_age": "1s"},
    ],
)
def test_a_run_spends_what_the_plan_says(tmp_path: Path, clock: ManualClock, flags: dict[str, object]) -> None:
    path = sheet_of(tmp_path, *(asin(at % 50) for at in range(90)))
    with sandbox.serve(Shelf(), {"sandbox": SMALL}, clock) as api:
        pipeline.enrich(task(path, api, lookup__max_tokens=4), pipeline.Observer(), clock=clock)
        clock.sleep(2)
        plan = pipeline.plan(task(path, api, **flags), pipeline.Observer(), clock)
        summary = pipeline.enrich(task(path, api, **flags), pipeline.Observer(), clock=clock)
    assert plan.tokens == plan.tokens_at_most
    assert summary.tokens_spent == plan.to_json()["tokens_this_run"]
    assert summary.codes_pending == plan.codes_pending + plan.tokens - summary.tokens_spent


def test_a_plan_of_days_is_done_when_a_run_that_waits_is(tmp_path: Path, clock: ManualClock) -> None:
    path = sheet_of(tmp_path, *map(asin, range(250)))
    with sandbox.serve(Shelf(), {"sandbox": SMALL}, clock) as api:
        clock.sleep(1)
        waiting = task(path, api, lookup__on_quota="wait", lookup__reserve_tokens=10)
        plan = pipeline.plan(waiting, pipeline.Observer(), clock)
        facts = plan.to_json()
        assert [day["tokens"] for day in facts["days"]] == [90, 90, 70]
        assert (facts["tokens_this_run"], facts["tokens_reserved"]) == (250, 10)
        assert pipeline.enrich(waiting, pipeline.Observer(), clock=clock).tokens_spent == 250
        assert plan.timing is not None
        done = plan.timing.forecast.done(plan.made_at)
        assert done is not None
        assert timedelta(0) <= clock.now() - done < timedelta(minutes=1)


def test_a_plan_of_days_is_what_daily_runs_spend(tmp_path: Path, clock: ManualClock) -> None:
    path = sheet_of(tmp_path, *map(asin, range(250)))
    with sandbox.serve(Shelf(), {"sandbox": SMALL}, clock) as api:
        days = [day["tokens"] for day in pipeline.plan(task(path, api), pipeline.Observer(), clock).to_json()["days"]]
        spent = []
        for _ in days:
            plan = pipeline.plan(task(path, api), pipeline.Observer(), clock)
            spent.append(pipeline.enrich(task(path, api), pipeline.Observer(), clock=clock).tokens_spent)
            assert spent[-1] == plan.to_json()["tokens_this_run"]
            clock.sleep(86_400)
    assert spent == days == [100, 100, 50]


def test_requests_fit_a_bucket_smaller_than_a_chunk(tmp_path: Path, clock: ManualClock) -> None:
    path = sheet_of(tmp_path, *map(asin, range(25)))
    tiny = sandbox.Plan("tiny", bucket_capacity=4, tokens_per_minute=60, daily_limit=100)
    with sandbox.serve(Shelf(), {"sandbox": tiny}, clock) as api:
        plan = pipeline.plan(task(path, api), pipeline.Observer(), clock)
        assert (plan.requests, plan.to_json()["duration_s"]) == (3 + 3 + 2, 21)
        start_s = clock.monotonic_s()
        assert pipeline.enrich(task(path, api), pipeline.Observer(), clock=clock).tokens_spent == 25
        assert 21 <= clock.monotonic_s() - start_s < 22


def test_with_fallback_columns_a_run_stays_in_the_plans_range(tmp_path: Path, clock: ManualClock) -> None:
    missing = [f"B0000{at:04}9" for at in range(6)]
    rows = [
        *(f"{asin(at)},4006381333931" for at in range(3)),
        *(f"{code},{ean}" for code in missing for ean in ("4210201072959",)),
    ]
    path = sheet_of(tmp_path, *rows, header="ASIN,EAN")
    with sandbox.serve(Shelf(), {"sandbox": SMALL}, clock) as api:
        wanted = task(path, api, input__code_columns=["ASIN", "EAN"])
        plan = pipeline.plan(wanted, pipeline.Observer(), clock)
        assert plan.groups == [Group("asin", "com", 9, 9, 0, 9, 1)]
        assert (plan.tokens, plan.tokens_at_most) == (9, 11)
        spent = pipeline.enrich(wanted, pipeline.Observer(), clock=clock).tokens_spent
        assert plan.tokens < spent == 10 <= plan.tokens_at_most
        again = pipeline.plan(wanted, pipeline.Observer(), clock)
        assert again.groups == [Group("asin", "com", 9, 9, 9, 0, 0), Group("ean", "com", 6, 1, 1, 0, 0)]
        assert again.duplicates == 5
