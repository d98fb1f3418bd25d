"""The program as a user runs it: real processes, real files, the sandbox over real HTTP."""

from __future__ import annotations

import csv
import json
import re
import shutil
import signal
import subprocess
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pyarrow.parquet as pq
import pytest

from enricher import sandbox
from enricher.cli.commands import app
from enricher.store import Store
from tests.conftest import PROGRAM, environment

if TYPE_CHECKING:
    from tests.conftest import Run

README = Path(__file__).parents[2] / "README.md"
UNIQUE_CODES = 108


@pytest.fixture
def workbook(tmp_path: Path, samples: Path) -> Path:
    return Path(shutil.copy(samples / "catalog.xlsx", tmp_path / "catalog.xlsx"))


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "sheet.csv"
    path.write_text("SKU,EAN\n1,4006381333931\n2,4210201072959\n3,junk\n", encoding="utf-8")
    return path


def left_behind(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


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


ERRORS = {
    "no key": (["sheet.csv"], None, 77, "there is no API key"),
    "a wrong key": (["sheet.csv", "--api-url", "{url}"], "wrong", 77, "the API key is wrong"),
    "no subscription": (["sheet.csv", "--api-url", "{url}"], "sandbox-none", 77, "no active subscription"),
    "a missing file": (["missing.xlsx"], "sandbox", 65, "missing.xlsx: there is no such file"),
    "an unknown column": (
        ["sheet.csv", "--code-column", "GTIN"],
        "sandbox",
        2,
        "there is no column 'GTIN'. The columns are: SKU, EAN",
    ),
    "an unsupported marketplace": (["sheet.csv", "--domain", "br"], "sandbox", 2, "--domain: "),
    "an output that exists": (["sheet.csv", "-o", "precious.csv"], "sandbox", 73, "exists already"),
    "the input as output": (["sheet.csv", "-o", "sheet.csv", "--force"], "sandbox", 73, "is the input itself"),
    "a link to the input as output": (["sheet.csv", "-o", "link.csv", "--force"], "sandbox", 73, "is the input itself"),
    "a folder that is not there": (
        ["sheet.csv", "-o", "no/out.csv"],
        "sandbox",
        73,
        "no: there is no such folder for the resume file",
    ),
    "an unknown suffix": (["sheet.csv", "-o", "out.pdf"], "sandbox", 73, "outputs can be .xlsx"),
    "a closed port": (["sheet.csv", "--api-url", "http://127.0.0.1:1"], "sandbox", 1, "the connection was refused"),
    "plain http": (["sheet.csv", "--api-url", "http://api.asinscope.com"], "sandbox", 2, "in the open"),
    "an unknown field": (["sheet.csv", "--fields", "prize"], "sandbox", 2, "there is no field prize"),
    "an unknown sheet": (["catalog.xlsx", "--sheet", "Nope"], "sandbox", 2, "Its sheets: Catalog, Notes"),
    "a binary file": (["catalog.resume.parquet"], "sandbox", 65, "neither a spreadsheet nor a table of text"),
    "a folder as input": (["."], "sandbox", 65, "is no file"),
    "an empty flag": (["sheet.csv", "--api-url", ""], "sandbox", 2, "--api-url: nothing is given"),
    "an empty list of fields": (["sheet.csv", "--fields", ""], "sandbox", 2, "--fields: nothing is given"),
    "an unknown flag": (["sheet.csv", "--colour", "red"], "sandbox", 2, "No such option"),
    "a store of another kind": (["sheet.csv", "--store", "sheet.journal"], "sandbox", 2, "must end in .parquet"),
    "a store in no folder": (["sheet.csv", "--store", "no/s.parquet"], "sandbox", 73, "no such folder"),
    "an address with a key": (["sheet.csv", "--api-url", "http://127.0.0.1/?key=k3y"], "sandbox", 2, "a plain address"),
    "a broken address": (["sheet.csv", "--api-url", "http://[::1"], "sandbox", 2, "can't be read"),
    "an endless age": (["sheet.csv", "--max-age", "99999999999999d"], "sandbox", 2, "at most 36500d"),
    "a sheet of headers": (["headers.csv"], "sandbox", 65, "no rows below the header"),
    "marketplaces nobody spoke of": (
        ["markets.csv"],
        "sandbox",
        2,
        "--domain-column 'marketplace'; to ask for all in one",
    ),
    "two ways to the service": (["sheet.csv", "--sandbox", "--api-url", "{url}"], "sandbox", 2, "exclude each other"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_is_one_clear_line_and_spends_and_writes_nothing(
    enricher: Run, sheet: Path, workbook: Path, api: sandbox.Sandbox, case: str
) -> None:
    arguments, key, code, message = ERRORS[case]
    sheet.with_name("precious.csv").write_text("precious", encoding="utf-8")
    sheet.with_name("link.csv").symlink_to(sheet)
    workbook.with_name("catalog.resume.parquet").write_bytes(b"PAR1" + bytes(5000))
    sheet.with_name("markets.csv").write_text("EAN,marketplace\n4006381333931,de\n", encoding="utf-8")
    sheet.with_name("headers.csv").write_text("SKU,EAN\n", encoding="utf-8")
    before = left_behind(sheet.parent)
    ran = enricher("enrich", *(argument.format(url=api.url) for argument in arguments), key=key)
    assert ran.returncode == code, ran.stderr
    assert message in ran.stderr
    assert ran.stderr.startswith("enricher: ")
    assert ran.stderr.count("\n") == 1
    assert not ran.stdout
    assert not api.requests
    assert sheet.with_name("precious.csv").read_text(encoding="utf-8") == "precious"
    assert {name for name in left_behind(sheet.parent) - before if not name.endswith(".lock")} == set()


def test_an_output_that_was_changed_since_is_not_overwritten_without_force(enricher: Run, sheet: Path) -> None:
    output = sheet.with_name("sheet.enriched.csv")
    enricher("enrich", sheet, "--sandbox")
    output.write_text(output.read_text(encoding="utf-8") + "my own note\n", encoding="utf-8")
    assert enricher("enrich", sheet, "--sandbox").returncode == 73
    assert "my own note" in output.read_text(encoding="utf-8")
    assert enricher("enrich", sheet, "--sandbox", "--force").returncode == 0
    assert "my own note" not in output.read_text(encoding="utf-8")


def test_a_resume_file_in_use_is_said_and_nothing_is_spent(enricher: Run, sheet: Path, api: sandbox.Sandbox) -> None:
    with Store(sheet.with_name("sheet.resume.parquet"), "localhost"):
        ran = enricher("enrich", sheet, "--api-url", api.url)
    assert ran.returncode == 98
    assert "in use by another run (process " in ran.stderr
    assert not api.requests


def test_sandbox_answers_never_meet_the_live_service(enricher: Run, sheet: Path) -> None:
    enricher("enrich", sheet, "--sandbox")
    ran = enricher("enrich", sheet)
    assert ran.returncode == 1
    assert "holds answers of a sandbox on this machine" in ran.stderr


def everything_in(folder: Path) -> str:
    """All that was written, compressed or not."""
    texts = []
    for path in folder.iterdir():
        texts.append(path.read_bytes().decode("latin-1"))
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            texts.append(f"{table.schema.metadata} {table.to_pylist()}")
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as package:
                texts += [package.read(name).decode("latin-1") for name in package.namelist()]
    return "".join(texts)


SECRET = "k3y-th4t/must+n0t=leak"  # noqa: S105 - it opens nothing


@pytest.mark.parametrize(
    "arguments", [["--api-url", "http://127.0.0.1:1"], ["--api-url", "{url}"], ["--api-url", "{url}", "--json"]]
)
@pytest.mark.parametrize("command", ["enrich", "plan"])
def test_the_key_appears_nowhere(
    enricher: Run, sheet: Path, api: sandbox.Sandbox, command: str, arguments: list[str]
) -> None:
    ran = enricher(command, sheet, *(argument.format(url=api.url) for argument in arguments), key=SECRET)
    assert "k3y" not in ran.stdout + ran.stderr + everything_in(sheet.parent)


def test_a_key_that_works_is_not_written_down_either(enricher: Run, workbook: Path) -> None:
    with sandbox.serve(plans={SECRET: sandbox.PRO}) as api:
        ran = enricher("enrich", workbook, "--api-url", api.url, key=SECRET)
    assert ran.returncode == 0
    assert "k3y" not in ran.stdout + ran.stderr + everything_in(workbook.parent)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_while_the_program_loads_is_one_line(sheet: Path, number: int) -> None:
    command = [str(PROGRAM), "enrich", str(sheet), "--sandbox"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=sheet.parent) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.4)  # in the middle of the imports
        process.send_signal(number)
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
        assert process.wait(30) == 130


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
