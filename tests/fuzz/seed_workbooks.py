"""Workbooks by two writers, rich and plain, one made by hand, and an OpenDocument sheet."""

from __future__ import annotations

import base64
import io
import zipfile
from datetime import UTC, datetime

import openpyxl
import xlsxwriter
from openpyxl.styles import Font, PatternFill

from tests.fuzz.codes import ASINS, EANS, UPCS

_DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
_DAY = datetime(2024, 5, 6, 7, 8, 9)  # noqa: DTZ001 - a cell's date has no zone
_MADE = datetime(2024, 1, 1, tzinfo=UTC)


def workbooks() -> dict[str, bytes]:
    """Make them; by name."""
    return {
        "rich.xlsx": _rich(),
        "inline.xlsx": _inline(),
        "styled.xlsx": _styled(),
        "handmade.xlsx": _handmade(),
        "plain.ods": _ods(),
    }


def _rich() -> bytes:
    """Make what XlsxWriter knows: table, chart, image, comments, validation, conditional formats, names, links."""
    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, {"in_memory": True})
    book.set_properties({"title": "Stock", "created": _MADE})
    book.set_custom_property("Checked", "yes")
    page, other = book.add_worksheet("Data"), book.add_worksheet("Über 'uns' 2")
    zeros, day = book.add_format({"num_format": "0" * 13}), book.add_format({"num_format": "dd/mm/yyyy"})
    bold = book.add_format({"bold": True})
    page.merge_range("A1:D1", "Our products", bold)
    page.freeze_panes(2, 1)
    for at, ean in enumerate(EANS):
        page.write_row(at + 2, 0, [f"SKU{at}", f"word {at % 5}", at * 1.5])
        page.write_number(at + 2, 3, int(ean), zeros)
        page.write_datetime(at + 2, 4, _DAY, day)
        page.write_formula(at + 2, 5, f"=C{at + 3}*2", None, at * 3)
        page.write_boolean(at + 2, 6, at % 2 == 0)
    columns = [{"header": name} for name in ("SKU", "Word", "Price", "EAN", "Day", "Twice", "Flag")]
    page.add_table(1, 0, len(EANS) + 1, 6, {"columns": columns, "name": "Stock"})
    page.write_rich_string("J3", "rich ", bold, "text")
    page.write_comment("A3", "look")
    page.write_url("J4", "https://example.com/")
    page.data_validation("B3:B9", {"validate": "list", "source": ["word 1", "word 2"]})
    page.conditional_format("C3:C9", {"type": "data_bar"})
    page.insert_image("L2", "dot.png", {"image_data": io.BytesIO(_DOT)})
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "=Data!$C$3:$C$9"})
    page.insert_chart("L8", chart)
    book.define_name("Prices", "=Data!$C$3:$C$9")
    other.write_column(0, 0, ["UPC", *UPCS])
    other.autofilter(0, 0, len(UPCS), 0)
    page.set_landscape()
    page.repeat_rows(1)
    book.close()
    return sink.getvalue()


def _inline() -> bytes:
    """Make what XlsxWriter does in constant memory: inline strings, rows one by one."""
    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, {"constant_memory": True})
    book.set_properties({"created": _MADE})
    page = book.add_worksheet()
    page.write_row(0, 0, ["ASIN", "Title", "Stock"])
    for at, asin in enumerate(ASINS):
        page.write_row(at + 1, 0, [asin, f" title & <{at}> ", at])
    page.autofilter(0, 0, len(ASINS), 2)
    page.set_column(3, 16383, None, None, {"hidden": True})
    book.close()
    return sink.getvalue()


def _styled() -> bytes:
    """Make what openpyxl does: gaps, hidden rows, a hidden sheet, styles, errors, dates, blank cells with a style."""
    book = openpyxl.Workbook()
    book.properties.created = book.properties.modified = _MADE.replace(tzinfo=None)
    page = book.active
    assert page is not None
    page.append(["No", "EAN", "Title", None, "Note"])
    for at, ean in enumerate(EANS):
        page.append([at, int(ean) if at % 3 else ean, f"Title\n{at}", None, "#N/A" if at % 7 == 0 else _DAY])
    for cell in page[1]:
        cell.font = Font(bold=True)
    for row in range(2, 20):
        page.cell(row, 6).fill = PatternFill("solid", "FFFF00")
        page.cell(row, 2).number_format = "0" * 13
    page.row_dimensions[5].hidden = True
    page.delete_rows(9)
    page.cell(40, 1, "=SUM(A2:A9)")
    page.merge_cells("C12:C13")
    page.auto_filter.ref = "A1:E30"
    hidden = book.create_sheet("Hidden")
    hidden.sheet_state = "hidden"
    hidden.append(["UPC"])
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def _handmade() -> bytes:
    """Make a workbook as terse as the rules allow: no `r`, no dimension, no styles, a prefix, other name spaces."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    inline = '<x:c t="inlineStr"><x:is><x:t>{}</x:t></x:is></x:c>'
    rows = "".join(f"<x:row>{inline.format(ean)}<x:c><x:v>{at}.5E0</x:v></x:c></x:row>" for at, ean in enumerate(EANS))
    sheet = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- by hand -->\n<x:worksheet xmlns:x="{main}"><x:sheetData>'
        f'<x:row>{inline.format("EAN")}{inline.format("<![CDATA[A & B]]>")}</x:row>{rows}<x:row/>'
        "</x:sheetData></x:worksheet>"
    )  # fmt: skip
    link = '<Relationships xmlns="{}/relationships"><Relationship Id="rId1" Type="{}/{}" Target="{}"/></Relationships>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{types}.worksheet+xml"/></Types>',
        "_rels/.rels": link.format(package, office, "officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": link.format(package, office, "worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": sheet,
    }
    return _zipped(parts)


def _ods() -> bytes:
    names = {
        "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
        "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    }
    spaces = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in names.items())
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    number = '<table:table-cell office:value-type="float" office:value="{0}"><text:p>{0}</text:p></table:table-cell>'
    rows = "".join(
        f"<table:table-row>{cell.format(ean)}{number.format(at)}</table:table-row>" for at, ean in enumerate(EANS)
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} office:version="1.2"><office:body>'
        f'<office:spreadsheet><table:table table:name="Data"><table:table-row>{cell.format("EAN")}{cell.format("No")}'
        f'</table:table-row>{rows}<table:table-row table:number-rows-repeated="1048000"><table:table-cell '
        'table:number-columns-repeated="1024"/></table:table-row></table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )  # fmt: skip
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    entry = '<manifest:file-entry manifest:full-path="{}" manifest:media-type="{}"/>'
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f"{entry.format('/', kind)}{entry.format('content.xml', 'text/xml')}</manifest:manifest>"
    )
    return _zipped({"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest})


def _zipped(parts: dict[str, str]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(zipfile.ZipInfo(name, (2024, 5, 6, 7, 8, 10)), text, zipfile.ZIP_DEFLATED)
    return sink.getvalue()
