"""Web pages that call themselves .xls: their tables as a browser shows them."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enricher.errors import InputError
from enricher.sheets.foreign import foreign_tables, pages
from enricher.sheets.foreign.spool import SpoolReader, SpoolWriter
from enricher.sheets.grid import CellKind
from enricher.sheets.kinds import Kind

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Saved

OFFICE = 'xmlns:x="urn:schemas-microsoft-com:office:excel"'


def read(path: Path, content: bytes) -> dict[str, dict[int, list[str]]]:
    """The texts of every table by row number, read in this process: hundreds of pages are tried."""
    path.write_bytes(content)
    file = io.BytesIO()
    tables = pages.read_page(path, SpoolWriter(file))
    reader = SpoolReader(file)
    found: dict[str, dict[int, list[str]]] = {}
    for table in tables:
        rows = found.setdefault(table.name, {})
        for block in table.blocks:
            batch, columns = reader.read(block)
            for at, number in enumerate(batch["n"].to_pylist()):
                rows[number] = [
                    columns[place].text[at].as_py() if place in columns else "" for place in range(block.width)
                ]
    return found


def table(tmp_path: Path, markup: str | bytes) -> list[list[str]]:
    content = markup.encode() if isinstance(markup, str) else markup
    return list(read(tmp_path / "page.xls", content)["Table 1"].values())


def test_a_report_saved_as_xls_is_read_and_said_to_be_a_web_page(saved: Saved) -> None:
    source = saved("<html><body><table><tr><th>EAN<tr><td>4006381333931</table></body></html>")
    assert source.description == "web page named .xls, table 'Table 1'"
    assert source.sheet == "Table 1"
    assert not source.hidden
    [batch] = source.batches(1, [0])
    assert batch.columns[0].text.to_pylist() == ["4006381333931"]
    assert not batch.columns[0].numeric.any()
    assert saved("<table><tr><td>a<tr><td>b</table>", "page.html").description == "web page, table 'Table 1'"


def test_cells_and_rows_that_are_never_closed_end_where_the_next_begin(tmp_path: Path) -> None:
    assert table(tmp_path, "<table><thead><tr><th>SKU<th>EAN<tbody><tr><td>A1<td>401<tr><td>A2<td>402</table>") == [
        ["SKU", "EAN"],
        ["A1", "401"],
        ["A2", "402"],
    ]


def test_text_is_what_a_browser_shows(tmp_path: Path) -> None:
    [_, row] = table(
        tmp_path,
        "<TABLE><TR><TD>a</TD></TR><TR><TD> Caf&eacute; &amp;\n   <b>Bar</b> </TD><TD>one<BR>two</TD><TD>&nbsp;</TD>"
        "<td><script>x=1</script><style>y</style>z<!-- w --></td><td><p>p</p><p>q</p></td><td>007</td></TR></TABLE>",
    )
    assert row == ["Café & Bar", "one\ntwo", "", "z", "p\nq", "007"]


def test_a_cell_over_several_columns_or_rows_keeps_its_neighbours_in_place(tmp_path: Path) -> None:
    rows = table(
        tmp_path,
        "<table><tr><td rowspan=2>A<td colspan=2>B<td>C<tr><td>b1<td>b2<td>c"
        "<tr><td>d<td colspan=999999999999>e</table>",
    )
    assert rows == [["A", "B", "", "C"], ["", "b1", "b2", "c"], ["d", "e", "", ""]]


def test_a_cell_that_claims_more_columns_than_a_sheet_has_is_refused(tmp_path: Path) -> None:
    row = "<tr>" + "<td colspan=1000>x" * 17
    with pytest.raises(InputError, match="row 2 of a table has more than the 16,384 columns"):
        table(tmp_path, f"<table><tr><td>a{row}</table>")


def test_the_number_behind_a_scientific_text_is_taken_and_no_other(saved: Saved) -> None:
    cells = (
        '<td x:num="8901234567890">8.9E+12</td><td x:num>401</td><td x:num="1234.5">1,234.50</td><td x:str>9E+1</td>'
    )
    source = saved(f"<html {OFFICE}><table><tr><td>EAN</tr><tr>{cells}</tr></table></html>")
    grid = next(source.grids()).rows(1)
    assert grid.texts_of(0) == ["8901234567890", "401", "1,234.50", "9E+1"]
    kinds = [None if column.kinds is None else column.kinds[0] for column in grid.columns]
    assert kinds == [CellKind.NUMBER, None, None, None]


def test_tables_inside_tables_are_tables_of_their_own(tmp_path: Path) -> None:
    found = read(
        tmp_path / "page.xls",
        b"<table><tr><td>Report<tr><td>before <table><tr><td>EAN</td></tr><tr><td>401</td></tr></table> after</table>"
        b"<table><tr><td>a single row is no table</table><table><tr><td>x<tr><td>y</table>",
    )
    assert list(found.values()) == [
        {1: ["Report"], 2: ["before after"]},
        {1: ["EAN"], 2: ["401"]},
        {1: ["x"], 2: ["y"]},
    ]
    assert list(found) == ["Table 1", "Table 2", "Table 3"]


@pytest.mark.parametrize(
    ("encoding", "head"),
    [
        ("utf-8", b""),
        ("utf-8-sig", b""),
        ("utf-16", b""),
        ("utf-16-le", b""),
        ("cp1252", b""),
        ("cp1252", b"<meta charset='iso-8859-1'>"),
        ("cp1251", b'<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">'),
        ("shift_jis", b"<META CHARSET=Shift_JIS>"),
        ("utf-8", b"<meta charset=utf-16>"),
        ("utf-8", b"<meta charset=hex>"),
        ("cp1252", b"<meta charset=utf-8>"),
    ],
)
def test_the_encoding_is_the_one_that_the_page_says_or_that_fits(tmp_path: Path, encoding: str, head: bytes) -> None:
    text = {"cp1251": "Утюг", "shift_jis": "アイロン"}.get(encoding, "Bügeleisen, 5 €")
    content = (head.decode() + f"<table><tr><td>name<tr><td>{text}</table>").encode(encoding)
    assert table(tmp_path, content) == [["name"], [text]]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("<html><body>Session expired</body></html>", "no table of it has two rows"),
        ("<table><tr><td>EAN</table>", "no table of it has two rows"),
        ("<table><tr><td>EAN<tr><td>4006381", "cut short: its last table never ends"),
        ("<table><tr><td>EAN<tr><td>4006381</table><table><tr><td", "cut short: its last table never ends"),
        ("<table><tr><td>a<tr><td>b</table>" * 501, "more than 500 tables"),
        ("<table><tr><td>" * 60, "nested deeper than 50"),
        ("<table><tr><td>" + "x" * (17 << 20), "more than 16,777,216 characters"),
    ],
)
def test_a_page_that_holds_no_whole_table_is_refused_with_its_reason(tmp_path: Path, content: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as error:
        table(tmp_path, content)
    assert str(error.value).startswith("page.xls: ")


def test_the_reason_of_a_refusal_comes_through_from_the_other_process(saved: Saved) -> None:
    with pytest.raises(InputError, match=r"report\.xls: this is a web page, and no table of it has two rows"):
        saved("<table><tr><td>EAN</table>")


def test_a_page_that_ends_closes_its_tables(tmp_path: Path) -> None:
    assert table(tmp_path, "<body><table><tr><td>EAN<tr><td>401</body>") == [["EAN"], ["401"]]


@pytest.mark.parametrize(
    "piece", ["<", "<a ", "<!", "<!--", "<![if", "</", "<?", "&", "<td rowspan=65534 colspan=1000>x"]
)
def test_markup_that_never_ends_ends_in_time(tmp_path: Path, piece: str) -> None:
    with pytest.raises(InputError, match=re.escape("page.xls: ")):
        table(tmp_path, "<table><tr><td>" + piece * 200_000)


def test_a_page_in_small_pieces_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = "<table><tr><td>Caf&eacute; ü<td x:num='12'>1E+1<!-- c --><tr><td>a &lt; b<br>c</table>"
    whole = table(tmp_path, content)
    monkeypatch.setattr(pages, "CHUNK_BYTES", 1)
    assert table(tmp_path, content) == whole


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), max_size=8)


@given(
    st.lists(st.lists(TEXTS, min_size=1, max_size=5), min_size=2, max_size=8), st.tuples(st.booleans(), st.booleans())
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_texts_come_back_from_any_way_to_close_cells(
    tmp_path: Path,
    rows: list[list[str]],
    closes: tuple[bool, bool],
) -> None:
    rows = [["first", *rows[0]], ["second", *rows[1]], *rows[2:]]
    cell, row = "</td>" * closes[0], "</tr>" * closes[1]

    def escaped(text: str) -> str:
        return "".join(f"&#{ord(character)};" if character in "&<>\"'" else character for character in text)

    lines = ("<tr>" + "".join(f"<td>{escaped(text)}{cell}" for text in texts) + row for texts in rows)
    found = read(tmp_path / "page.xls", f"<table>{''.join(lines)}</table>".encode())["Table 1"]
    expected = {number: texts for number, texts in enumerate(rows, 1) if any(texts)}
    assert {number: _bare(texts) for number, texts in found.items()} == {
        number: _bare(texts) for number, texts in expected.items()
    }


def _bare(texts: list[str]) -> list[str]:
    """Leave out the blanks at the end: a block is as wide as its widest row."""
    while texts and not texts[-1]:
        texts = texts[:-1]
    return texts


def test_a_page_and_its_kind_agree_with_the_detection(tmp_path: Path) -> None:
    path = tmp_path / "page.htm"
    path.write_text("<html><table><tr><td>a<tr><td>b</table>", encoding="utf-8")
    assert foreign_tables(path, Kind.HTML)[0].description == "web page, table 'Table 1'"
