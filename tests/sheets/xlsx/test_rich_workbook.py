"""A workbook with nearly everything in it comes out of the real program with all of it, and new columns."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from tests.conftest import environment
from tests.sheets.xlsx.excel_rules import broken_rules, raw_members

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.program import Program

xlsxwriter = pytest.importorskip("xlsxwriter")

EANS = ["4006381333931", "5901234123457", "4012345678901", "9780201379624"]
CSV_OPTIONS = "44,34,76,1,,0,false,true,false,false,false,1"  # comma, quote, UTF-8, from row 1, the first sheet
SHEET, TABLE, WORKBOOK = "xl/worksheets/sheet1.xml", "xl/tables/table1.xml", "xl/workbook.xml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rich")


@pytest.fixture(scope="module")
def picture(folder: Path) -> Path:
    """A PNG of one dot."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    path = folder / "dot.png"
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b""))
    return path


@pytest.fixture(scope="module")
def rich(folder: Path, picture: Path) -> Path:
    path = folder / "range.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("Order form")
    title = book.add_format({"bold": True, "font_size": 16})
    money = book.add_format({"num_format": "#,##0.00 €"})
    date = book.add_format({"num_format": "yyyy-mm-dd"})
    head = book.add_format({"bold": True, "bg_color": "#DDEEFF"})
    red = book.add_format({"bg_color": "#FFC7CE"})
    sheet.merge_range("A1:F1", "Spring range", title)
    sheet.merge_range("A2:C2", "prices without VAT")
    columns = [{"header": name, "header_format": head} for name in ("EAN", "Product", "Price", "Stock", "Listed")]
    columns.append({"header": "Value", "formula": "=[@Price]*[@Stock]", "format": money})
    sheet.add_table("A4:F44", {"columns": columns, "name": "Products", "style": "Table Style Medium 2"})
    for row in range(4, 44):
        sheet.write_string(row, 0, EANS[row % 4])
        sheet.write_rich_string(row, 1, "A ", title, "bold", f" item {row} <&>")
        sheet.write_number(row, 2, row * 1.25, money)
        sheet.write_number(row, 3, row)
        sheet.write_number(row, 4, 45000 + row, date)
    sheet.data_validation("D5:D44", {"validate": "integer", "criteria": ">=", "value": 0})
    sheet.conditional_format("C5:C44", {"type": "data_bar"})
    sheet.conditional_format("D5:D44", {"type": "cell", "criteria": "<", "value": 9, "format": red})
    sheet.write_comment("B5", "ask the buyer")
    sheet.write_url("B46", "https://example.com/a?b=1&c=2", string="our shop")
    sheet.write_formula("C46", "=SUM(C5:C44)", money)
    sheet.write_dynamic_array_formula("C48:D48", "=TRANSPOSE(D5:D6)")
    sheet.freeze_panes(4, 1)
    sheet.set_column("A:A", 18)
    sheet.set_row(0, 30)
    sheet.print_area("A1:F46")
    sheet.repeat_rows(3)
    sheet.set_landscape()
    sheet.set_header("&CSpring")
    sheet.fit_to_pages(1, 0)
    sheet.insert_image("AK2", str(picture))
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "='Order form'!$D$5:$D$44", "categories": "='Order form'!$A$5:$A$44"})
    sheet.insert_chart("AK8", chart)
    notes = book.add_worksheet("Notes")
    notes.write("B2", "nothing here")
    notes.protect("secret")
    lists = book.add_worksheet("Lists")
    lists.write_column("A1", ["a", "b"])
    lists.hide()
    book.define_name("Vat", "=0.19")
    book.define_name("Codes", "=Products[EAN]")
    book.set_properties({"title": "Spring", "author": "Merchandising"})
    book.set_custom_property("Season", "2024")
    book.close()
    return path


@pytest.fixture(scope="module")
def enriched(rich: Path, program: Program) -> Path:
    """What `enricher enrich --sandbox` makes of it."""
    arguments = ["enrich", str(rich), "--sandbox", "--sheet", "Order form", "--code-column", "EAN"]
    ended = program.run(arguments, rich.parent, environment("sandbox"))
    assert ended.code == 0, ended.err
    return rich.with_name("range.enriched.xlsx")


