"""XML spreadsheets of Excel 2003: places, merged cells, formats of zeros, and what is refused."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from enricher.errors import InputError
from enricher.sheets.foreign import foreign_tables
from enricher.sheets.foreign.spool import SpoolWriter
from enricher.sheets.foreign.xml_2003 import read_xml_2003
from enricher.sheets.grid import CellKind
from enricher.sheets.kinds import kind_of

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Saved

HEAD = '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n'
SPACES = (
    'xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel" xmlns:html="http://www.w3.org/TR/REC-html40"'
)
STYLES = (
    '<Styles><Style ss:ID="zeros"><NumberFormat ss:Format="000000000000"/></Style>'
    '<Style ss:ID="plain"><NumberFormat/></Style></Styles>'
)


def book(rows: str, head: str = HEAD) -> str:
    sheet = f'<Worksheet ss:Name="Stock"><Table ss:ExpandedRowCount="9">{rows}</Table></Worksheet>'
    return f"{head}<Workbook {SPACES}>{STYLES}{sheet}</Workbook>"


def cell(value: str, kind: str = "String", **attributes: str) -> str:
    places = "".join(f' ss:{name}="{said}"' for name, said in attributes.items())
    return f'<Cell{places}><Data ss:Type="{kind}">{value}</Data></Cell>'


def rows_of(saved: Saved, rows: str) -> dict[int, list[str]]:
    return {
        int(number): grid.texts_of(at) for grid in saved(book(rows)).grids() for at, number in enumerate(grid.numbers)
    }


def test_rows_and_cells_stand_where_their_index_says(saved: Saved) -> None:
    rows = (
        f'<Row ss:Index="3">{cell("UPC", Index="2")}{cell("name")}</Row>'
        '<Row ss:Span="2"/>'
        f"<Row>{cell('wide', MergeAcross='1')}{cell('next')}</Row>"
    )
    assert rows_of(saved, rows) == {3: ["", "UPC", "name"], 7: ["wide", "", "next"]}


def test_each_type_of_data_is_read_as_what_it_is(saved: Saved) -> None:
    cells = [
        ("1.2345678905E10", "Number"),
        ("2024-02-29T00:00:00.000", "DateTime"),
        ("2024-02-29T13:05:09.500", "DateTime"),
        ("1899-12-31T06:30:00.000", "DateTime"),
        ("1", "Boolean"),
        ("#N/A", "Error"),
        ("00012 &amp; x&#10;y", "String"),
    ]
    source = saved(book(f"<Row>{''.join(cell(*one) for one in cells)}</Row>"))
    [grid] = source.grids()
    assert grid.texts_of(0) == [
        "12345678905",
        "2024-02-29",
        "2024-02-29T13:05:09.5",
        "06:30:00",
        "TRUE",
        "#N/A",
        "00012 & x\ny",
    ]
    kinds = [CellKind.TEXT if column.kinds is None else CellKind(column.kinds[0]) for column in grid.columns]
    text, number, boolean, date, time = CellKind
    assert kinds == [number, date, date, time, boolean, text, text]
    assert source.preview(1).columns[0].numeric.tolist() == [True]


def test_a_format_of_zeros_gives_its_width_and_another_file_its_zeros(saved: Saved) -> None:
    style = 'ss:StyleID="zeros"'
    source = saved(book(f"<Row {style}>{cell('12345678905', 'Number')}{cell('12', 'Number', StyleID='plain')}</Row>"))
    [batch] = source.batches(0, [0, 1])
    assert [cells.zeros.tolist() for cells in batch.columns] == [[12], [0]]
    assert batch.columns[0].text.to_pylist() == ["12345678905"]
    [grid] = source.grids()
    assert grid.texts_of(0) == ["012345678905", "12"]
    assert grid.columns[0].kinds is not None
    assert grid.columns[0].kinds.tolist() == [CellKind.TEXT]


def test_rich_text_is_read_and_comments_are_not(saved: Saved) -> None:
    rich = (
        '<Cell><ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40"><B>bo</B>ld</ss:Data>'
        '<Comment ss:Author="me"><ss:Data xmlns="http://www.w3.org/TR/REC-html40">note</ss:Data></Comment></Cell>'
    )
    assert rows_of(saved, f"<Row>{rich}{cell('x')}</Row>") == {1: ["bold", "x"]}


def test_hidden_sheets_come_last_and_the_name_is_said(saved: Saved, tmp_path: Path) -> None:
    options = "<x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions>"
    first = f'<Worksheet ss:Name="Lists"><Table><Row>{cell("a")}</Row></Table>{options}</Worksheet>'
    content = book(f"<Row>{cell('b')}</Row>").replace("<Worksheet ", first + "<Worksheet ", 1)
    source = saved(content)
    assert source.description == "XML spreadsheet of Excel 2003 named .xls, sheet 'Stock'"
    path = tmp_path / "report.xls"
    assert [(one.sheet, one.hidden) for one in foreign_tables(path, kind_of(path))] == [
        ("Stock", False),
        ("Lists", True),
    ]


def test_other_encodings_are_those_that_the_declaration_names(saved: Saved) -> None:
    head = '<?xml version="1.0" encoding="windows-1252"?>'
    source = saved(book(f"<Row>{cell('Bügeleisen €')}</Row>", head).encode("cp1252"))
    assert source.preview(1).columns[0].text.to_pylist() == ["Bügeleisen €"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (book(f"<Row>{cell('x')}</Row>")[:-40], "damaged"),
        (book(f"<Row>{cell('a & b')}</Row>"), "damaged .*line 3"),
        (book('<Row ss:Index="5"/><Row ss:Index="5"/>'), "after row 5 there is something at place 5"),
        (book('<Row ss:Index="1048577"/>'), "place 1048577"),
        (book('<Row ss:Index="9e9"/>'), "ss:Index='9e9'"),
        (book('<Row><Cell ss:Index="16385"/></Row>'), "place 16385"),
        (book("", '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>'), "DTD"),
        (book("", '<?xml version="1.0" encoding="klingon"?>'), "encoding is unknown"),
        (book(f"<Row>{cell('x' * (17 << 20))}</Row>"), "more than 16,777,216 characters"),
    ],
    ids=["cut", "ampersand", "twice", "row", "number", "column", "dtd", "encoding", "long"],
)
def test_what_is_no_sound_spreadsheet_is_refused_with_its_reason(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "report.xls"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=why) as error:
        read_xml_2003(path, SpoolWriter(io.BytesIO()))  # in this process: another takes longer to start than to read
    assert str(error.value).startswith("report.xls: ")
    assert "\n" not in str(error.value)


def test_a_workbook_without_a_sheet_is_refused(saved: Saved) -> None:
    with pytest.raises(InputError, match="no worksheet"):
        saved(f"{HEAD}<Workbook {SPACES}></Workbook>")
