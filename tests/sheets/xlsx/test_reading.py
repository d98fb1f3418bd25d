"""What the cells of a worksheet are read as."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from openpyxl.worksheet.table import Table

from enricher.sheets.xlsx import worksheets

if TYPE_CHECKING:
    from pathlib import Path

    from enricher.cells import Batch


def whole(path: Path, header_row: int, columns: list[int]) -> list[Batch]:
    return list(worksheets(path)[0].batches(header_row, columns))


def first_texts(handmade: Any, rows: str, **more: Any) -> list[str]:
    preview = worksheets(handmade(rows, **more))[0].preview(1)
    return [cells.text[0].as_py() for cells in preview.columns]


def test_a_number_is_read_as_its_full_decimal_text(handmade: Any) -> None:
    raws = ["1.2345678905E10", "12345678905", "5.0", "0.10000000000000001", "-2.50", "12345678901234567890", "1E-7"]
    cells = "".join(f"<c><v>{raw}</v></c>" for raw in raws)
    expected = ["12345678905", "12345678905", "5", "0.1", "-2.5", "12345678901234567890", "0.0000001"]
    assert first_texts(handmade, f"<row>{cells}</row>") == expected


def test_every_kind_of_cell_gives_its_text(handmade: Any) -> None:
    cells = (
        '<c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="inlineStr"><is><r><t>a</t></r><r><t> b</t></r></is></c>'
        '<c t="str"><f>A1&amp;"&lt;x&gt;"</f><v>made</v></c><c t="b"><v>1</v></c><c t="b"><v>0</v></c>'
        '<c t="e"><v>#N/A</v></c><c t="inlineStr"><is><t>x_x000D_y _x005F_x0041_</t></is></c>'
    )
    rich = "<r><t>Blu</t></r><r><t>-ray</t></r><rPh sb='0' eb='1'><t>hidden</t></rPh>"
    texts = first_texts(handmade, f"<row>{cells}</row>", strings=["B00X", rich])
    assert texts == ["B00X", "Blu-ray", "a b", "made", "TRUE", "FALSE", "#N/A", "x\ry _x0041_"]


def test_only_number_cells_are_numeric_and_show_the_width_of_an_all_zeros_format(handmade: Any) -> None:
    cells = '<c s="1"><v>12345678905</v></c><c s="2"><v>5</v></c><c s="3"><v>5</v></c><c s="1" t="str"><v>5</v></c>'
    path = handmade(f"<row>{cells}</row>", formats=["000000000000", "0000000000000;-0", "0.00"])
    columns = worksheets(path)[0].preview(1).columns
    assert [bool(cells.numeric[0]) for cells in columns] == [True, True, True, False]
    assert [int(cells.zeros[0]) for cells in columns] == [12, 13, 0, 0]


def test_rows_and_cells_without_a_reference_are_counted(handmade: Any) -> None:
    path = handmade(
        '<row><c><v>1</v></c></row><row r="5"><c r="C5"><v>2</v></c><c><v>3</v></c></row><row/>'
        "<row><c><v>4</v></c></row>"
    )
    preview = worksheets(path)[0].preview(10)
    assert preview.row_numbers == (1, 5, 7)
    assert [cells.text.to_pylist() for cells in preview.columns] == [
        ["1", "", "4"],
        ["", "", ""],
        ["", "2", ""],
        ["", "3", ""],
    ]


def test_a_stray_cell_in_the_last_column_costs_little(handmade: Any) -> None:
    columns = worksheets(handmade('<row><c r="XFD1"><v>1</v></c></row>'))[0].preview(5).columns
    assert len(columns) == 16_384
    assert columns[0] is columns[1]
    assert columns[-1].text.to_pylist() == ["1"]


def test_data_ends_at_the_last_row_with_a_value_and_rows_that_show_nothing_are_empty(handmade: Any) -> None:
    rows = (
        '<row r="1"><c><v>9</v></c></row><row r="2"><c><v>1</v></c></row><row r="3"><c s="1"/></row>'
        '<row r="5"><c t="s"><v>0</v></c></row><row r="6"><c t="str"><f>""</f><v></v></c></row>'
        '<row r="7"><c r="B7"><v>2</v></c></row><row r="8"><c s="1"/></row>'
    )
    [batch] = whole(handmade(rows, strings=["<t/>"]), 1, [0])
    assert batch.row_numbers.tolist() == [2, 3, 5, 6, 7]
    assert batch.empty.tolist() == [False, True, True, True, False]
    assert batch.columns[0].text.to_pylist() == ["1", "", "", "", ""]


def test_a_formula_that_was_never_worked_out_makes_its_row_no_empty_one(handmade: Any) -> None:
    [batch] = whole(handmade("<row><c><f>1+1</f><v/></c></row>"), 0, [0])
    assert batch.empty.tolist() == [False]


def test_rows_below_a_table_without_a_code_are_no_data(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["EAN", "Stock"], ["4006381333931", 1], ["", 2], ["Total", 3], ["", 3], ["stray", 0]):
        sheet.append(row)
    table = Table(displayName="T", ref="A1:B4", totalsRowCount=1)
    sheet.add_table(table)
    book.save(tmp_path / "t.xlsx")
    [batch] = whole(tmp_path / "t.xlsx", 1, [0])
    assert batch.empty.tolist() == [False, False, True, True, False]


def test_a_long_sheet_comes_in_batches_and_tells_how_far_it_is(handmade: Any) -> None:
    rows = "".join(f"<row><c><v>{number}</v></c></row>" if number % 3 else "<row/>" for number in range(1, 25_001))
    batches = whole(handmade(rows), 0, [0])
    assert [len(batch.empty) for batch in batches] == [10_000, 10_000, 5_000]
    shares = [batch.share_read for batch in batches]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert [number for batch in batches for number in batch.row_numbers.tolist()] == list(range(1, 25_001))


@pytest.mark.parametrize(("epoch", "day"), [("", "2023-01-01"), ('<workbookPr date1904="1"/>', "2027-01-02")])
def test_rows_as_a_person_sees_them_show_dates_and_padded_numbers(
    handmade: Any, shown: Any, epoch: str, day: str
) -> None:
    rows = (
        '<row><c s="1"><v>44927</v></c><c s="1"><v>44927.75</v></c><c s="2"><v>12345678905</v></c>'
        '<c t="b"><v>1</v></c><c s="3"><v>0.25</v></c></row><row r="4"/>'
    )
    path = handmade(rows, formats=["dd/mm/yyyy", "000000000000", "h:mm"], workbook=epoch)
    expected = [day, f"{day}T18:00:00", "012345678905", "TRUE", "06:00:00"]
    assert shown(worksheets(path)[0]) == [(1, expected), (4, [])]


def test_visible_sheets_come_first_and_chart_sheets_do_not_come(tmp_path: Path, shown: Any) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].title = "Setup"
    book.worksheets[0].sheet_state = "hidden"
    book.create_chartsheet("Chart")
    book.create_sheet("Order form")["A1"] = dt.date(2024, 2, 3)
    book.save(tmp_path / "three.xlsx")
    sheets = worksheets(tmp_path / "three.xlsx")
    assert [(sheet.sheet, sheet.hidden) for sheet in sheets] == [("Order form", False), ("Setup", True)]
    assert shown(sheets[0]) == [(1, ["2024-02-03"])]


def test_a_file_changed_while_it_is_read_is_noticed(handmade: Any) -> None:
    path = handmade("<row><c><v>1</v></c></row>")
    [sheet] = worksheets(path)
    path.write_bytes(path.read_bytes() + b"\0" * 3)
    with pytest.raises(Exception, match="was changed while it was being worked on"):
        sheet.preview(1)
