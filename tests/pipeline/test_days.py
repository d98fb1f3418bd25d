"""Imports that take days of quota, on a clock that is moved, against the real sandbox on a Basic plan."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from enricher import pipeline, sandbox
from enricher.config import load

if TYPE_CHECKING:
    from pathlib import Path

    from enricher.clock import ManualClock

CODES = 2_500


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "import.csv"
    path.write_text("ASIN\n" + "".join(f"B0{number:08}\n" for number in range(CODES)), encoding="utf-8")
    return path


def task(path: Path, api: sandbox.Sandbox, on_quota: str) -> pipeline.Task:
    flags = {"lookup.api_url": api.url, "lookup.on_quota": on_quota}
    return pipeline.Task(path, load(None, flags, {"ASINSCOPE_API_KEY": "sandbox-basic"}))


def test_waiting_finishes_in_three_days_as_planned(sheet: Path, clock: ManualClock) -> None:
    with sandbox.serve(clock=clock) as api:
        plan = pipeline.plan(task(sheet, api, "wait"), pipeline.Observer(), clock)
        started_s = clock.monotonic_s()
        summary = pipeline.enrich(task(sheet, api, "wait"), pipeline.Observer(), clock=clock)
        assert not api.refusals
        assert set(api.requests.values()) == {1}
    assert (summary.tokens_spent, summary.rows_pending, summary.stop_reason) == (plan.tokens, 0, "")
    assert (clock.now().date() - datetime(2026, 3, 1).date()).days == 2  # noqa: DTZ001 - the test's first day
    assert plan.timing is not None
    assert clock.monotonic_s() - started_s == pytest.approx(plan.timing.forecast.duration_s, rel=0.001)


def test_three_daily_runs_spend_the_same(sheet: Path, clock: ManualClock) -> None:
    spent = []
    with sandbox.serve(clock=clock) as api:
        for _day in range(3):
            summary = pipeline.enrich(task(sheet, api, "stop"), pipeline.Observer(), clock=clock)
            spent.append(summary.tokens_spent)
            clock.sleep(86_400 - clock.monotonic_s() % 86_400)
        assert not api.refusals
        assert set(api.requests.values()) == {1}
    assert spent == [1_000, 1_000, 500]
    assert (summary.rows_pending, summary.stop_reason) == (0, "")
