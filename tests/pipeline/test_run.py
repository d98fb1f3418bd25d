"""Runs in which something happens that must not cost money, rows or files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from enricher import pipeline, sandbox
from enricher.clock import ManualClock, SystemClock
from enricher.config import load
from enricher.errors import ConfigError, InputError, OutputError, StoreLockedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from enricher.model import CodeType, Domain, Item, Levels

CODES = ["4006381333931", "4210201072959", "4548736144194"]


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "sheet.csv"
    path.write_text("SKU,EAN\n" + "".join(f"{at},{code}\n" for at, code in enumerate(CODES)), encoding="utf-8")
    return path


def task(path: Path, api: sandbox.Sandbox, output: Path | None = None, **flags: object) -> pipeline.Task:
    named = {"lookup.api_url": api.url, **{name.replace("__", "."): value for name, value in flags.items()}}
    return pipeline.Task(path, load(None, named, {"ASINSCOPE_API_KEY": "sandbox"}), output)


class During(pipeline.Observer):
    """Does something once, just before the first lookup."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act

    def looking_up(self, codes: int, levels: Levels) -> None:
        assert codes
        assert levels
        self._act()


@pytest.mark.parametrize("change", ["SKU,EAN\n", "SKU,EAN\n1,4548736144194\n", "SKU,EAN\n" + "1,4006381333931\n" * 9])
def test_a_sheet_saved_while_lookups_run_is_not_mixed_up(sheet: Path, api: sandbox.Sandbox, change: str) -> None:
    with pytest.raises(InputError, match="was changed while it was being worked on"):
        pipeline.enrich(task(sheet, api), During(lambda: sheet.write_text(change, encoding="utf-8")))
    assert not sheet.with_name("sheet.enriched.csv").exists()
    sheet.write_text("SKU,EAN\n1,4006381333931\n", encoding="utf-8")
    assert pipeline.enrich(task(sheet, api), pipeline.Observer()).tokens_spent == 0


def test_an_output_made_while_lookups_run_is_not_overwritten(sheet: Path, api: sandbox.Sandbox) -> None:
    output = sheet.with_name("sheet.enriched.csv")
    with pytest.raises(OutputError, match="exists already"):
        pipeline.enrich(task(sheet, api), During(lambda: output.write_text("mine", encoding="utf-8")))
    assert output.read_text(encoding="utf-8") == "mine"


def test_a_second_run_at_the_same_time_is_refused_and_leaves_the_first_alone(sheet: Path, api: sandbox.Sandbox) -> None:
    def second() -> None:
        with pytest.raises(StoreLockedError):
            pipeline.enrich(task(sheet, api), pipeline.Observer())

    summary = pipeline.enrich(task(sheet, api), During(second))
    assert summary.tokens_spent == len(CODES)
    assert sheet.with_name("sheet.enriched.csv").exists()


def test_what_cannot_be_written_is_refused_before_anything_is_spent(tmp_path: Path, api: sandbox.Sandbox) -> None:
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    for row in [["EAN", "note"], *([code, ""] for code in CODES)]:
        page.append(row)
    page.merge_cells("B2:F2")
    book.save(tmp_path / "merged.xlsx")
    with pytest.raises(InputError, match="merged cells B2:F2"):
        pipeline.enrich(task(tmp_path / "merged.xlsx", api), pipeline.Observer())
    assert not api.requests


class FailsLater(sandbox.Catalog):
    """Answers, until it is told to break."""

    broken = False

    def lookup(self, code_type: CodeType, code: str, domain: Domain) -> list[Item]:
        if self.broken:
            raise ZeroDivisionError
        return [{"asin": f"B{code[-9:]}", "ean": code, "title": f"{code_type} {domain}"}]


def test_a_refresh_that_fails_keeps_the_old_answer_and_says_so(sheet: Path, clock: ManualClock) -> None:
    catalog = FailsLater()
    with sandbox.serve(catalog, {"sandbox": sandbox.PRO}, clock) as api:
        pipeline.enrich(task(sheet, api), pipeline.Observer(), clock=clock)
        clock.sleep(3600)
        catalog.broken = True
        summary = pipeline.enrich(task(sheet, api, lookup__max_age="1m"), pipeline.Observer(), clock=clock)
    assert (summary.codes_found, summary.codes_failed, summary.codes_pending) == (3, 3, 0)
    assert "could not be asked again" in sheet.with_name("sheet.enriched.csv").read_text(encoding="utf-8")


def test_days_of_quota_pass_in_simulated_time(sheet: Path, clock: ManualClock) -> None:
    plan = sandbox.Plan("tiny", bucket_capacity=2, tokens_per_minute=1, daily_limit=2)
    with sandbox.serve(plans={"sandbox": plan}, clock=clock) as api:
        stopped = pipeline.enrich(task(sheet, api), pipeline.Observer(), clock=clock)
        assert (stopped.stop_reason, stopped.tokens_spent, stopped.rows_pending) == ("day", 2, 1)
        assert stopped.reset_at == "2026-03-02T00:00:00Z"
        waited = pipeline.enrich(task(sheet, api, lookup__on_quota="wait"), pipeline.Observer(), clock=clock)
    assert (waited.stop_reason, waited.tokens_spent, waited.rows_pending) == ("", 1, 0)
    assert clock.now().isoformat() > "2026-03-02T00:00:00"


def test_a_reserve_that_leaves_nothing_is_said_instead_of_waited_for(sheet: Path, api: sandbox.Sandbox) -> None:
    with pytest.raises(ConfigError, match="leaves nothing of the account's 1,000,000 tokens a day"):
        pipeline.enrich(
            task(sheet, api, lookup__reserve_tokens=1_000_000, lookup__on_quota="wait"), pipeline.Observer()
        )


