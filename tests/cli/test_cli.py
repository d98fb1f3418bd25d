"""The program as a user runs it: real processes, real files, the sandbox over real HTTP."""

from __future__ import annotations

import csv
import json
import re
import shutil
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from enricher import sandbox
from enricher.cli.commands import app
from tests.conftest import PROGRAM, environment

if TYPE_CHECKING:
    from tests.conftest import Run

README = Path(__file__).parents[2] / "README.md"
UNIQUE_CODES = 108


def test_the_sample_workbook_comes_back_with_product_columns(enricher: Run, workbook: Path) -> None:
    ran = enricher("enrich", workbook, "--sandbox", key=None)
    assert ran.returncode == 0, ran.stderr
    assert f"Tokens   {UNIQUE_CODES} spent" in ran.stdout
    assert "SANDBOX" in ran.stdout
    before = openpyxl.load_workbook(workbook)["Catalog"]
    after = openpyxl.load_workbook(workbook.with_name("catalog.enriched.xlsx"))["Catalog"]
    assert after.max_row == before.max_row
    for row in before.iter_rows():
        assert [after[cell.coordinate].value for cell in row] == [cell.value for cell in row]
    names, *rows = ([cell.value for cell in row] for row in after.iter_rows())
    told = [dict(zip(names, row, strict=True)) for row in rows]
    assert Counter(row["lookup_status"] for row in told) == {"found": 276, "not_found": 4, "invalid": 8, "blank": 12}
    found = [row for row in told if row["lookup_status"] == "found"]
    assert all(row["amazon_title"] for row in found)
    assert all("sandbox data" in str(row["lookup_note"]) for row in found)


def test_the_second_run_spends_nothing_and_writes_the_same(enricher: Run, workbook: Path) -> None:
    first = json.loads(enricher("enrich", workbook, "--sandbox", "--json").stdout)
    output = workbook.with_name("catalog.enriched.xlsx").read_bytes()
    second = json.loads(enricher("enrich", workbook, "--sandbox", "--json").stdout)
    assert (first["tokens_spent"], second["tokens_spent"]) == (UNIQUE_CODES, 0)
    assert second["tokens_saved_by_resume_file"] == UNIQUE_CODES
    assert workbook.with_name("catalog.enriched.xlsx").read_bytes() == output


def test_the_plan_is_what_the_run_then_spends(enricher: Run, workbook: Path) -> None:
    plan = json.loads(enricher("plan", workbook, "--sandbox", "--json").stdout)
    spent = json.loads(enricher("enrich", workbook, "--sandbox", "--json").stdout)["tokens_spent"]
    assert plan["tokens"] == spent == UNIQUE_CODES
    assert plan["duration_s"] == 0


def test_max_tokens_stops_and_the_same_command_goes_on(enricher: Run, workbook: Path, api: sandbox.Sandbox) -> None:
    ran = [enricher("enrich", workbook, "--api-url", api.url, "--max-tokens", 45, "--json") for _ in range(3)]
    assert [run.returncode for run in ran] == [75, 75, 0]
    facts = [json.loads(run.stdout) for run in ran]
    assert [fact["tokens_spent"] for fact in facts] == [45, 45, 18]
    assert facts[0]["rows_pending"] > 0
    assert facts[2]["rows_pending"] == 0
    assert api.ledger.spent("sandbox") == UNIQUE_CODES


def test_a_used_up_day_stops_with_the_checkpoint_saved(enricher: Run, workbook: Path) -> None:
    small = sandbox.Plan("small", bucket_capacity=1000, tokens_per_minute=60, daily_limit=50)
    with sandbox.serve(plans={"sandbox": small}) as api:
        ran = enricher("enrich", workbook, "--api-url", api.url)
        assert ran.returncode == 75
        assert "today's tokens are used up" in ran.stdout
        assert api.ledger.spent("sandbox") == 50
        assert not api.refusals
    assert (workbook.parent / "catalog.enriched.xlsx").exists()


def test_limit_looks_at_the_first_rows_only_and_keeps_the_others(enricher: Run, workbook: Path) -> None:
    ran = enricher("enrich", workbook, "--sandbox", "--limit", 10, "--json")
    facts = json.loads(ran.stdout)
    assert ran.returncode == 0
    assert (facts["rows"], facts["rows_pending"]) == (300, 290)
    assert facts["tokens_spent"] <= 10


def test_offline_uses_what_is_known_and_asks_nothing(enricher: Run, workbook: Path) -> None:
    enricher("enrich", workbook, "--sandbox", "--max-tokens", 20)
    facts = json.loads(enricher("enrich", workbook, "--sandbox", "--offline", "--json", key=None).stdout)
    assert (facts["tokens_spent"], facts["codes_found"] + facts["codes_not_found"]) == (0, 20)


