"""Pictures, charts and shown comments over the new columns are told of, and stay where they are."""

from __future__ import annotations

import time
import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl
import pyarrow as pa
import pytest
from openpyxl.chart import BarChart, Reference

from enricher.sheets.xlsx import worksheets

if TYPE_CHECKING:
    from pathlib import Path

NEW = {"amazon_title": ["Sony"], "amazon_bsr": [5], "amazon_brand": ["x"]}


def with_chart(path: Path, anchor: str, rows: int = 30) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in range(1, rows + 1):
        sheet.append([f"40063813339{row:02}", row])
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=9))
    sheet.add_chart(chart, anchor)
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("anchor", "columns"), [("D3", "columns D to E"), ("B3", "columns C to E"), ("E30", "column E"), ("G2", "")]
)
def test_a_chart_over_new_cells_is_told_of_and_stays(tmp_path: Path, enrich: Any, anchor: str, columns: str) -> None:
    path = with_chart(tmp_path / "c.xlsx", anchor)
    result = enrich(path, columns=NEW)
    expected = f"A picture, chart or shape stands over the new cells of {columns}: move it aside to see them"
    assert result.notes == ([expected] if columns else [])
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(result.path) as new:
        assert old.read("xl/drawings/drawing1.xml") == new.read("xl/drawings/drawing1.xml")
    assert openpyxl.load_workbook(result.path).worksheets[0]["C2"].value == "Sony"


def test_a_chart_below_the_data_is_in_nobodys_way(tmp_path: Path, enrich: Any) -> None:
    assert enrich(with_chart(tmp_path / "c.xlsx", "D31"), columns=NEW).notes == []


@pytest.mark.parametrize(("visible", "notes"), [(True, 1), (False, 0)])
def test_a_comment_that_is_always_shown_counts_and_one_that_pops_up_does_not(
    tmp_path: Path, enrich: Any, visible: Any, notes: int
) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    book = xlsxwriter.Workbook(str(tmp_path / "c.xlsx"))
    sheet = book.add_worksheet()
    sheet.write_column("A1", ["EAN", "4006381333931", "4006381333932"])
    sheet.write_comment("A2", "ask", {"visible": visible})
    book.close()
    assert len(enrich(tmp_path / "c.xlsx", columns=NEW).notes) == notes


def test_a_drawing_that_can_not_be_read_is_copied_as_it_came(tmp_path: Path, enrich: Any) -> None:
    path = with_chart(tmp_path / "c.xlsx", "D3")
    broken = tmp_path / "broken.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(broken, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"<oops" if name.startswith("xl/drawings/drawing") else old.read(name))
    result = enrich(broken, columns=NEW)
    assert result.notes == []
    with zipfile.ZipFile(result.path) as file:
        assert file.read("xl/drawings/drawing1.xml") == b"<oops"


@pytest.mark.parametrize("content", [b"<x:ClientData " * 1_000_000, b"<x:ClientData><x:Anchor>" + b" " * 1_000_000])
def test_a_drawing_that_never_ends_takes_no_time(handmade: Any, content: bytes) -> None:
    links = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="urn:x/vmlDrawing" Target="../drawings/v.vml"/></Relationships>'
    )
    parts = {
        "xl/worksheets/_rels/sheet1.xml.rels": links.encode(),
        "xl/drawings/v.vml": b"<xml>" + content + b"</x:ClientData></xml>",
    }
    [sheet] = worksheets(handmade('<row r="1"><c r="A1"><v>1</v></c></row>', extra=parts))
    started_s = time.process_time()
    sheet.check(0, pa.schema([("title", pa.string())]))
    assert time.process_time() - started_s < 10