def test_a_plan_offline_asks_nobody_and_counts_what_is_known(sheet: Path, api: sandbox.Sandbox) -> None:
    pipeline.enrich(task(sheet, api, lookup__max_tokens=1), pipeline.Observer())
    offline = task(sheet, api, lookup__offline=True)
    closed = pipeline.Task(sheet, offline.settings.model_copy(update={"lookup": offline.settings.lookup}))
    plan = pipeline.plan(closed, pipeline.Observer())
    assert (plan.tokens, plan.note, [group.known for group in plan.groups]) == (0, "", [1])
    limited = pipeline.plan(task(sheet, api, lookup__max_tokens=1), pipeline.Observer())
    assert (limited.tokens, [group.known for group in limited.groups]) == (1, [1])


def test_a_plan_with_a_budget_is_the_run_with_that_budget(tmp_path: Path, api: sandbox.Sandbox) -> None:
    path = tmp_path / "mixed.csv"
    rows = [f"B00000000{at}" if at % 2 else code for at, code in enumerate([*CODES, *CODES[:0], "012345678905"])]
    path.write_text("code\n" + "\n".join(rows) + "\n", encoding="utf-8")
    plan = pipeline.plan(task(path, api, lookup__max_tokens=2), pipeline.Observer())
    pipeline.enrich(task(path, api, lookup__max_tokens=2), pipeline.Observer())
    asked = {"asin" if code.startswith("B") else "gtin" for code in api.requests}
    planned = {"asin" if group.code_type == "asin" else "gtin" for group in plan.groups if group.tokens}
    assert asked == planned
    assert sum(api.requests.values()) == plan.tokens == 2


def test_columns_of_an_earlier_run_are_never_read_as_codes(samples: Path, tmp_path: Path, api: sandbox.Sandbox) -> None:
    first = Path(shutil.copyfile(samples / "catalog.xlsx", tmp_path / "a.xlsx"))
    before = pipeline.inspect(task(first, api), pipeline.Observer())
    pipeline.enrich(task(first, api), pipeline.Observer())
    after = pipeline.inspect(task(tmp_path / "a.enriched.xlsx", api), pipeline.Observer())
    assert [column.name for column in after.code_columns] == ["UPC / ASIN"]
    assert after.code_columns == before.code_columns
    assert after.unique_codes == before.unique_codes
    assert any("an earlier run added columns" in hint for hint in after.hints)


def test_a_hidden_sheet_is_read_only_when_it_is_named(tmp_path: Path, api: sandbox.Sandbox) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["nothing", "here"])
    hidden = book.create_sheet("Old")
    hidden.sheet_state = "hidden"
    for row in [["EAN"], *([code] for code in CODES)]:
        hidden.append(row)
    book.save(tmp_path / "book.xlsx")
    with pytest.raises(InputError):
        pipeline.enrich(task(tmp_path / "book.xlsx", api), pipeline.Observer())
    named = task(tmp_path / "book.xlsx", api, input__sheet="old")
    assert pipeline.enrich(named, pipeline.Observer()).unique_codes == len(CODES)


def test_the_systems_clock_is_the_default(sheet: Path, api: sandbox.Sandbox) -> None:
    summary = pipeline.enrich(task(sheet, api), pipeline.Observer())
    assert 0 < summary.duration_s < 60
    assert SystemClock().now().tzinfo is not None


@pytest.mark.parametrize("name", ["sheet.resume.parquet", "sheet.resume.lock", "link.parquet"])
def test_the_resume_file_is_never_the_output(sheet: Path, api: sandbox.Sandbox, name: str) -> None:
    pipeline.enrich(task(sheet, api), pipeline.Observer())
    store = sheet.with_name("sheet.resume.parquet")
    sheet.with_name("link.parquet").symlink_to(store)
    paid = store.read_bytes()
    for ask in (pipeline.enrich, pipeline.plan):
        with pytest.raises(OutputError):
            ask(task(sheet, api, sheet.with_name(name), store__path=store), pipeline.Observer())
    assert store.read_bytes() == paid


def test_an_output_that_is_open_goes_beside_it_but_never_over_the_input(sheet: Path, api: sandbox.Sandbox) -> None:
    store = sheet.with_name("all.parquet")
    output = sheet.with_name("out.csv")
    pipeline.enrich(task(sheet, api, output, store__path=store), pipeline.Observer())
    sheet.with_name(".~lock.out.csv#").touch()
    opened = output.read_bytes()
    summary = pipeline.enrich(task(sheet, api, output, store__path=store), pipeline.Observer())
    beside = sheet.with_name("out (2).csv")
    assert summary.output == str(beside)
    assert "is open in another program" in " ".join(summary.warnings)
    assert (output.read_bytes(), beside.read_bytes()) == (opened, opened)
    summary = pipeline.enrich(task(beside, api, output, store__path=store), pipeline.Observer())
    assert summary.output == str(sheet.with_name("out (3).csv"))
    assert beside.read_bytes() == opened


def test_what_no_worksheet_holds_is_refused_before_anything_is_spent(tmp_path: Path, api: sandbox.Sandbox) -> None:
    wide = tmp_path / "wide.csv"
    wide.write_text("EAN" + "," * 16_370 + f"\n{CODES[0]}" + "," * 16_370 + "\n", encoding="utf-8")
    with pytest.raises(OutputError, match="a worksheet holds 1,048,576 by 16,384"):
        pipeline.enrich(task(wide, api, tmp_path / "out.xlsx"), pipeline.Observer())
    assert not api.requests