def test_max_age_asks_again(enricher: Run, sheet: Path) -> None:
    assert json.loads(enricher("enrich", sheet, "--sandbox", "--json").stdout)["tokens_spent"] == 2
    assert json.loads(enricher("enrich", sheet, "--sandbox", "--json", "--max-age", "1h").stdout)["tokens_spent"] == 0
    assert json.loads(enricher("enrich", sheet, "--sandbox", "--json", "--max-age", "0s").stdout)["tokens_spent"] == 2


def test_many_sheets_may_share_one_store(enricher: Run, sheet: Path) -> None:
    other = shutil.copy(sheet, sheet.with_name("other.csv"))
    enricher("enrich", sheet, "--sandbox", "--store", "shared.parquet")
    facts = json.loads(enricher("enrich", other, "--sandbox", "--store", "shared.parquet", "--json").stdout)
    assert facts["tokens_spent"] == 0


def test_fields_config_and_flags_work_together(enricher: Run, sheet: Path) -> None:
    config = sheet.with_name("my.toml")
    config.write_text(
        '[output]\nprefix = "a_"\nfields = ["title", "brand"]\n[lookup]\nsandbox = true\n', encoding="utf-8"
    )
    enricher("enrich", sheet, "--config", config, "--fields", "asin,brand")
    header = sheet.with_name("sheet.enriched.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "SKU,EAN,a_asin,a_brand,lookup_status,lookup_note,lookup_code,match_count,fetched_at"


def test_each_row_is_asked_in_its_own_marketplace(enricher: Run, samples: Path, tmp_path: Path) -> None:
    sheet = shutil.copy(samples / "marketplaces.csv", tmp_path)
    facts = json.loads(enricher("enrich", sheet, "--sandbox", "--domain-column", "marketplace", "--json").stdout)
    assert (facts["rows_found"], facts["rows_invalid"]) == (60, 0)
    with (tmp_path / "marketplaces.enriched.csv").open(encoding="utf-8", newline="") as file:
        prices = {row["marketplace"]: row["amazon_lowest_formatted_price"] for row in csv.DictReader(file)}
    assert "€" in prices["de"] + prices["amazon.fr"]
    assert "£" in prices["UK"]


def test_a_csv_can_become_a_workbook_and_a_workbook_a_csv(enricher: Run, sheet: Path, workbook: Path) -> None:
    assert enricher("enrich", sheet, "--sandbox", "-o", "new.xlsx").returncode == 0
    book = openpyxl.load_workbook(sheet.with_name("new.xlsx"))
    cells = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    assert [row[:2] for row in cells] == [["SKU", "EAN"], ["1", "4006381333931"], ["2", "4210201072959"], ["3", "junk"]]
    assert cells[3][cells[0].index("lookup_status")] == "invalid"
    assert enricher("enrich", workbook, "--sandbox", "-o", "new.csv").returncode == 0
    with workbook.with_name("new.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 300
    assert sum(row["lookup_status"] == "found" for row in rows) == 276


def test_quiet_says_nothing(enricher: Run, sheet: Path) -> None:
    ran = enricher("enrich", sheet, "--sandbox", "--quiet")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_inspect_reads_like_help_from_a_colleague(enricher: Run, workbook: Path) -> None:
    text = enricher("inspect", workbook, key=None).stdout
    assert "Header   row 1" in text
    assert "column 'UPC / ASIN'" in text
    assert "check digit wrong" in text
    facts = json.loads(enricher("inspect", workbook, "--json", key=None).stdout)
    assert facts["unique_codes"] == UNIQUE_CODES


def test_account_shows_the_tokens(enricher: Run) -> None:
    text = enricher("account", "--sandbox").stdout
    assert "10,000 of 10,000 tokens left" in text
    assert "120 of 120 in the bucket, 60 more each minute" in text


def test_the_sandbox_serves_until_it_is_interrupted(enricher: Run, sheet: Path) -> None:
    with subprocess.Popen(
        [PROGRAM, "sandbox", "--port", "0"], stdout=subprocess.PIPE, text=True, env=environment(None)
    ) as server:
        assert server.stdout is not None
        url = re.search(r"http://\S+", server.stdout.readline())
        assert url is not None
        assert enricher("enrich", sheet, "--api-url", url[0], key="sandbox-basic").returncode == 0
        assert "998 of 1,000" in enricher("account", "--api-url", url[0], key="sandbox-basic").stdout
        server.send_signal(signal.SIGINT)
        assert server.wait(10) == 0


def test_every_command_has_help_with_an_example_and_stands_in_the_readme() -> None:
    text = README.read_text(encoding="utf-8")
    for command in app.registered_commands:
        assert f"enricher {command.name}" in text


@pytest.mark.parametrize("command", ["enrich", "plan", "inspect", "account", "sandbox"])
def test_every_flag_stands_in_the_readme(enricher: Run, command: str) -> None:
    flags = set(re.findall(r"--[a-z][a-z-]+", enricher(command, "--help").stdout)) - {"--help"}
    assert flags
    assert {flag for flag in flags if flag not in README.read_text(encoding="utf-8")} == set()
