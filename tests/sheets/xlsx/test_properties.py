"""Random sheets: read as openpyxl reads them, and spliced without a change to what was there."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from enricher.cells import Additions
from enricher.sheets.xlsx import worksheets
from enricher.sheets.xlsx.cells.encoder import escaped_text, tails_of, text_tail
from enricher.sheets.xlsx.cells.strings import unescaped

if TYPE_CHECKING:
    from enricher.sheets.source import Source

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
# openpyxl refuses control characters and doesn't undo the escapes of others.
TEXT = ANY_TEXT.filter(lambda text: text.isprintable() and "_x" not in text and not text.startswith("="))
VALUE = st.one_of(
    st.none(),
    TEXT,
    st.booleans(),
    st.integers(-(10**14), 10**14),
    st.floats(-1e9, 1e9).map(lambda number: round(number, 6)),
    st.dates(dt.date(1901, 1, 1), dt.date(2100, 1, 1)),
)
SHEET = st.lists(st.lists(VALUE, max_size=5), min_size=1, max_size=8)


def seen(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".").replace("-0", "-0") if value else "0"
    return "" if value is None else str(value)


def texts_by_row(sheet: Source) -> dict[int, list[str]]:
    return {
        number: trimmed(grid.texts_of(at)) for grid in sheet.grids() for at, number in enumerate(grid.numbers.tolist())
    }


def trimmed(row: list[str]) -> list[str]:
    while row and not row[-1]:
        row.pop()
    return row


@settings(max_examples=60, deadline=None)
@given(SHEET, st.integers(0, 3), st.lists(ANY_TEXT, min_size=1, max_size=3))
def test_a_spliced_sheet_reads_as_the_original_and_the_new_column(
    rows: list[list[Any]], header_row: int, titles: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xlsx"
        book = openpyxl.Workbook()
        for row in rows:
            book.worksheets[0].append(row or [None])
        book.save(path)
        [sheet] = worksheets(path)
        expected = [
            trimmed([seen(value) for value in row]) for row in openpyxl.load_workbook(path).worksheets[0].values
        ]
        read = texts_by_row(sheet)
        assert [read.get(number, []) for number in range(1, len(expected) + 1)] == expected
        header_row = header_row if header_row in read else 0
        numbers = [number for batch in sheet.batches(header_row, [0]) for number in batch.row_numbers.tolist()]
        index = np.array([place % len(titles) for place in range(len(numbers))], np.int32)
        added = Additions(pa.table({"new": titles}), index)
        sheet.write(Path(folder) / "b.xlsx", header_row, added, lambda _: None)
        after = texts_by_row(worksheets(Path(folder) / "b.xlsx")[0])
        width = max((len(row) for number, row in read.items() if number >= header_row), default=0)
        values = {header_row: "new"} if header_row else {}
        values |= {number: titles[place % len(titles)] for place, number in enumerate(numbers)}
        for number, row in read.items():
            value = unescaped(escaped_text(values.get(number, ""))[0])
            assert after[number] == (row + [""] * (width - len(row)) + [value] if value else row)


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"])), ANY_TEXT), max_size=8))
def test_a_column_is_encoded_as_its_texts_are_one_by_one(texts: list[str | None]) -> None:
    assert tails_of(pa.array(texts, pa.string()), "x:").tails.to_pylist() == [
        text_tail(text, "x:")[0] if text else None for text in texts
    ]


@settings(deadline=None)
@given(st.one_of(st.text(), st.text("_x04F1AE\r\x00\ud800\ufffe")))
def test_an_escaped_text_reads_back_but_for_what_no_text_may_hold(text: str) -> None:
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    expected = whole.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
    assert unescaped(escaped_text(text)[0]) == expected
