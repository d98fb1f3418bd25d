"""New workbooks from rows of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import openpyxl
import pyarrow as pa
import pytest

from enricher.errors import OutputError
from enricher.model import Additions
from enricher.sheets.xlsx import worksheets, write_new_workbook

if TYPE_CHECKING:
    from pathlib import Path

ROWS: list[tuple[int, list[str]]] = [
    (1, ["Export of today"]),
    (2, ["EAN", "Title"]),
    (3, ["012345678905", "=1+1"]),
    (4, []),
    (5, ["4006381333931", " Bosch\n", "stray"]),
]


def new_columns(*index: int) -> Additions:
    pieces = pa.table({"amazon_title": ["Sony", "Bosch"], "amazon_bsr": [5, None]})
    return Additions(pieces, np.array(index, np.int32))


def test_every_original_cell_is_text_and_the_new_columns_share_a_column(tmp_path: Path) -> None:
    target = tmp_path / "new.xlsx"
    ticks: list[int] = []
    assert write_new_workbook(target, "range/2024", iter(ROWS), 2, new_columns(0, -1, 1), ticks.append) == []
    sheet = openpyxl.load_workbook(target).worksheets[0]
    assert list(sheet.values) == [
        ("Export of today", None, None, None, None),
        ("EAN", "Title", None, "amazon_title", "amazon_bsr"),
        ("012345678905", "=1+1", None, "Sony", 5),
        (None, None, None, None, None),
        ("4006381333931", " Bosch\n", "stray", "Bosch", None),
    ]
    assert sheet["B3"].data_type != "f"
    assert sheet.title == "range-2024"
    assert sheet.freeze_panes == "A3"
    assert sheet["D2"].font.b
    assert not sheet["D3"].font.b
    assert sheet.dimensions == "A1:E5"
    assert sum(ticks) == 3
    assert [row for _, row in worksheets(target)[0].text_rows()][1] == [
        "EAN",
        "Title",
        "",
        "amazon_title",
        "amazon_bsr",
    ]


def test_without_a_header_all_rows_are_data(tmp_path: Path) -> None:
    write_new_workbook(tmp_path / "a.xlsx", "", iter([(1, ["B00X"])]), 0, new_columns(0), lambda _: None)
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]
    assert list(sheet.values) == [("B00X", "Sony", 5)]
    assert sheet.freeze_panes is None


def test_no_rows_make_an_empty_workbook(tmp_path: Path) -> None:
    write_new_workbook(tmp_path / "a.xlsx", "x", iter([]), 0, new_columns(), lambda _: None)
    assert worksheets(tmp_path / "a.xlsx")[0].preview(5).row_numbers == ()


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_new_workbook(tmp_path / name, "x", iter(ROWS), 2, new_columns(0, -1, 1), lambda _: None)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_batches_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_new_workbook(tmp_path / "a.xlsx", "x", iter(ROWS), 2, new_columns(0, -1, 1), lambda _: None)
    for size in (1, 2, 3):
        monkeypatch.setattr("enricher.sheets.xlsx.new_workbook._BATCH_ROWS", size)
        write_new_workbook(tmp_path / "b.xlsx", "x", iter(ROWS), 2, new_columns(0, -1, 1), lambda _: None)
        assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_rows_past_the_end_of_a_worksheet_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="Write CSV instead"):
        write_new_workbook(tmp_path / "a.xlsx", "x", iter([(1_048_577, ["1"])]), 0, new_columns(0), lambda _: None)
    with pytest.raises(OutputError, match="Write CSV instead"):
        write_new_workbook(tmp_path / "a.xlsx", "x", iter([(1, ["1"] * 16_383)]), 0, new_columns(0), lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_lone_surrogates_become_replacement_characters(tmp_path: Path) -> None:
    write_new_workbook(
        tmp_path / "a.xlsx", "x", iter([(1, ["a\udc80", "\U0001f600"])]), 0, new_columns(-1), lambda _: None
    )
    assert list(worksheets(tmp_path / "a.xlsx")[0].text_rows()) == [(1, ["a\ufffd", "\U0001f600"])]
