"""Workbooks as real programs write them come out as they went in, with columns added."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEW = {"amazon_title": ["Sony", None, "Bosch"], "amazon_bsr": [1, 2, None], "sold_by_amazon": [True, None, False]}


def changed_parts(before: Path, after: Path) -> set[str]:
    with zipfile.ZipFile(before) as old, zipfile.ZipFile(after) as new:
        assert new.testzip() is None
        assert old.namelist() == new.namelist()
        assert [one.date_time for one in old.infolist()] == [one.date_time for one in new.infolist()]
        return {name for name in old.namelist() if old.read(name) != new.read(name)}


def repacked(path: Path, target: Path, before: bytes, after: bytes) -> Path:
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace(before, after) if name.startswith("xl/tables/") else data)
    return target


def cells(path: Path) -> dict[tuple[str, int, int], tuple[Any, str]]:
    book = openpyxl.load_workbook(path)
    return {
        (sheet.title, cell.row, cell.column): (cell.value, cell.number_format + str(cell.font.b))
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    }


@pytest.fixture
def rich(tmp_path: Path) -> Path:
    """An order form with nearly everything openpyxl can write, and two more sheets."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Order form"
    sheet["A1"] = "Spring range"
    sheet.merge_cells("A1:J1")
    for column, name in enumerate(["EAN", "Product", "Price", "Stock", "Value"], 1):
        sheet.cell(3, column, name).font = Font(bold=True)
    for row in range(4, 40):
        values: list[str | float] = [f"40063813339{row}", f"Item {row}\n<&>", row * 1.5, row, f"=C{row}*D{row}"]
        for column, value in enumerate(values, 1):
            sheet.cell(row, column, value)
        sheet.cell(row, 3).number_format = "#,##0.00 €"
    sheet["A41"] = "TOTAL"
    sheet["E41"] = "=SUM(E4:E39)"
    sheet["B5"].comment = Comment("check this", "buyer")
    sheet.conditional_formatting.add("D4:D39", CellIsRule("lessThan", ["5"], fill=PatternFill(bgColor="FFFF0000")))  # type: ignore[no-untyped-call]
    sheet.freeze_panes = "B4"
    sheet.add_table(Table(displayName="Range", ref="A3:E39"))
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=4, min_row=3, max_row=39), titles_from_data=True)
    sheet.add_chart(chart, "N4")
    book.create_sheet("Notes")["B2"] = "note"
    book.create_sheet("Empty")
    book.save(tmp_path / "rich.xlsx")
    return tmp_path / "rich.xlsx"


def test_only_the_sheet_and_its_table_change(rich: Path, enrich: Any) -> None:
    result = enrich(rich, 3, NEW)
    assert result.notes == []
    assert changed_parts(rich, result.path) == {"xl/worksheets/sheet1.xml", "xl/tables/table1.xml"}


def test_every_cell_is_as_it_was_and_the_new_ones_stand_at_the_right(rich: Path, enrich: Any) -> None:
    after = cells(enrich(rich, 3, NEW).path)
    assert cells(rich).items() <= after.items()
    new = {place: value for place, value in after.items() if place[2] > 5}
    assert [new["Order form", 3, column][0] for column in (6, 7, 8)] == list(NEW)
    assert new["Order form", 3, 6][1] == "GeneralTrue"
    assert [new["Order form", 4, column][0] for column in (6, 7, 8)] == ["Sony", 1, True]
    assert ("Order form", 5, 6) not in new
    assert [new["Order form", 6, column][0] for column in (6, 8)] == ["Bosch", False]


def test_the_table_takes_the_new_columns_in(rich: Path, enrich: Any) -> None:
    sheet = openpyxl.load_workbook(enrich(rich, 3, NEW).path).worksheets[0]
    table = sheet.tables["Range"]
    assert table.ref == table.autoFilter.ref == "A3:H39"
    assert [column.name for column in table.tableColumns][5:] == list(NEW)
    assert sorted({column.id for column in table.tableColumns}) == list(range(1, 9))


def test_a_table_with_something_to_its_right_is_left_alone(rich: Path, enrich: Any) -> None:
    book = openpyxl.load_workbook(rich)
    book.worksheets[0]["G10"] = "remark"
    book.save(rich)
    result = enrich(rich, 3, NEW)
    assert result.notes == ["The table 'Range' was not widened: there is other content to its right"]
    assert changed_parts(rich, result.path) == {"xl/worksheets/sheet1.xml"}
    assert openpyxl.load_workbook(result.path).worksheets[0]["H3"].value == "amazon_title"


