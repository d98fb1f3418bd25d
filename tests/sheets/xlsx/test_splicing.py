"""Sheets written by hand, with everything a sheet may hold that a tidy program would not write."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from enricher.errors import InputError
from enricher.sheets.xlsx import worksheets

if TYPE_CHECKING:
    from pathlib import Path

SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
TITLE = {"amazon_title": ["Sony"]}


def sheet_xml(path: Path) -> str:
    with zipfile.ZipFile(path) as file:
        return file.read(SHEET).decode()


def sheet_rows(path: Path) -> str:
    return sheet_xml(path).partition("<sheetData>")[2].partition("</sheetData>")[0]


def new_cell(place: str, text: str, style: str = "") -> str:
    return f'<c r="{place}"{style} t="inlineStr"><is><t>{text}</t></is></c>'


def test_new_cells_are_spliced_in_and_every_other_byte_stays(handmade: Any, enrich: Any) -> None:
    rows = (
        '<row r=\'1\' ht="30" >\n <c r=\'A1\' t="str"><v>EAN</v></c></row><!-- </row> <row r="9"> -->'
        '<row r="2"><c r="A2"><v>1</v></c> <!-- x --> </row>'
        '<row r="3"><c r="A3" t="str"><v><![CDATA[</row>]]></v></c></row>'
    )
    result = enrich(handmade(rows), columns=TITLE)
    expected = rows.replace("</v></c></row><!--", "</v></c>" + new_cell("B1", "amazon_title") + "</row><!--")
    expected = expected.replace(' </row><row r="3"', f' {new_cell("B2", "Sony")}</row><row r="3"')
    expected = expected.replace("]]></v></c></row>", f"]]></v></c>{new_cell('B3', 'Sony')}</row>")
    assert sheet_rows(result.path) == expected
    assert result.ticks == result.data_rows == 2


def test_rows_without_numbers_and_self_closed_rows_get_their_cells(handmade: Any, enrich: Any) -> None:
    rows = '<row><c t="str"><v>EAN</v></c></row><row r="3"/><row spans="1:1" ht="9"/><row><c><v>1</v></c></row>'
    assert sheet_rows(enrich(handmade(rows), columns=TITLE).path) == (
        f'<row><c t="str"><v>EAN</v></c>{new_cell("B1", "amazon_title")}</row>'
        f'<row r="3">{new_cell("B3", "Sony")}</row><row ht="9">{new_cell("B4", "Sony")}</row>'
        f"<row><c><v>1</v></c>{new_cell('B5', 'Sony')}</row>"
    )


def test_spans_go_even_when_they_are_several(handmade: Any, enrich: Any) -> None:
    rows = '<row r="1" spans="1:3 5:8" ht="20"><c r="A1"><v>1</v></c></row>'
    assert sheet_rows(enrich(handmade(rows), 0, TITLE).path) == (
        f'<row r="1" ht="20"><c r="A1"><v>1</v></c>{new_cell("B1", "Sony")}</row>'
    )


@pytest.mark.parametrize("prefix", ["x:", ""])
def test_what_only_the_element_of_the_rows_declares_is_heeded(
    handmade: Any, enrich: Any, shown: Any, prefix: str
) -> None:
    row = f'<{prefix}row r="{{0}}" y:a="1"><{prefix}c r="A{{0}}"><{prefix}v>{{0}}</{prefix}v></{prefix}c></{prefix}row>'
    declared = f'xmlns{":x" if prefix else ""}="{MAIN}" xmlns:y="urn:y"'
    rows = "".join(row.format(number) for number in (1, 2))
    part = f'<worksheet xmlns="{MAIN}"><{prefix}sheetData {declared}>{rows}</{prefix}sheetData></worksheet>'
    result = enrich(handmade(part.encode()), 0, {"new": ["a", "b"]})
    assert shown(worksheets(result.path)[0]) == [(1, ["1", "a"]), (2, ["2", "b"])]


def test_a_prefixed_strict_sheet_gets_prefixed_cells(handmade: Any, enrich: Any, shown: Any) -> None:
    part = (
        f'<x:worksheet xmlns:x="{STRICT}"><x:cols><x:col min="1" max="1" width="9"/></x:cols><x:sheetData>'
        '<x:row><x:c t="str"><x:v>EAN</x:v></x:c></x:row><x:row/><x:row><x:c><x:v>1</x:v></x:c></x:row>'
        "</x:sheetData></x:worksheet>"
    )
    result = enrich(handmade(part.encode()), columns={"t": ["Sony"], "n": [5]})
    text = sheet_xml(result.path)
    assert '<x:c r="B3" t="inlineStr"><x:is><x:t>Sony</x:t></x:is></x:c><x:c r="C3"><x:v>5</x:v></x:c></x:row>' in text
    assert '<x:row><x:c r="B2" t="inlineStr">' in text
    assert '<x:col min="3" max="3" width="13" customWidth="1"/></x:cols>' in text
    assert [row[1] for row in shown(worksheets(result.path)[0])] == [
        ["EAN", "t", "n"],
        ["", "Sony", "5"],
        ["1", "Sony", "5"],
    ]


def test_cells_that_hold_only_a_style_are_merged_into(handmade: Any, enrich: Any) -> None:
    rows = (
        '<row r="1"><c r="A1" t="str" s="1"><v>EAN</v></c><c r="C1" s="2"/></row>'
        '<row r="2"><c r="A2"><v>1</v></c><c r="B2" s="2"></c><c r="C2" s="2"/> <c r="F2" s="2"/></row>'
        '<row r="3"><c r="A3"><v>2</v></c><c r="C3" s="2"/><c r="D3" s="2"></c></row>'
    )
    path = handmade(rows, formats=["0", "dd/mm/yyyy"])
    result = enrich(path, columns={"t": ["Sony", None], "n": [5, 6], "u": [None, "x"]})
    assert sheet_rows(result.path) == (
        '<row r="1"><c r="A1" t="str" s="1"><v>EAN</v></c>'
        + "".join(new_cell(f"{column}1", name, ' s="1"') for column, name in zip("BCD", "tnu", strict=True))
        + "</row>"
        + f'<row r="2"><c r="A2"><v>1</v></c>{new_cell("B2", "Sony", " s=" + chr(34) + "2" + chr(34))}'
        + '<c r="C2"><v>5</v></c> <c r="F2" s="2"/></row>'
        + '<row r="3"><c r="A3"><v>2</v></c><c r="C3"><v>6</v></c>'
        + new_cell("D3", "x", ' s="2"')
        + "</row>"
    )


def test_cells_go_before_the_extensions_of_a_row(handmade: Any, enrich: Any) -> None:
    rows = '<row r="1"><c r="A1"><v>1</v></c><extLst><ext uri="x"/></extLst></row>'
    assert f"{new_cell('B1', 'Sony')}<extLst>" in sheet_rows(enrich(handmade(rows), 0, TITLE).path)


def test_a_lying_dimension_is_put_right_and_an_absent_one_stays_absent(handmade: Any, enrich: Any) -> None:
    rows = '<row r="2"><c r="B2"><v>1</v></c></row><row r="9"><c r="C9"><v>1</v></c></row>'
    lying = enrich(handmade(rows, around=('<dimension ref="A1"/>', "")), 0, TITLE)
    assert '<dimension ref="B2:D9"/>' in sheet_xml(lying.path)
    assert "dimension" not in sheet_xml(enrich(handmade(rows), 0, TITLE).path)


def test_widths_follow_those_the_sheet_has(handmade: Any, enrich: Any) -> None:
    rows = '<row r="1"><c r="A1"><v>1</v></c></row>'
    fresh = sheet_xml(enrich(handmade(rows), 0, TITLE).path)
    assert '<cols><col min="2" max="2" width="48" customWidth="1"/></cols><sheetData>' in fresh
    cols = '<cols><col min="1" max="1" width="9"/></cols>'
    appended = sheet_xml(enrich(handmade(rows, around=(cols, "")), 0, TITLE).path)
    assert '<col min="1" max="1" width="9"/><col min="2" max="2" width="48" customWidth="1"/></cols>' in appended


def test_a_sheet_filter_widens_with_its_hidden_name(handmade: Any, enrich: Any) -> None:
    rows = '<row r="1"><c r="A1" t="str"><v>EAN</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>'
    names = (
        '<definedNames><definedName name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">'
        "'Da&amp;ta'!$A$1:$A$2</definedName></definedNames>"
    )
    view = '<customSheetViews><customSheetView guid="x"><autoFilter ref="A1:A2"/></customSheetView></customSheetViews>'
    path = handmade(
        rows, around=("", f'<autoFilter ref="A1:A2"><sortState ref="A1:A2"/></autoFilter>{view}'), workbook=names
    )
    result = enrich(path, columns=TITLE)
    text = sheet_xml(result.path)
    assert '<autoFilter ref="A1:B2"><sortState ref="A1:A2"/></autoFilter>' in text
    assert view in text
    with zipfile.ZipFile(result.path) as file:
        assert "'Da&amp;ta'!$A$1:$B$2</definedName>" in file.read("xl/workbook.xml").decode()


def test_texts_are_escaped_so_that_excel_shows_what_was_meant(handmade: Any, enrich: Any, shown: Any) -> None:
    texts = ["a&b<c>]]>", " edge ", "two\nlines", "\x01\r", "_x0041_", "=1+1", "\ufffe", "", "x" * 40_000]
    rows = "".join(f"<row><c><v>{number}</v></c></row>" for number in range(len(texts)))
    result = enrich(handmade(rows), 0, {"t": texts})
    assert result.notes == ["1 text was longer than an Excel cell holds and was cut"]
    read = [[*row, ""][1] for _, row in shown(worksheets(result.path)[0])]
    assert read == [*texts[:6], "\ufffd", "", "x" * 32_767]
    sheet = openpyxl.load_workbook(result.path).worksheets[0]
    assert [sheet.cell(row, 2).value for row in (1, 2, 3, 6)] == ["a&b<c>]]>", " edge ", "two\nlines", "=1+1"]
    assert sheet.cell(6, 2).data_type != "f"


def test_long_integers_are_text_and_what_is_no_number_is_nothing(handmade: Any, enrich: Any) -> None:
    rows = "<row><c><v>1</v></c></row>" * 3
    result = enrich(
        handmade(rows),
        0,
        {"i": [10**15, -5, None], "d": [float("nan"), float("inf"), 0.1], "b": [True, False, None]},
    )
    preview = worksheets(result.path)[0].preview(3)
    assert preview.columns[1].text.to_pylist() == ["1000000000000000", "-5", ""]
    assert preview.columns[1].numeric.tolist() == [False, True, False]
    assert preview.columns[2].text.to_pylist() == ["", "", "0.1"]
    assert preview.columns[3].text.to_pylist() == ["TRUE", "FALSE", ""]


def test_a_name_that_is_taken_gets_a_number(handmade: Any, enrich: Any, shown: Any) -> None:
    rows = '<row><c t="str"><v>Amazon_Title</v></c><c t="str"><v>amazon_title_2</v></c></row><row><c><v>1</v></c></row>'
    result = enrich(handmade(rows), columns=TITLE)
    assert shown(worksheets(result.path)[0])[0] == (1, ["Amazon_Title", "amazon_title_2", "amazon_title_3"])


def test_rows_that_get_nothing_keep_every_byte(handmade: Any, enrich: Any) -> None:
    rows = '<row r="1" spans="1:1"><c r="A1"><v>1</v></c></row>'
    assert sheet_rows(enrich(handmade(rows), 0, {"t": [None]}).path) == rows


def test_the_same_input_gives_the_same_bytes(handmade: Any, enrich: Any) -> None:
    path = handmade("<row><c><v>1</v></c></row>")
    first = enrich(path, 0).path.read_bytes()
    assert enrich(path, 0).path.read_bytes() == first


def test_pieces_of_any_size_give_the_same_bytes(handmade: Any, enrich: Any, monkeypatch: Any) -> None:
    rows = "".join(
        f'<row r="{number}" spans="1:2"><c r="A{number}" t="str"><v>é{number}</v></c><c r="B{number}" s="1"/></row>'
        if number % 4
        else f'<row r="{number}" spans="1:1"/>'
        for number in range(1, 60)
    )
    path = handmade(rows, around=('<dimension ref="A1"/>', '<autoFilter ref="A1:A59"/>'), formats=["0"])
    expected = sheet_xml(enrich(path).path)
    for size in (1, 7, 64, 333):
        monkeypatch.setattr("enricher.sheets.xlsx.opc.package.CHUNK_BYTES", size)
        assert sheet_xml(enrich(path).path) == expected


@pytest.mark.filterwarnings("ignore:Unknown extension")  # openpyxl's
@pytest.mark.parametrize("late", ["", '<c r="C2" s="0"/>'])
def test_what_a_cell_extends_is_not_the_rows(handmade: Any, enrich: Any, late: str) -> None:
    rows = (
        '<row r="1"><c r="A1" t="str"><v>EAN</v></c></row>'
        '<row r="2"><c r="A2" t="str"><v>1</v><extLst><ext uri="u"/></extLst></c>'
        f'<c r="B2"><v>2</v><extLst/></c>{late}</row>'
    )
    made = enrich(handmade(rows))
    assert [cell.value for cell in openpyxl.load_workbook(made.path).worksheets[0][2]] == ["1", 2, "Sony & <co>", 7]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ('<row r="1"><c r="A1"><v>1</v><c r="B1"><v>2</v></c></c></row>', "a cell inside a cell"),
        ('<row r="1"><c r="A1"><v>1<sheetData/></v></c></row><row r="2"/>', "begin anew"),
        ('<row r="1"/></sheetData><sheetData><row r="2"/>', "its rows twice"),
    ],
)
def test_rows_in_rows_are_refused_when_they_are_read(handmade: Any, rows: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        list(worksheets(handmade(rows))[0].batches(0, [0]))
