"""Parts that are not UTF-8 are read, and come out as UTF-8 where they must change."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from enricher.errors import InputError
from enricher.sheets.xlsx import worksheets
from tests.sheets.xlsx.excel_rules import broken_rules

if TYPE_CHECKING:
    from pathlib import Path

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHEET = "xl/worksheets/sheet1.xml"
ROWS = (
    '<row r="1"><c r="A1" t="str"><v>EAN</v></c><c r="B1" t="str"><v>Größe</v></c></row>'
    '<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="str"><v>über 5 m²</v></c></row>'
)


def part(encoding: str, rows: str = ROWS) -> str:
    declaration = f'<?xml version="1.0" encoding="{encoding}" standalone="yes"?>\n'
    return f'{declaration}<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def member(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as file:
        return file.read(name)


@pytest.mark.parametrize(
    ("declared", "stored"),
    [
        ("UTF-16", "utf-16"),
        ("utf-16", "utf-16-be"),
        ("UTF-16LE", "utf-16-le"),
        ("ISO-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
    ],
)
def test_a_sheet_in_another_encoding_is_added_to_as_utf_8(
    handmade: Any, enrich: Any, shown: Any, declared: str, stored: str
) -> None:
    path = handmade(part(declared).encode(stored))
    assert shown(worksheets(path)[0]) == [(1, ["EAN", "Größe"]), (2, ["1", "über 5 m²"])]
    result = enrich(path, columns={"t": ["Sony ™"]})
    expected = part("UTF-8").replace("</v></c></row>", "</v></c>{}</row>")
    new = [f'<c r="C{row}" t="inlineStr"><is><t>{text}</t></is></c>' for row, text in ((1, "t"), (2, "Sony ™"))]
    cols = '<cols><col min="3" max="3" width="18" customWidth="1"/></cols>'
    assert member(result.path, SHEET).decode() == expected.format(*new).replace("<sheetData>", f"{cols}<sheetData>")
    assert broken_rules(result.path) == []
    assert openpyxl.load_workbook(result.path).worksheets[0]["C2"].value == "Sony ™"


def test_a_byte_order_mark_of_utf_8_stays(handmade: Any, enrich: Any) -> None:
    path = handmade(b"\xef\xbb\xbf" + part("utf-8").encode())
    result = enrich(path, columns={"t": ["Sony"]})
    assert member(result.path, SHEET).startswith(b"\xef\xbb\xbf<?xml")
    assert openpyxl.load_workbook(result.path).worksheets[0]["C2"].value == "Sony"


def test_characters_cut_in_two_by_the_reading_are_whole(handmade: Any, enrich: Any, monkeypatch: Any) -> None:
    path = handmade(part("UTF-16", ROWS.replace("Größe", "\U0001f600" * 400)).encode("utf-16"))
    expected = member(enrich(path).path, SHEET)
    for size in (1, 3, 257):
        monkeypatch.setattr("enricher.sheets.xlsx.opc.package.CHUNK_BYTES", size)
        assert member(enrich(path).path, SHEET) == expected


def test_a_table_and_a_workbook_part_in_utf_16_take_the_new_columns(handmade: Any, enrich: Any) -> None:
    table = (
        f'<?xml version="1.0" encoding="UTF-16"?><table xmlns="{MAIN}" id="1" name="T" displayName="T" ref="A1:B2">'
        '<autoFilter ref="A1:B2"/><tableColumns count="2"><tableColumn id="1" name="EAN"/>'
        '<tableColumn id="2" name="Größe"/></tableColumns></table>'
    )
    names = (
        '<definedNames><definedName name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">Däta!$A$1:$B$2'
        "</definedName></definedNames>"
    )
    book = (
        f'<?xml version="1.0" encoding="UTF-16"?><workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">'
        f'<sheets><sheet name="Däta" sheetId="1" r:id="rId1"/></sheets>{names}</workbook>'
    )
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        f'Type="{RELATIONS}/table" Target="../tables/table1.xml"/></Relationships>'
    )
    path = handmade(
        ROWS,
        around=("", '<autoFilter ref="A1:B2"/>'),
        extra={
            "xl/tables/table1.xml": table.encode("utf-16"),
            "xl/workbook.xml": book.encode("utf-16"),
            "xl/worksheets/_rels/sheet1.xml.rels": rels.encode(),
        },
    )
    result = enrich(path, columns={"t": ["Sony"]})
    assert b'encoding="UTF-8"?>' in member(result.path, "xl/tables/table1.xml")
    assert '<tableColumn id="2" name="Größe"/><tableColumn id="3" name="t"/>' in member(
        result.path, "xl/tables/table1.xml"
    ).decode("utf-8")
    assert "Däta!$A$1:$C$2</definedName>" in member(result.path, "xl/workbook.xml").decode("utf-8")
    assert openpyxl.load_workbook(result.path).sheetnames == ["Däta"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (part("shift_jis").encode("ascii", "replace"), "stored as shift_jis, which no spreadsheet program writes"),
        (part("zip").encode(), "stored as zip"),
        (part("UTF-16").encode("utf-16")[:-1], "is not in the encoding it names"),
        (part("UTF-16").encode("utf-16") + b"\x00\xd8\x41\x00", "is not in the encoding it names"),
        (part("UTF-16").encode(), "damaged"),
        (part("utf-8").encode("utf-32"), "damaged"),
        (part("utf-8").encode("latin-1"), "damaged"),
    ],
)
def test_what_is_not_in_its_encoding_is_refused(handmade: Any, data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(worksheets(handmade(data))[0].batches(1, [0]))
