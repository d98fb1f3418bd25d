"""Whole workbooks of several writers, read and enriched alike in the quick way and the careful one."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
import xlsxwriter

from enricher.sheets.xlsx import worksheets
from enricher.sheets.xlsx.read.reading import SheetReader
from enricher.sheets.xlsx.read.shared_strings import StringsReader
from enricher.sheets.xlsx.write.splicing import SheetSplicer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from enricher.cells import Batch

CORPUS = Path(os.environ.get("ENRICHER_CORPUS") or Path(__file__).parents[4] / "shared" / "corpus")
REAL = {
    "fr_order_no_header.xlsx": 0,
    "keepa_bluray_orderform_chart.xlsx": 5,
    "tr_technopolis_eans.xlsx": 1,
}
ROWS = 2500


def made_rows() -> Iterator[list[Any]]:
    yield ["SKU", "EAN", "Title", "Price", "Listed", "Sold", "Note"]
    for number in range(1, ROWS):
        title = f"Title & <{number % 7}>" if number % 3 else "_x000D_ é\n€ "
        note = None if number % 4 else f"n{number}"
        day = dt.date(2024, 1, 1) + dt.timedelta(days=number % 500)
        yield [f"S-{number}", 4_000_000_000_000 + number, title, number / 7, day, number % 2 == 0, note]


def by_xlsxwriter(path: Path, *, constant_memory: bool) -> None:
    options = {"constant_memory": constant_memory, "default_date_format": "dd/mm/yyyy"}
    with xlsxwriter.Workbook(path, options) as book:
        page = book.add_worksheet()
        for at, row in enumerate(made_rows()):
            for column, value in enumerate(row):
                if isinstance(value, dt.date):
                    page.write_datetime(at, column, value)
                elif value is not None:
                    page.write(at, column, value)
            if at % 5 == 0:
                page.write_formula(at, 7, f"=A{at + 1}&D{at + 1}", None, "x" if at % 2 else 0)
            if at % 7 == 0:
                page.set_row(at, 20)
        page.write_rich_string(9, 8, "a", book.add_format({"bold": True}), "b", "c")


def by_openpyxl(path: Path) -> None:
    book = openpyxl.Workbook()
    for row in made_rows():
        book.worksheets[0].append(row)
    book.worksheets[0]["K3"] = "=A1"
    book.worksheets[0].row_dimensions[5].height = 30
    book.save(path)


MAKERS = {
    "xlsxwriter": lambda path: by_xlsxwriter(path, constant_memory=False),
    "xlsxwriter, in constant memory": lambda path: by_xlsxwriter(path, constant_memory=True),
    "openpyxl": by_openpyxl,
}


def seen(batch: Batch) -> tuple[Any, ...]:
    columns = [(cells.text.to_pylist(), cells.numeric.tolist(), cells.zeros.tolist()) for cells in batch.columns]
    return columns, batch.empty.tolist(), batch.row_numbers.tolist()


def everything(path: Path, header_row: int, enrich: Any) -> tuple[Any, ...]:
    [sheet, *_] = worksheets(path)
    read = [seen(batch) for batch in sheet.batches(header_row, [0, 1, 2, 3, 4, 7])]
    rows = {
        int(grid.numbers[at]): "|".join(grid.texts_of(at)).rstrip("|")
        for grid in sheet.grids()
        for at in range(len(grid))
    }
    return read, rows, enrich(path, header_row).path.read_bytes()


def compare(path: Path, header_row: int, enrich: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = everything(path, header_row, enrich)
    for ways in (SheetReader, SheetSplicer, StringsReader):
        monkeypatch.setattr(ways, "quick", lambda *_: None)
    assert everything(path, header_row, enrich) == quick


@pytest.mark.parametrize("maker", MAKERS)
def test_a_workbook_is_read_and_enriched_alike(
    maker: str, tmp_path: Path, enrich: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    MAKERS[maker](tmp_path / "a.xlsx")
    compare(tmp_path / "a.xlsx", 1, enrich, monkeypatch)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
@pytest.mark.parametrize("name", REAL)
def test_a_real_workbook_is_read_and_enriched_alike(name: str, enrich: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (CORPUS / name).exists():
        pytest.skip(f"{name} is not here")
    compare(CORPUS / name, REAL[name], enrich, monkeypatch)
