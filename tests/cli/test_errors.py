"""What goes wrong: one clear line, the documented exit code, nothing spent, nothing overwritten, no key anywhere."""

from __future__ import annotations

import signal
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from enricher import sandbox
from enricher.store import Store
from tests.conftest import GENEROUS, PROGRAM, Run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def left_behind(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


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
    "a binary file": (["noise.bin"], "sandbox", 65, "neither a spreadsheet nor a table of text"),
    "a damaged parquet file": (["catalog.resume.parquet"], "sandbox", 65, "catalog.resume.parquet"),
    "a folder as input": (["."], "sandbox", 65, "is no file"),
    "an empty flag": (["sheet.csv", "--api-url", ""], "sandbox", 2, "--api-url: nothing is given"),
    "an empty list of fields": (["sheet.csv", "--fields", ""], "sandbox", 2, "--fields: nothing is given"),
    "an unknown flag": (["sheet.csv", "--colour", "red"], "sandbox", 2, "No such option"),
    "no input": ([], "sandbox", 2, "Missing argument 'INPUT'. See: enricher --help"),
    "no rows": (["sheet.csv", "--limit", "0"], "sandbox", 2, "Invalid value for '--limit'"),
    "an unknown type": (["sheet.csv", "--code-type", "isbn"], "sandbox", 2, "Invalid value for '--code-type'"),
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


@pytest.fixture(scope="module")
def unasked() -> Iterator[sandbox.Sandbox]:
    """One service for all the tests that spend nothing."""
    with sandbox.serve(plans={"sandbox": GENEROUS, "sandbox-none": None}) as server:
        yield server


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_is_one_clear_line_and_spends_and_writes_nothing(
    enricher: Run, sheet: Path, workbook: Path, unasked: sandbox.Sandbox, case: str
) -> None:
    arguments, key, code, message = ERRORS[case]
    sheet.with_name("precious.csv").write_text("precious", encoding="utf-8")
    sheet.with_name("link.csv").symlink_to(sheet)
    workbook.with_name("catalog.resume.parquet").write_bytes(b"PAR1" + bytes(5000))
    workbook.with_name("noise.bin").write_bytes(bytes(range(256)) * 20)
    sheet.with_name("markets.csv").write_text("EAN,marketplace\n4006381333931,de\n", encoding="utf-8")
    sheet.with_name("headers.csv").write_text("SKU,EAN\n", encoding="utf-8")
    before = left_behind(sheet.parent)
    ran = enricher("enrich", *(argument.format(url=unasked.url) for argument in arguments), key=key)
    assert ran.returncode == code, ran.stderr
    assert message in ran.stderr
    assert ran.stderr.startswith("enricher: ")
    assert ran.stderr.count("\n") == 1
    assert not ran.stdout
    assert not unasked.requests
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
    "arguments",
    [
        ["enrich", "--api-url", "http://127.0.0.1:1"],  # a closed port is tried for seconds: for one command only
        *([command, "--api-url", "{url}", *more] for command in ("enrich", "plan") for more in ([], ["--json"])),
    ],
    ids=" ".join,
)
def test_the_key_appears_nowhere(enricher: Run, sheet: Path, unasked: sandbox.Sandbox, arguments: list[str]) -> None:
    command, *flags = (argument.format(url=unasked.url) for argument in arguments)
    ran = enricher(command, sheet, *flags, key=SECRET)
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
