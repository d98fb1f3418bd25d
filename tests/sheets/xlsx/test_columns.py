"""The widths of new columns, where the user's own are in the way: hidden ranges above all."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.sheets.xlsx.excel_rules import broken_rules

if TYPE_CHECKING:
    from pathlib import Path

ROWS = '<row r="1"><c r="A1" t="str"><v>EAN</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>'
NEW = {"amazon_title": ["Sony"], "amazon_bsr": [5]}
B = '<col min="2" max="2" width="48" customWidth="1"/>'
C = '<col min="3" max="3" width="13" customWidth="1"/>'


def cols(path: Path) -> str:
    with zipfile.ZipFile(path) as file:
        text = file.read("xl/worksheets/sheet1.xml").decode()
    return text.partition("<cols>")[2].partition("</cols>")[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<col min="2" max="16384" hidden="1"/>', B + C + '<col min="4" max="16384" hidden="1"/>'),
        (
            '<col hidden="true" style="3" max="9" min="1" width="0" />',
            '<col hidden="true" style="3" max="1" min="1" width="0" />'
            + B
            + C
            + '<col hidden="true" style="3" max="9" min="4" width="0" />',
        ),
        ('<col min="2" max="2" hidden="1"></col>', B + C),
        ('<col min="3" max="3" hidden="1"></col>', B + C),
        ('<col min="2" max="2" width="7"/>', '<col min="2" max="2" width="7"/>' + C),
        ('<col min="1" max="16384" width="7"/>', '<col min="1" max="16384" width="7"/>'),
        ('<col min="3" max="16384" width="7"/>', B + '<col min="3" max="16384" width="7"/>'),
        ('<col min="5" max="6" hidden="1"/><!-- x -->', B + C + '<col min="5" max="6" hidden="1"/><!-- x -->'),
        (
            '<col min="1" max="1" width="9"/><col min="3" max="5" hidden="1" outlineLevel="1"/>',
            '<col min="1" max="1" width="9"/>' + B + C + '<col min="4" max="5" hidden="1" outlineLevel="1"/>',
        ),
    ],
)
def test_new_columns_are_shown_and_the_users_own_are_as_they_were(
    handmade: Any, enrich: Any, before: str, after: str
) -> None:
    result = enrich(handmade(ROWS, around=(f"<cols>{before}</cols>", ""), formats=["0"] * 3), columns=NEW)
    assert cols(result.path) == after
    assert result.notes == []
    assert broken_rules(result.path) == []
    sheet = openpyxl.load_workbook(result.path).worksheets[0]
    assert not sheet.column_dimensions["B"].hidden
    assert sheet["B2"].value == "Sony"


def test_a_hundred_new_columns_stand_in_their_order(handmade: Any, enrich: Any) -> None:
    new = {f"n{number}": [number] for number in range(100)}
    around = ('<cols><col min="50" max="60" hidden="1"/><col min="200" max="300" hidden="1"/></cols>', "")
    result = enrich(handmade(ROWS, around=around), columns=new)
    assert cols(result.path).count("<col ") == 101
    assert broken_rules(result.path) == []


def test_a_prefixed_sheet_gets_prefixed_widths(handmade: Any, enrich: Any) -> None:
    part = (
        '<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:cols>'
        '<x:col min="2" max="9" hidden="1"/></x:cols><x:sheetData><x:row><x:c><x:v>1</x:v></x:c></x:row></x:sheetData>'
        "</x:worksheet>"
    )
    result = enrich(handmade(part.encode()), 0, columns={"n": [5]})
    with zipfile.ZipFile(result.path) as file:
        text = file.read("xl/worksheets/sheet1.xml").decode()
    assert '<x:cols><x:col min="2" max="2" width="13" customWidth="1"/><x:col min="3" max="9" hidden="1"/>' in text


def test_pieces_of_any_size_give_the_same_widths(handmade: Any, enrich: Any, monkeypatch: Any) -> None:
    path = handmade(ROWS, around=('<cols><col min="1" max="9" hidden="1"/></cols>', ""))
    expected = enrich(path, columns=NEW).path.read_bytes()
    for size in (1, 13, 200):
        monkeypatch.setattr("enricher.sheets.xlsx.opc.package.CHUNK_BYTES", size)
        assert cols(enrich(path, columns=NEW).path).count("<col ") == 4
    monkeypatch.undo()
    assert enrich(path, columns=NEW).path.read_bytes() == expected