def test_every_part_but_the_sheet_and_its_table_keeps_its_compressed_bytes(rich: Path, enriched: Path) -> None:
    before, after = raw_members(rich), raw_members(enriched)
    assert list(before) == list(after)
    assert {name for name in before if before[name] != after[name]} == {SHEET, TABLE}
    assert len(before) > 20


def test_the_sheet_is_the_old_one_with_bytes_put_in(rich: Path, enriched: Path) -> None:
    with zipfile.ZipFile(rich) as old, zipfile.ZipFile(enriched) as new:
        before, after = old.read(SHEET).decode(), new.read(SHEET).decode()
    assert after.partition("<sheetData>")[0].startswith(before.partition("<dimension")[0])
    assert after.partition("</sheetData>")[2] == before.partition("</sheetData>")[2]
    for cell in before.split("<c ")[1:]:
        assert cell.partition("</row>")[0] in after


def test_excels_rules_hold_as_they_did(rich: Path, enriched: Path) -> None:
    assert broken_rules(rich) == []
    assert broken_rules(enriched) == []


def shown(value: object) -> object:
    """A cell's value, or the text of an array formula, which openpyxl makes an object of."""
    return getattr(value, "text", value)


def test_openpyxl_reads_old_cells_and_new_ones(rich: Path, enriched: Path) -> None:
    before = openpyxl.load_workbook(rich)["Order form"]
    after = openpyxl.load_workbook(enriched)["Order form"]
    for row in before.iter_rows():
        for cell in row:
            same = after[cell.coordinate]
            assert (shown(same.value), same.number_format) == (shown(cell.value), cell.number_format)
            assert (same.font.b, same.font.sz) == (cell.font.b, cell.font.sz)
    header = [cell.value for cell in after[4]]
    title, status = header.index("amazon_title"), header.index("lookup_status")
    assert title >= 6
    assert after.cell(4, title + 1).fill.fgColor == after["F4"].fill.fgColor
    assert {after.cell(row, status + 1).value for row in range(5, 45)} <= {"found", "not_found"}
    assert [after.cell(row, status + 1).value for row in (1, 2, 46, 48)] == [None] * 4
    table = after.tables["Products"]
    assert table.ref == f"A4:{get_column_letter(len(header))}44"
    assert [column.name for column in table.tableColumns] == header


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not here")
def test_libreoffice_converts_it(enriched: Path, tmp_path: Path) -> None:
    lines = (
        converted(enriched, f"csv:Text - txt - csv (StarCalc):{CSV_OPTIONS}", tmp_path).read_text("utf-8").splitlines()
    )
    assert "amazon_title" in lines[3]
    assert lines[4].split(",")[0].strip('"') in EANS


@pytest.mark.filterwarnings("ignore::UserWarning")  # openpyxl's, of extensions that it does not know
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not here")
def test_what_libreoffice_wrote_is_added_to_as_well(rich: Path, tmp_path: Path, enrich: Any) -> None:
    made = converted(rich, "xlsx", tmp_path)
    result = enrich(made, 4)
    before, after = raw_members(made), raw_members(result.path)
    assert {name for name in before if before[name] != after[name]} <= {SHEET, TABLE, WORKBOOK}
    assert set(broken_rules(result.path)) <= set(broken_rules(made))
    assert "amazon_title" in [cell.value for cell in openpyxl.load_workbook(result.path)["Order form"][4]]


def converted(path: Path, form: str, folder: Path) -> Path:
    """What LibreOffice makes of a file."""
    command = [str(shutil.which("soffice")), f"-env:UserInstallation=file://{folder}/profile", "--headless"]
    command += ["--convert-to", form, "--outdir", str(folder / "converted"), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    [made] = (folder / "converted").iterdir()
    return made


def test_the_schemas_of_office_find_nothing_new(rich: Path, enriched: Path) -> None:
    found = errors_by_schema()
    assert found(enriched) == found(rich) == []


def errors_by_schema() -> Callable[[Path], list[str]]:
    validator = pytest.importorskip("openxml_audit").OpenXmlValidator()
    return lambda path: [f"{error.part_uri} {error.description}" for error in validator.validate(str(path)).errors]