def test_a_table_reaching_to_the_last_row_is_widened(rich: Path, tmp_path: Path, enrich: Any) -> None:
    long = repacked(rich, tmp_path / "long.xlsx", b"A3:E39", b"A3:E1048576")
    result = enrich(long, 3, NEW)
    assert result.data_rows == 37, "openpyxl writes rows 4 to 39, and 41"
    with zipfile.ZipFile(result.path) as file:
        assert file.read("xl/tables/table1.xml").count(b'ref="A3:H1048576"') == 2


def test_a_table_of_a_query_is_left_to_its_query(rich: Path, tmp_path: Path, enrich: Any) -> None:
    queried = repacked(rich, tmp_path / "query.xlsx", b"<table ", b'<table tableType="queryTable" ')
    result = enrich(queried, 3, NEW)
    assert result.notes == ["The table 'Range' was not widened: its columns belong to a query or an XML map"]


def test_another_sheet_than_the_first_can_be_written(rich: Path, enrich: Any) -> None:
    result = enrich(rich, 0, {"t": ["Sony"]}, sheet="Notes")
    assert changed_parts(rich, result.path) == {"xl/worksheets/sheet2.xml"}
    assert openpyxl.load_workbook(result.path)["Notes"]["C2"].value == "Sony"


def test_an_empty_sheet_stays_empty(rich: Path, enrich: Any) -> None:
    result = enrich(rich, 0, {"t": ["Sony"]}, sheet="Empty")
    assert result.data_rows == 0
    assert list(openpyxl.load_workbook(result.path)["Empty"].values) == []


def xlsxwriter_books(folder: Path) -> Iterator[Path]:
    writer = pytest.importorskip("xlsxwriter")
    for options in ({}, {"constant_memory": True}, {"use_zip64": True}):
        path = folder / f"w{len(options)}{'z' * ('use_zip64' in options)}.xlsx"
        book = writer.Workbook(str(path), options)
        sheet = book.add_worksheet("Range")
        padded = book.add_format({"num_format": "000000000000"})
        date = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, ["UPC", "Listed", "Title"], book.add_format({"bold": True}))
        for row in range(1, 300):
            sheet.write_number(row, 0, 12345678905 + row, padded)
            sheet.write_number(row, 1, 44927 + row, date)
            sheet.write_string(row, 2, f"Ünï {row % 7}")
            sheet.write_blank(row, 4, None, date)
        sheet.autofilter(0, 0, 299, 2)
        sheet.set_column(0, 2, 20)
        sheet.data_validation("B2:B300", {"validate": "any", "input_title": "x"})
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=Range!$A$2:$A$9"})
        sheet.insert_chart("K2", chart)
        bars = book.add_chart({"type": "bar"})
        bars.add_series({"values": "=Range!$A$2:$A$9"})
        book.add_chartsheet().set_chart(bars)
        book.close()
        yield path


def test_workbooks_of_xlsxwriter_keep_all_but_the_sheet_and_the_name_of_its_filter(tmp_path: Path, enrich: Any) -> None:
    for path in xlsxwriter_books(tmp_path):
        result = enrich(path, 1, NEW)
        assert changed_parts(path, result.path) == {"xl/worksheets/sheet1.xml", "xl/workbook.xml"}
        after = cells(result.path)
        assert cells(path).items() <= after.items()
        book = openpyxl.load_workbook(result.path)
        assert book["Range"].auto_filter.ref == "A1:F300"
        assert after["Range", 2, 4] == ("Sony", "GeneralFalse")
        assert after["Range", 2, 5] == (1, "GeneralFalse"), (
            "the date format of the blank cell must not show 1 as a date"
        )


def test_the_members_of_a_zip_written_as_a_stream_are_copied(tmp_path: Path, rich: Path, enrich: Any) -> None:
    class Pipe:
        """A file that can't seek: zipfile then writes the sizes behind the data."""

        def __init__(self) -> None:
            self.data = b""

        def write(self, data: bytes) -> int:
            self.data += bytes(data)
            return len(data)

        def flush(self) -> None: ...

    pipe = Pipe()
    with zipfile.ZipFile(rich) as old, zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as new:  # type: ignore[call-overload]
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, (2020, 1, 2, 3, 4, 6)), old.read(name))
    streamed = tmp_path / "streamed.xlsx"
    streamed.write_bytes(pipe.data)
    result = enrich(streamed, 3, NEW)
    assert changed_parts(streamed, result.path) == {"xl/worksheets/sheet1.xml", "xl/tables/table1.xml"}
