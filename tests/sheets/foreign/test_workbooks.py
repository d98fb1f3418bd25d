"""Workbooks of other programs: every cell at the place and with the text that a person sees."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import openpyxl
import pyarrow as pa
import pytest

from enricher.cells import Additions
from enricher.errors import InputError, OutputError
from enricher.sheets.foreign import foreign_tables
from enricher.sheets.grid import CellKind
from enricher.sheets.kinds import Kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from enricher.sheets.source import Source

    from .conftest import Cell, Ods, Xls, Xlsb

CELLS: list[Cell] = [
    (2, 1, "UPC"),
    (2, 2, "in stock"),
    (3, 1, 12345678905.0),
    (3, 2, True),
    (6, 1, "012345678905"),
    (6, 3, "Bügeleisen ☃"),
]
"""A table that begins at B3, with two blank rows in it."""


def texts_of(source: Source) -> dict[int, list[str]]:
    """All texts of a table, by row number."""
    return {
        int(number): [column.text[at].as_py() for column in grid.columns]
        for grid in source.grids()
        for at, number in enumerate(grid.numbers)
    }


@pytest.mark.parametrize("kind", ["xls", "xlsb"])
def test_cells_stand_in_the_rows_and_columns_that_excel_shows(make_xls: Xls, make_xlsb: Xlsb, kind: str) -> None:
    path = (make_xls if kind == "xls" else make_xlsb)({"Stock": CELLS})
    assert kind_of(path) is Kind(Kind.XLS if kind == "xls" else Kind.XLSB)
    [source] = foreign_tables(path, kind_of(path))
    preview = source.preview(10)
    assert preview.row_numbers == (3, 4, 7)
    assert [cells.text.to_pylist() for cells in preview.columns] == [
        ["", "", ""],
        ["UPC", "12345678905", "012345678905"],
        ["in stock", "TRUE", ""],
        ["", "", "Bügeleisen ☃"],
    ]
    assert [cells.numeric.tolist() for cells in preview.columns[:3]] == [
        [False, False, False],
        [False, True, False],
        [False, False, False],
    ]
    assert not any(cells.zeros.any() for cells in preview.columns)


def test_an_opendocument_spreadsheet_reads_the_same(make_ods: Ods) -> None:
    row = "<table:table-row><table:table-cell {}><text:p>{}</text:p></table:table-cell></table:table-row>"
    gap = '<table:table-row table:number-rows-repeated="1000000"><table:table-cell/></table:table-row>'
    number = 'office:value-type="float" office:value="4006381333931"'
    body = row.format('office:value-type="string"', "EAN") + gap + row.format(number, "4.01E+12")
    path = make_ods(f'<table:table table:name="A &amp; B">{body}</table:table>')
    [source] = foreign_tables(path, kind_of(path))
    assert source.sheet == "A & B"
    assert texts_of(source) == {1: ["EAN"], 1_000_002: ["4006381333931"]}


def test_batches_are_of_the_rows_below_the_header_and_the_columns_asked_for(make_xls: Xls) -> None:
    [source] = foreign_tables(make_xls({"Stock": CELLS}), Kind.XLS)
    [batch] = source.batches(3, [3, 1, 40])
    assert [cells.text.to_pylist() for cells in batch.columns] == [
        ["", "Bügeleisen ☃"],
        ["12345678905", "012345678905"],
        ["", ""],
    ]
    assert batch.row_numbers.tolist() == [4, 7]
    assert batch.columns[1].numeric.tolist() == [True, False]
    assert not batch.empty.any()
    assert list(source.batches(7, [1])) == []


def test_grids_say_what_each_cell_is(make_xls: Xls) -> None:
    cells: list[Cell] = [(0, 0, 45351.0), (0, 1, 0.1), (0, 2, False), (0, 3, "2024-02-29"), (1, 0, 45351.75)]
    [source] = foreign_tables(make_xls({"A": cells}, date_columns=1), Kind.XLS)
    [grid] = source.grids()
    assert texts_of(source) == {1: ["2024-02-29", "0.1", "FALSE", "2024-02-29"], 2: ["2024-02-29T18:00:00", "", "", ""]}
    kinds = [None if column.kinds is None else column.kinds.tolist() for column in grid.columns]
    assert kinds == [[CellKind.DATE] * 2, [CellKind.NUMBER, 0], [CellKind.BOOLEAN, 0], None]


def test_hidden_sheets_come_last_and_the_description_names_the_sheet(make_xls: Xls, make_xlsb: Xlsb) -> None:
    sheets: dict[str, list[Cell]] = {"Lists": [(0, 0, "x")], "Codes": [(0, 0, "y")], "Empty": []}
    words = ("Excel 97-2003 workbook (.xls)", "Excel binary workbook (.xlsb)")
    for path, kind in zip((make_xls(sheets, hidden="Lists"), make_xlsb(sheets, hidden="Lists")), words, strict=True):
        found = foreign_tables(path, kind_of(path))
        assert [(source.sheet, source.hidden) for source in found] == [
            ("Codes", False),
            ("Empty", False),
            ("Lists", True),
        ]
        assert found[1].preview(5).columns == ()
        assert list(found[1].batches(1, [0])) == []
        assert [found[at].description for at in (0, 2)] == [f"{kind}, sheet 'Codes'", f"{kind}, sheet 'Lists'"]


def test_a_name_that_promises_another_kind_is_said(make_xls: Xls) -> None:
    path = make_xls({"A": [(0, 0, "x")]})
    other = path.rename(path.with_name("stock.csv"))
    [source] = foreign_tables(other, kind_of(other))
    assert source.description == "Excel 97-2003 workbook (.xls) named .csv, sheet 'A'"


def test_a_sheet_of_many_blocks_is_read_in_order_and_by_several_passes_at_once(make_xlsb: Xlsb) -> None:
    cells: list[Cell] = [(row, column, float(row * 100 + column)) for row in range(9000) for column in range(50)]
    [source] = foreign_tables(make_xlsb({"A": cells}), Kind.XLSB)
    batches = list(source.batches(1, [49]))
    assert len(batches) > 1
    assert batches[-1].share_read == 1.0
    assert [batch.share_read for batch in batches] == sorted({batch.share_read for batch in batches})
    numbers = np.concatenate([batch.row_numbers for batch in batches])
    assert numbers.tolist() == list(range(2, 9001))
    texts = [text for batch in batches for text in batch.columns[0].text.to_pylist()]
    assert texts == [str(row * 100 + 49) for row in range(1, 9000)]
    together = zip(source.batches(1, [49]), source.batches(1, [49]), strict=True)
    assert all(one.columns[0].text.equals(other.columns[0].text) for one, other in together)
    preview = source.preview(5000)  # more than one block
    assert preview.row_numbers == tuple(range(1, 5001))
    assert preview.columns[49].text[4999].as_py() == "499949"


def test_a_file_that_is_changed_after_it_was_read_is_refused(make_xls: Xls) -> None:
    path = make_xls({"A": CELLS})
    [source] = foreign_tables(path, Kind.XLS)
    os.utime(path, ns=(1, 1))
    for read in (lambda: source.preview(1), lambda: list(source.batches(1, [0])), lambda: list(source.grids())):
        with pytest.raises(InputError, match="was changed while it was being worked on"):
            read()


def test_such_a_file_is_never_written_and_the_error_names_the_way_out(make_xls: Xls, tmp_path: Path) -> None:
    [source] = foreign_tables(make_xls({"A": CELLS}), Kind.XLS)
    additions = Additions(pa.table({"amazon_title": ["x"]}), np.zeros(2, np.int32))
    source.check(3, additions.schema)
    with pytest.raises(OutputError, match=r"read, but not written.*-o book\.enriched\.xlsx"):
        source.write(tmp_path / "new.xls", 3, additions, lambda _: None)
    assert not (tmp_path / "new.xls").exists()


def test_a_workbook_without_a_sheet_is_refused(make_xls: Xls) -> None:
    with pytest.raises(InputError, match=r"no worksheet|damaged"):
        foreign_tables(make_xls({}), Kind.XLS)


def test_the_codes_of_a_real_xls_are_read(corpus: Path) -> None:
    [source] = foreign_tables(corpus / "in_pos_barcodes.xls", Kind.XLS)
    codes = list(itertools.chain.from_iterable(batch.columns[0].text.to_pylist() for batch in source.batches(1, [0])))
    assert len(codes) == 16_311
    assert codes[2] == "8902102127468"


# --- as LibreOffice writes them -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def convert(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, str], Path]:
    """Save a workbook as another kind with LibreOffice."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    profile = tmp_path_factory.mktemp("office")

    def run(path: Path, kind: str) -> Path:
        command = [office, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", kind]
        subprocess.run([*command, "--outdir", path.parent, path], check=True, capture_output=True, timeout=120)
        return path.with_suffix(f".{kind}")

    return run


ROWS: Sequence[Sequence[object]] = (
    ("Title of the list", None, None, None),
    (None, None, None, None),
    ("UPC", "added", "price", "name"),
    (12345678905, dt.datetime(2024, 2, 29), 1.5, "Bügel\neisen"),  # noqa: DTZ001 - a cell's date has no time zone
    ("012345678905", dt.datetime(2024, 2, 29, 13, 5, 9), 1e20, " edges "),  # noqa: DTZ001
    (978014300723, dt.time(6, 30), 1.2345e-7, "=not a formula"[1:]),
    (4006381333931, dt.timedelta(hours=30, minutes=1), -5, "NA"),
)
SEEN = {
    1: ["Title of the list", "", "", ""],
    3: ["UPC", "added", "price", "name"],
    4: ["12345678905", "2024-02-29", "1.5", "Bügel\neisen"],
    5: ["012345678905", "2024-02-29T13:05:09", "100000000000000000000", " edges "],
    6: ["978014300723", "06:30:00", "0.00000012345", "not a formula"],
    7: ["4006381333931", "30:01:00", "-5", "NA"],
}


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_what_libreoffice_saves_is_read_as_it_was_typed(
    convert: Callable[[Path, str], Path], tmp_path: Path, kind: str
) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Stock"
    for row in ROWS:
        sheet.append(list(row))
    sheet["B7"].number_format = "[h]:mm:ss"
    sheet["F40"].number_format = "0.00"  # a format alone is no data
    sheet.merge_cells("A1:D1")
    sheet.row_dimensions[5].hidden = True
    hidden = book.create_sheet("Prices")
    hidden["A1"] = "x"
    hidden.sheet_state = "hidden"
    book.save(tmp_path / "book.xlsx")
    path = convert(tmp_path / "book.xlsx", kind)
    source, other = foreign_tables(path, kind_of(path))
    assert texts_of(source) == SEEN
    assert (source.sheet, source.hidden, other.sheet, other.hidden) == ("Stock", False, "Prices", True)
    [grid] = source.grids()
    assert grid.columns[1].kinds is not None
    text, date, time = CellKind.TEXT, CellKind.DATE, CellKind.TIME
    assert grid.columns[1].kinds.tolist() == [text, text, date, date, time, time]
