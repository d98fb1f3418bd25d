"""`enricher store ...` as a user runs it: what is known stays as it is, and comes out as tables one can work with."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from enricher import pipeline
from enricher.cli import stores
from enricher.errors import OutputError
from enricher.model import FIELDS, Answer, CodeType, Domain, Key
from enricher.store import Store

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from tests.conftest import Run

README = Path(__file__).parents[2] / "README.md"
COMMANDS = [command.name or "" for command in stores.app.registered_commands]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
UPC = Key(CodeType.UPC, Domain.DE, "012345678905")
EAN = Key(CodeType.EAN, Domain.DE, "4006381333931")
ASIN = Key(CodeType.ASIN, Domain.COM, "B088H39PXX")
DART = {
    "asin": "B088H39PXX", "title": "=Dart, Board", "bsr": 95, "upc": "012345678905", "lowestNewPrice": 22.0,
    "soldByAmazon": False, "upcList": ["012345678905", "793610399007"], "eanList": [], "colour": "red",
}  # fmt: skip
BALL = {"asin": "B000000002", "title": "Ball"}
SERVICE = "api.asinscope.com"
IDENTITY = ["code_type", "domain", "code", "outcome", "fetched_at", "item"]


def answer(key: Key, *items: dict[str, Any], at: datetime = NOON) -> Answer:
    return Answer(key, items, at)


def priced(price: float, at: datetime, key: Key = UPC) -> Answer:
    return answer(key, {**DART, "lowestNewPrice": price}, at=at)


def stored(path: Path, *answers: Answer, host: str = SERVICE) -> Path:
    """Make a resume file that holds these answers."""
    with Store(path, host) as store:
        for each in answers:
            store.put([each])
    return path


@pytest.fixture
def resume(tmp_path: Path) -> Path:
    """A product with two items, one that was not found, and one that was asked twice."""
    return stored(
        tmp_path / "catalog.resume.parquet",
        answer(EAN, DART, BALL),
        priced(25.5, NOON - timedelta(days=2)),
        answer(ASIN),
        priced(22.0, NOON),
    )


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Read a CSV as a strict reader does."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def told(ran: CompletedProcess[str], code: int = 0) -> dict[str, Any]:
    assert ran.returncode == code, ran.stderr
    facts = json.loads(ran.stdout)
    assert isinstance(facts, dict)
    return facts


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"catalog.resume.lock"}


# --- info -------------------------------------------------------------------------------------------------------


def test_info_tells_what_a_run_has_left(enricher: Run, workbook: Path) -> None:
    enricher("enrich", workbook, "--sandbox")
    text = enricher("store", "info", "catalog.resume.parquet", key=None).stdout
    assert "Source   SANDBOX on this machine: test data, not Amazon's" in text
    assert "Codes    108: 104 found (96.3%), 4 not found" in text
    assert re.search(r"upc +com +72 +70 +2\n", text)
    assert "Ages     108 asked within a day" in text
    assert "Outputs  1 file written from it" in text


def test_info_counts_codes_by_type_marketplace_and_age(enricher: Run, resume: Path) -> None:
    facts = told(enricher("store", "info", resume, "--json"))
    assert (facts["codes"], facts["codes_found"], facts["codes_not_found"]) == (3, 2, 1)
    assert (facts["products"], facts["answers"], facts["earlier_answers"]) == (3, 4, 1)
    assert facts["ages"] == {"day": 0, "week": 0, "month": 0, "older": 3} or datetime.now(UTC) < NOON + timedelta(30)
    assert (facts["service"], facts["is_sandbox"], facts["found_share"]) == (SERVICE, False, pytest.approx(2 / 3))
    groups = {(group["code_type"], group["domain"]): group["codes"] for group in facts["groups"]}
    assert groups == {("upc", "de"): 1, ("ean", "de"): 1, ("asin", "com"): 1}
    assert facts["size_bytes"] >= resume.stat().st_size
    assert facts["newest_at"] == "2026-03-01T12:00:00+00:00"


def test_a_file_that_a_run_holds_is_read_and_the_run_is_named(enricher: Run, resume: Path) -> None:
    with Store(resume, SERVICE) as store:
        store.put([answer(Key(CodeType.ASIN, Domain.DE, "B000000001"), BALL)])
        info = told(enricher("store", "info", resume, "--json"))
        assert (info["codes"], info["answers_in_journal"]) == (4, 1)
        if sys.platform == "linux":
            assert info["used_by"] is not None
            assert "another run" in enricher("store", "info", resume).stdout
        assert told(enricher("store", "verify", resume, "--json"))["codes"] == 4
        assert told(enricher("store", "export", resume, "-o", "all.csv", "--json"))["rows"] == 5
    assert told(enricher("store", "info", resume, "--json"))["used_by"] is None


def test_a_first_run_that_has_not_folded_yet_can_be_looked_into(enricher: Run, tmp_path: Path) -> None:
    path = tmp_path / "new.resume.parquet"
    with Store(path, SERVICE) as store:
        store.put([answer(EAN, DART)])
        assert not path.exists()
        assert told(enricher("store", "info", path, "--json"))["codes_found"] == 1
        assert enricher("store", "verify", path).returncode == 0
        assert told(enricher("store", "export", path, "-o", "new.csv", "--json"))["products"] == 1


# --- verify -----------------------------------------------------------------------------------------------------


def test_a_sound_file_is_called_sound(enricher: Run, resume: Path) -> None:
    ran = enricher("store", "verify", resume, key=None)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "is sound: 4 answers to 3 codes, 3 products" in ran.stdout


def test_a_damaged_file_is_said_with_what_to_do(enricher: Run, resume: Path) -> None:
    data = bytearray(resume.read_bytes())
    data[len(data) // 3] ^= 4
    resume.write_bytes(data)
    ran = enricher("store", "verify", resume)
    assert ran.returncode == 1
    assert "is not sound: 1 fault\n  Fault    catalog.resume.parquet" in ran.stdout
    assert ran.stdout.count("backup") == 1
    facts = told(enricher("store", "verify", resume, "--json"), 1)
    assert (facts["is_sound"], len(facts["faults"])) == (False, 1)


# --- export -----------------------------------------------------------------------------------------------------


def test_a_csv_has_a_row_for_each_product_and_each_code_not_found(enricher: Run, resume: Path) -> None:
    ran = enricher("store", "export", resume, "-o", "products.csv", key=None)
    assert ran.returncode == 0, ran.stderr
    assert "Rows     4: 3 products, 1 not found" in ran.stdout
    assert "2 texts that look like formulas got a leading '" in ran.stdout
    rows = rows_of(resume.with_name("products.csv"))
    assert list(rows[0]) == [*IDENTITY, *FIELDS]
    assert {(row["code"], row["item"], row["outcome"], row["title"]) for row in rows} == {
        (EAN.code, "0", "found", "'=Dart, Board"),
        (EAN.code, "1", "found", "Ball"),
        (ASIN.code, "0", "not_found", ""),
        (UPC.code, "0", "found", "'=Dart, Board"),
    }
    upc = next(row for row in rows if row["code"] == UPC.code)
    assert (upc["lowest_new_price"], upc["bsr"], upc["sold_by_amazon"]) == ("22", "95", "FALSE")
    assert (upc["upc_list"], upc["ean_list"]) == ("012345678905; 793610399007", "")
    assert upc["fetched_at"] == "2026-03-01T12:00:00Z"


def test_a_tsv_has_tabs(enricher: Run, resume: Path) -> None:
    enricher("store", "export", resume, "-o", "products.tsv", "--fields", "title")
    header = resume.with_name("products.tsv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert header.split("\t") == [*IDENTITY, "title"]


def test_a_workbook_has_codes_as_text_prices_as_numbers_and_times_as_dates(enricher: Run, resume: Path) -> None:
    assert enricher("store", "export", resume, "-o", "products.xlsx").returncode == 0
    book = openpyxl.load_workbook(resume.with_name("products.xlsx"))
    assert book.sheetnames == ["Products"]
    page = book["Products"]
    assert page.freeze_panes == "A2"
    assert page["A1"].font.bold
    names, *rows = ([cell.value for cell in row] for row in page.iter_rows())
    upc = next(dict(zip(names, row, strict=True)) for row in rows if row[2] == UPC.code)
    assert (upc["upc"], upc["title"]) == ("012345678905", "=Dart, Board")
    assert all(cell.data_type != "f" for row in page.iter_rows() for cell in row)
    assert (upc["lowest_new_price"], upc["bsr"], upc["sold_by_amazon"]) == (22, 95, False)
    assert upc["fetched_at"] == NOON.replace(tzinfo=None)


def test_invented_products_are_called_so_in_their_workbook(enricher: Run, tmp_path: Path) -> None:
    stored(tmp_path / "s.parquet", answer(EAN, DART), host="localhost")
    ran = enricher("store", "export", "s.parquet", "-o", "s.xlsx")
    assert "SANDBOX" in ran.stdout
    assert openpyxl.load_workbook(tmp_path / "s.xlsx").sheetnames == ["Sandbox products"]


def test_parquet_keeps_the_types_and_is_no_resume_file(enricher: Run, resume: Path) -> None:
    enricher("store", "export", resume, "-o", "products.parquet", "--fields", "all,raw")
    table = pq.read_table(resume.with_name("products.parquet"))
    whole = pq.read_table(resume)
    assert table.schema.remove_metadata() == whole.schema.remove_metadata()
    newest = [row for row in whole.to_pylist() if row["lowest_new_price"] != 25.5]
    assert sorted(table.to_pylist(), key=str) == sorted(newest, key=str)
    assert enricher("store", "info", "products.parquet").returncode == 1


def test_json_lines_keep_lists_and_what_else_the_service_said(enricher: Run, resume: Path) -> None:
    enricher("store", "export", resume, "-o", "products.jsonl", "--fields", "upc_list,lowest_new_price,raw")
    lines = resume.with_name("products.jsonl").read_text(encoding="utf-8").splitlines()
    upc = next(row for row in map(json.loads, lines) if row["code"] == UPC.code)
    assert upc == {
        **dict(zip(IDENTITY, ["upc", "de", UPC.code, "found", "2026-03-01T12:00:00Z", 0], strict=True)),
        "upc_list": ["012345678905", "793610399007"],
        "lowest_new_price": 22.0,
        "raw": '{"colour":"red"}',
    }


@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl", "parquet"])
def test_the_history_is_by_code_and_then_time(enricher: Run, tmp_path: Path, kind: str) -> None:
    days = [NOON + timedelta(days=day) for day in range(4)]
    path = stored(
        tmp_path / "s.parquet", priced(3, days[3]), priced(7, days[1], EAN), priced(1, days[1]), priced(2, days[2])
    )
    ran = enricher("store", "export", path, "-o", f"h.{kind}", "--history", "--fields", "lowest_new_price", "--json")
    assert told(ran)["rows"] == 4
    output = tmp_path / f"h.{kind}"
    if kind == "xlsx":
        page = openpyxl.load_workbook(output)["History"]
        found = [(row[2], row[6]) for row in page.iter_rows(min_row=2, values_only=True)]
    elif kind == "parquet":
        found = [(row["code"], row["lowest_new_price"]) for row in pq.read_table(output).to_pylist()]
    elif kind == "jsonl":
        rows = map(json.loads, output.read_text(encoding="utf-8").splitlines())
        found = [(row["code"], row["lowest_new_price"]) for row in rows]
    else:
        found = [(row["code"], int(row["lowest_new_price"])) for row in rows_of(output)]
    assert found == [(UPC.code, 1), (UPC.code, 2), (UPC.code, 3), (EAN.code, 7)]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl", "parquet"])
def test_a_file_without_answers_makes_a_table_of_names_only(enricher: Run, tmp_path: Path, kind: str) -> None:
    with Store(tmp_path / "s.parquet", SERVICE) as store:
        store.remember_output(tmp_path / "o.csv", "0" * 64)
    for history in ([], ["--history"]):
        ran = enricher("store", "export", "s.parquet", "-o", f"o.{kind}", "--json", "--force", *history)
        assert told(ran)["rows"] == 0
    assert "Codes    0\n" in enricher("store", "info", "s.parquet").stdout


def test_no_output_takes_the_place_of_a_resume_file(enricher: Run, resume: Path, samples: Path) -> None:
    other = resume.with_name("other.parquet")
    shutil.copy(resume, other)
    ran = enricher("enrich", samples / "catalog.csv", "--sandbox", "-o", other, "--store", "third.parquet", "--force")
    assert ran.returncode == 73
    assert "is a resume file, which holds what was paid for" in ran.stderr
    assert other.read_bytes() == resume.read_bytes()


def test_rows_that_no_worksheet_holds_are_refused_with_what_to_do(
    resume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enricher.sheets.MAX_ROWS", 4)  # a million answers take a minute to make
    task = pipeline.Export(resume, resume.with_name("o.xlsx"))
    with pytest.raises(OutputError, match=r"4 rows are more than the 3 that a worksheet holds.*-o o\.csv"):
        pipeline.export(task, pipeline.Observer())


def test_an_output_that_exists_is_overwritten_with_force_only(enricher: Run, resume: Path) -> None:
    output = resume.with_name("o.csv")
    output.write_text("mine", encoding="utf-8")
    ran = enricher("store", "export", resume, "-o", "o.csv")
    assert (ran.returncode, output.read_text(encoding="utf-8")) == (73, "mine")
    assert "--force" in ran.stderr
    assert enricher("store", "export", resume, "-o", "o.csv", "--force").returncode == 0
    assert len(rows_of(output)) == 4


def test_force_overwrites_no_resume_file(enricher: Run, resume: Path) -> None:
    other = stored(resume.with_name("other.parquet"), answer(EAN, BALL))
    link = resume.with_name("link.parquet")
    link.symlink_to(resume)
    before = [path.read_bytes() for path in (resume, other)]
    for output in (resume, other, link):
        ran = enricher("store", "export", resume, "-o", output, "--force")
        assert (ran.returncode, ran.stderr.count("\n")) == (73, 1)
        assert "holds what was paid for" in ran.stderr
    assert [path.read_bytes() for path in (resume, other)] == before


def test_quiet_says_nothing_and_nothing_else_is_left_behind(enricher: Run, resume: Path) -> None:
    for kind in ("csv", "xlsx"):
        ran = enricher("store", "export", resume, "-o", f"o.{kind}", "--history", "--quiet")
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert names_in(resume.parent) == {resume.name, "o.csv", "o.xlsx"}


# --- merge ------------------------------------------------------------------------------------------------------


def test_merged_files_keep_every_answer_and_the_newest_wins(enricher: Run, resume: Path) -> None:
    newer = stored(resume.with_name("newer.parquet"), priced(19.0, NOON + timedelta(days=1)), answer(EAN, DART, BALL))
    facts = told(enricher("store", "merge", resume, newer, "-o", "all.parquet", "--json"))
    assert (facts["answers"], facts["codes"], facts["codes_found"]) == (5, 3, 2)
    assert enricher("store", "verify", "all.parquet").returncode == 0
    flags = ("--fields", "lowest_new_price", "--force")
    enricher("store", "export", "all.parquet", "-o", "o.csv", *flags)
    upc = [row["lowest_new_price"] for row in rows_of(resume.with_name("o.csv")) if row["code"] == UPC.code]
    assert upc == ["19"]
    enricher("store", "export", "all.parquet", "-o", "o.csv", "--history", *flags)
    upc = [row["lowest_new_price"] for row in rows_of(resume.with_name("o.csv")) if row["code"] == UPC.code]
    assert upc == ["25.5", "22", "19"]


def test_a_run_goes_on_with_a_merged_file(enricher: Run, sheet: Path, workbook: Path) -> None:
    enricher("enrich", sheet, "--sandbox")
    enricher("enrich", workbook, "--sandbox")
    merged = enricher("store", "merge", "sheet.resume.parquet", "catalog.resume.parquet", "-o", "all.parquet")
    assert "Merged 2 resume files" in merged.stdout
    for again in (sheet, workbook):
        ran = enricher("enrich", again, "--sandbox", "--store", "all.parquet", "--force", "--json")
        assert told(ran)["tokens_spent"] == 0


def test_what_can_not_be_merged_is_refused_and_nothing_is_made(enricher: Run, resume: Path) -> None:
    sandbox = stored(resume.with_name("sandbox.parquet"), answer(EAN, BALL), host="localhost")
    broken = resume.with_name("broken.parquet")
    broken.write_bytes(resume.read_bytes()[:-9])
    other = stored(resume.with_name("other.parquet"), answer(EAN, BALL))
    kept = other.read_bytes()
    before = names_in(resume.parent)
    for arguments, code in (
        ([resume, sandbox, "-o", "all.parquet"], 1),
        ([resume, broken, "-o", "all.parquet"], 1),
        ([resume, "missing.parquet", "-o", "all.parquet"], 1),
        ([resume, other, "-o", other], 73),
        ([resume, other, "-o", "no/all.parquet"], 73),
        ([resume, other, "-o", "all.csv"], 2),
        ([resume, "-o", "all.parquet"], 2),
    ):
        ran = enricher("store", "merge", *arguments)
        assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (code, "", 1), ran.stderr
        assert ran.stderr.startswith("enricher: ")
    assert {name for name in names_in(resume.parent) - before if not name.endswith(".lock")} == set()
    assert other.read_bytes() == kept


# --- all of them ------------------------------------------------------------------------------------------------

ERRORS: dict[str, tuple[str, int, str]] = {
    "a missing file": ("info missing.parquet", 1, "there is no such file"),
    "a folder": ("info folder", 1, "is a folder"),
    "a sheet": ("verify catalog.csv", 1, "their names end in .parquet; do you mean catalog.resume.parquet?"),
    "its journal": ("info catalog.resume.journal", 1, "do you mean catalog.resume.parquet?"),
    "a CSV by that name": ("info text.parquet", 1, "text.parquet"),
    "a parquet of something else": ("export other.parquet -o o.csv", 1, "other.parquet"),
    "an output in no folder": ("export catalog.resume.parquet -o no/o.csv", 73, "can't be written"),
    "an output that is a folder": ("export catalog.resume.parquet -o folder.csv", 73, "is a folder"),
    "an output of no kind": ("export catalog.resume.parquet -o o", 73, "a table can be .csv"),
    "an output with macros": ("export catalog.resume.parquet -o o.xlsm", 73, "a table can be .csv"),
    "an unknown field": ("export catalog.resume.parquet -o o.csv --fields title,colour", 2, "no field colour"),
    "no field": ("export catalog.resume.parquet -o o.csv --fields ,", 2, "name at least one field"),
    "no output": ("export catalog.resume.parquet", 2, "--output"),
    "no file": ("info", 2, "FILE"),
    "an unknown command": ("show catalog.resume.parquet", 2, "show"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_is_one_clear_line_and_nothing_is_written(enricher: Run, resume: Path, case: str) -> None:
    command, code, message = ERRORS[case]
    folder = resume.parent
    (folder / "folder").mkdir()
    (folder / "folder.csv").mkdir()
    for name in ("catalog.csv", "text.parquet", "catalog.resume.journal"):
        (folder / name).write_text("SKU,EAN\n1,4006381333931\n", encoding="utf-8")
    if "journal" not in command:
        (folder / "catalog.resume.journal").unlink()
    pq.write_table(
        pq.read_table(resume).select(["code", "title"]).replace_schema_metadata(None), folder / "other.parquet"
    )
    before = names_in(folder)
    ran = enricher("store", *command.split())
    assert ran.returncode == code, ran.stderr
    assert message in ran.stderr
    assert ran.stderr.startswith("enricher: ")
    assert ran.stderr.count("\n") == 1
    assert not ran.stdout
    assert names_in(folder) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_and_stands_in_the_readme(enricher: Run, command: str) -> None:
    text, readme = enricher("store", command, "--help").stdout, README.read_text(encoding="utf-8")
    assert f"enricher store {command} " in text
    assert f"enricher store {command}" in readme
    flags = set(re.findall(r"--[a-z][a-z-]+", text)) - {"--help"}
    assert {flag for flag in flags if flag not in readme} == set()
