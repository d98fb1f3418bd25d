"""Tables, filters, names and what else on a sheet has to do with where the new columns go."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from enricher.errors import InputError
from tests.sheets.xlsx.excel_rules import broken_rules

if TYPE_CHECKING:
    from pathlib import Path

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHEET, TABLE, BOOK = "xl/worksheets/sheet1.xml", "xl/tables/table1.xml", "xl/workbook.xml"
NEW = {"amazon_title": ["Sony"], "amazon_bsr": [5]}


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def sheet(*rows: list[str]) -> str:
    """Rows from row 1 and column A on; an empty text is no cell."""
    return "".join(
        f'<row r="{number}">'
        + "".join(text_cell(f"{'ABCDEFGH'[at]}{number}", text) for at, text in enumerate(row) if text)
        + "</row>"
        for number, row in enumerate(rows, 1)
    )


def table(ref: str, names: list[str], number: int = 1, attributes: str = "", filtered: str = "") -> bytes:
    columns = "".join(f'<tableColumn id="{at}" name="{name}"/>' for at, name in enumerate(names, 1))
    return (
        f'<table xmlns="{MAIN}" id="{number}" name="T{number}" displayName="T{number}" ref="{ref}"{attributes}>'
        f'<autoFilter ref="{filtered or ref}"/><tableColumns count="{len(names)}">{columns}</tableColumns></table>'
    ).encode()


def tabled(handmade: Any, rows: str, *tables: bytes, workbook: str = "", after: str = "") -> Path:
    """A sheet with tables, well connected."""
    links = "".join(
        f'<Relationship Id="t{at}" Type="{RELATIONS}/table" Target="../tables/table{at}.xml"/>'
        for at in range(1, len(tables) + 1)
    )
    kept = "".join(f'<tablePart r:id="t{at}"/>' for at in range(1, len(tables) + 1))
    extra = {f"xl/tables/table{at}.xml": data for at, data in enumerate(tables, 1)}
    extra["xl/worksheets/_rels/sheet1.xml.rels"] = (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{links}</Relationships>'
    ).encode()
    parts = f'<tableParts count="{len(tables)}">{kept}</tableParts>'
    path: Path = handmade(rows, around=("", after + parts), extra=extra, workbook=workbook)
    return path


def part(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as file:
        return file.read(name).decode()


def changed(before: Path, after: Path) -> set[str]:
    with zipfile.ZipFile(before) as old, zipfile.ZipFile(after) as new:
        return {name for name in old.namelist() if old.read(name) != new.read(name)}


def test_a_table_with_totals_grows_and_its_totals_row_gets_nothing(handmade: Any, enrich: Any) -> None:
    rows = sheet(["EAN", "Stock"], ["4006381333931", "1"], ["4006381333932", "2"], ["Total", "3"])
    path = tabled(handmade, rows, table("A1:B4", ["EAN", "Stock"], attributes=' totalsRowCount="1"', filtered="A1:B3"))
    result = enrich(path, columns={"amazon_title": ["Sony"]})
    grown = part(result.path, TABLE)
    assert 'ref="A1:C4" totalsRowCount="1"><autoFilter ref="A1:C3"/><tableColumns count="3">' in grown
    assert result.data_rows == 3
    assert broken_rules(result.path) == []


def test_of_two_tables_side_by_side_the_one_in_the_way_is_passed(handmade: Any, enrich: Any) -> None:
    rows = sheet(["EAN", "", "Colour"], ["4006381333931", "", "red"])
    path = tabled(handmade, rows, table("A1:A2", ["EAN"]), table("C1:C2", ["Colour"], 2))
    result = enrich(path, columns=NEW)
    assert result.notes == ["The table 'T1' was not widened: there is other content to its right"]
    assert changed(path, result.path) == {SHEET}
    assert openpyxl.load_workbook(result.path).worksheets[0]["D1"].value == "amazon_title"
    assert broken_rules(result.path) == []


def test_an_empty_table_at_the_right_keeps_its_place(handmade: Any, enrich: Any) -> None:
    rows = sheet(["EAN"], ["4006381333931"])
    path = tabled(handmade, rows, table("A1:A2", ["EAN"]), table("B1:D9", ["x", "y", "z"], 2, ' headerRowCount="0"'))
    result = enrich(path, columns=NEW)
    assert openpyxl.load_workbook(result.path).worksheets[0]["E1"].value == "amazon_title"
    assert changed(path, result.path) == {SHEET}


def test_a_table_below_the_data_at_the_right_is_no_reason_to_pass_it(handmade: Any, enrich: Any) -> None:
    rows = sheet(["EAN"], ["4006381333931"])
    path = tabled(handmade, rows, table("A1:A2", ["EAN"]), table("B8:D9", ["x", "y", "z"], 2, ' headerRowCount="0"'))
    result = enrich(path, columns=NEW)
    assert openpyxl.load_workbook(result.path).worksheets[0]["B1"].value == "amazon_title"
    assert broken_rules(result.path) == []


def test_a_table_to_the_last_row_of_the_sheet_grows(handmade: Any, enrich: Any) -> None:
    path = tabled(handmade, sheet(["EAN"], ["4006381333931"]), table("A1:A1048576", ["EAN"]))
    result = enrich(path, columns=NEW)
    assert part(result.path, TABLE).count('ref="A1:C1048576"') == 2
    assert broken_rules(result.path) == []


def test_the_columns_of_a_query_stay_the_querys(handmade: Any, enrich: Any) -> None:
    rows = sheet(["EAN"], ["4006381333931"])
    path = tabled(handmade, rows, table("A1:A2", ["EAN"], attributes=' tableType="queryTable"'))
    result = enrich(path, columns=NEW)
    assert result.notes == ["The table 'T1' was not widened: its columns belong to a query or an XML map"]
    assert changed(path, result.path) == {SHEET}


def test_a_column_called_like_a_new_one_makes_the_new_one_another(handmade: Any, enrich: Any) -> None:
    path = tabled(
        handmade, sheet(["EAN", "AMAZON_TITLE"], ["4006381333931", "x"]), table("A1:B2", ["EAN", "AMAZON_TITLE"])
    )
    result = enrich(path, columns=NEW)
    assert 'name="amazon_title_2"' in part(result.path, TABLE)
    assert broken_rules(result.path) == []


def test_a_name_with_a_line_break_is_the_same_in_header_and_table(handmade: Any, enrich: Any) -> None:
    path = tabled(handmade, sheet(["EAN"], ["4006381333931"]), table("A1:A2", ["EAN"]))
    result = enrich(path, columns={'amazon "a" & <b>\nc': ["x"]})
    assert 'name="amazon &quot;a&quot; &amp; &lt;b&gt;_x000a_c"' in part(result.path, TABLE)
    assert broken_rules(result.path) == []


def test_names_and_formulas_that_speak_of_a_table_stay(handmade: Any, enrich: Any) -> None:
    names = '<definedNames><definedName name="Codes">T1[EAN]</definedName></definedNames>'
    rows = sheet(["EAN"], ["4006381333931"]) + '<row r="5"><c r="A5"><f>COUNTA(T1[EAN])</f><v>1</v></c></row>'
    path = tabled(handmade, rows, table("A1:A2", ["EAN"]), workbook=names)
    result = enrich(path, columns=NEW)
    assert changed(path, result.path) == {SHEET, TABLE}
    assert "<f>COUNTA(T1[EAN])</f>" in part(result.path, SHEET)


@pytest.mark.parametrize("name", ["'My Sheet'", "'it''s'", "'a!b'", "Data", "'Ünï'"])
def test_the_hidden_name_of_a_filter_grows_whatever_the_sheet_is_called(handmade: Any, enrich: Any, name: str) -> None:
    names = (
        '<definedNames><definedName name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">'
        f'{name}!$A$1:$A$2</definedName><definedName name="_xlnm.Print_Area" localSheetId="0">{name}!$A$1:$A$2'
        "</definedName></definedNames>"
    )
    path = handmade(sheet(["EAN"], ["4006381333931"]), around=("", '<autoFilter ref="A1:A2"/>'), workbook=names)
    result = enrich(path, columns=NEW)
    assert part(result.path, BOOK) == part(path, BOOK).replace("$A$2</", "$C$2</", 1)
    assert '<autoFilter ref="A1:C2"/>' in part(result.path, SHEET)


@pytest.mark.parametrize(
    ("attribute", "message"),
    [
        (' headerRowCount="x"', "'x' where a number belongs"),
        (f' totalsRowCount="{"9" * 99}"', "where a number belongs"),
    ],
)
def test_a_table_that_counts_nonsense_is_refused(handmade: Any, enrich: Any, attribute: str, message: str) -> None:
    path = tabled(handmade, sheet(["EAN"], ["4006381333931"]), table("A1:A2", ["EAN"], attributes=attribute))
    with pytest.raises(InputError, match=message):
        enrich(path)


def test_array_formulas_shared_formulas_and_data_tables_stay_as_they_are(handmade: Any, enrich: Any) -> None:
    rows = (
        '<row r="1"><c r="A1" t="str"><v>EAN</v></c><c r="B1" t="str"><v>n</v></c></row>'
        '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><f t="shared" ref="B2:B4" si="0">A2*2</f><v>2</v></c></row>'
        '<row r="3"><c r="A3"><v>2</v></c><c r="B3"><f t="shared" si="0"/><v>4</v></c></row>'
        '<row r="4"><c r="A4"><v>3</v></c><c r="B4"><f t="shared" si="0"/><v>6</v></c>'
        '<c r="C4" cm="1"><f t="array" ref="C4:D4">TRANSPOSE(A2:A3)</f><v>1</v></c><c r="D4"><v>2</v></c></row>'
        '<row r="5"><c r="A5"><v>4</v></c><c r="B5"><f t="dataTable" ref="B5:B6" dt2D="0" dtr="0" r1="A1"/><v>1</v></c>'
        "</row>"
    )
    path = handmade(rows)
    result = enrich(path, columns=NEW)
    text = part(result.path, SHEET)
    for cell in rows.split("<c ")[1:]:
        assert cell.partition("</row>")[0] in text
    assert text.count('<c r="E') == 5, "right of what the formula spills"
    assert broken_rules(result.path) == []


def test_marks_of_other_versions_of_excel_stay_and_stay_declared(handmade: Any, enrich: Any) -> None:
    part_before = (
        f'<worksheet xmlns="{MAIN}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        'xmlns:x14ac="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac" mc:Ignorable="x14ac">'
        '<dimension ref="A1"/><sheetFormatPr defaultRowHeight="15" x14ac:dyDescent="0.25"/><sheetData>'
        '<row r="1" spans="1:1" x14ac:dyDescent="0.25"><c r="A1"><v>1</v></c></row></sheetData>'
        '<mc:AlternateContent><mc:Choice Requires="x14"><controls/></mc:Choice></mc:AlternateContent></worksheet>'
    )
    result = enrich(handmade(part_before.encode()), 0, {"n": [5]})
    after = part_before.replace("</c></row>", '</c><c r="B1"><v>5</v></c></row>').replace('"A1"/>', '"A1:B1"/>')
    cols = '<cols><col min="2" max="2" width="13" customWidth="1"/></cols>'
    assert part(result.path, SHEET) == after.replace(' spans="1:1"', "").replace("<sheetData>", f"{cols}<sheetData>")


def test_rules_that_reach_over_the_new_columns_are_left_alone(handmade: Any, enrich: Any) -> None:
    after = (
        '<sheetProtection sheet="1"/><conditionalFormatting sqref="A1:XFD1048576"><cfRule type="expression" '
        'priority="1"><formula>A1="x"</formula></cfRule></conditionalFormatting>'
        '<dataValidations count="1"><dataValidation type="none" sqref="A2:H9"/></dataValidations>'
    )
    result = enrich(handmade(sheet(["EAN"], ["4006381333931"]), around=("", after)), columns=NEW)
    assert after in part(result.path, SHEET)
    assert openpyxl.load_workbook(result.path).worksheets[0].protection.sheet


def test_sheets_hidden_from_everyone_can_be_read_and_written(handmade: Any, enrich: Any) -> None:
    path = handmade(
        sheet(["EAN"], ["4006381333931"]),
        extra={
            BOOK: f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets><sheet name="Data" sheetId="1" '
            'state="veryHidden" r:id="rId1"/></sheets></workbook>'.encode()
        },
    )
    result = enrich(path, columns=NEW)
    assert changed(path, result.path) == {SHEET}
