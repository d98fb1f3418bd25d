"""Real spreadsheets, whole way: every row present, in order, its cells as they were, and every hit merged."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
import python_calamine

from enricher import pipeline, sandbox
from enricher.config import load
from tests.conftest import GENEROUS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from enricher.report import Summary

TEXTS = {
    "keepa_de_processors.csv": ("utf-8-sig", ",", 627),
    "amz_active_listings_2020.txt": ("utf-8-sig", "\t", 0),
    "keepa_bluray_cp1252_semicolon.csv": ("cp1252", ";", 32),
    "keepa_processors_utf16le.txt": ("utf-16", "\t", 627),
    "jp_asin_jan_headerless.csv": ("ascii", ",", 11),
    "amz_manage_inventory.csv": ("cp1252", ",", 0),
    "liquor_upc_pipe.csv": ("ascii", "|", 0),
    "shopify_export_apostrophe.csv": ("utf-8", ",", 0),
}
WORKBOOKS = {
    "tr_technopolis_eans.xlsx": ("Sheet1", 20),
    "keepa_bluray_orderform_chart.xlsx": ("Order form", 32),
    "ar_supermarket_padded16.xlsx": ("Hoja1", 0),
}


@pytest.fixture(scope="module")
def service(corpus: Path) -> Iterator[sandbox.Sandbox]:
    with sandbox.serve(sandbox.Catalog.load(corpus / "catalog.csv"), {"sandbox": GENEROUS}) as api:
        yield api


def enrich(
    source: Path, folder: Path, service: sandbox.Sandbox, limit: int | None = None
) -> tuple[Path, Path, Summary]:
    path = Path(shutil.copyfile(source, folder / source.name))
    flags = {"lookup.api_url": service.url, "input.domain": "de", "input.limit": limit}
    settings = load(None, flags, {"ASINSCOPE_API_KEY": "sandbox"})
    task = pipeline.Task(path, settings)
    return path, task.output_path, pipeline.enrich(task, pipeline.Observer())


def records(path: Path, encoding: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding=encoding), newline=""), delimiter=delimiter))


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_file_keeps_every_field_of_every_row(
    corpus: Path, tmp_path: Path, service: sandbox.Sandbox, name: str
) -> None:
    encoding, delimiter, hits = TEXTS[name]
    before, after, summary = enrich(corpus / name, tmp_path, service)
    assert summary.codes_found == hits
    old, new = records(before, encoding, delimiter), records(after, encoding, delimiter)
    assert [row[: len(old[at])] for at, row in enumerate(new)] == old
    assert len({len(row) for row in new}) == 1
    assert after.read_bytes().startswith(before.read_bytes().split(b"\n", 1)[0].rstrip(b"\r\0"))


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_workbook_keeps_every_cell_of_every_sheet(
    corpus: Path, tmp_path: Path, service: sandbox.Sandbox, name: str
) -> None:
    sheet, hits = WORKBOOKS[name]
    before, after, summary = enrich(corpus / name, tmp_path, service)
    assert summary.codes_found == hits
    old, new = (python_calamine.load_workbook(str(path)) for path in (before, after))
    assert new.sheet_names == old.sheet_names
    for title in old.sheet_names:
        rows, wider = (book.get_sheet_by_name(title).to_python(skip_empty_area=False) for book in (old, new))
        assert [row[: len(rows[at])] for at, row in enumerate(wider)] == rows
        assert (len(wider[0]) > len(rows[0])) == (title == sheet)


@pytest.mark.parametrize("name", WORKBOOKS)
def test_the_cells_of_a_workbook_look_as_they_did(
    corpus: Path, tmp_path: Path, service: sandbox.Sandbox, name: str
) -> None:
    before, after, _ = enrich(corpus / name, tmp_path, service, limit=200)
    old, new = (openpyxl.load_workbook(path, read_only=True) for path in (before, after))
    for page in old.worksheets:
        for row, wider in zip(page.iter_rows(max_row=200), new[page.title].iter_rows(max_row=200), strict=True):
            for cell, twin in zip(row, wider, strict=False):
                assert cell.value is None or twin.value == cell.value
                assert cell.value is None or twin.number_format == cell.number_format
    old.close()
    new.close()


def test_hits_are_merged_into_their_own_rows(corpus: Path, tmp_path: Path, service: sandbox.Sandbox) -> None:
    with (corpus / "catalog.csv").open(encoding="utf-8", newline="") as file:
        titles = {row["asin"]: row["title"] for row in csv.DictReader(file)}
    _, after, _ = enrich(corpus / "keepa_de_processors.csv", tmp_path, service)
    with after.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["amazon_asin"] == row["ASIN"] for row in rows)
    assert all(row["amazon_title"].removeprefix("'") == titles[row["ASIN"]] for row in rows)


def test_the_same_file_twice_costs_nothing_the_second_time(
    corpus: Path, tmp_path: Path, service: sandbox.Sandbox
) -> None:
    _, after, first = enrich(corpus / "tr_technopolis_eans.xlsx", tmp_path, service)
    output = after.read_bytes()
    _, after, second = enrich(corpus / "tr_technopolis_eans.xlsx", tmp_path, service)
    assert (first.tokens_spent, second.tokens_spent) == (first.unique_codes, 0)
    assert after.read_bytes() == output
