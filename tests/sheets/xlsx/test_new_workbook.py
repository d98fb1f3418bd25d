"""New workbooks from tables of any kind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import openpyxl
import pyarrow as pa
import pytest

from enricher.cells import Additions
from enricher.errors import OutputError
from enricher.sheets.grid import CellKind, Grid, GridColumn
from enricher.sheets.xlsx import worksheets, write_new_workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

ROWS: list[tuple[int, list[str]]] = [
    (1, ["Export of today"]),
    (2, ["EAN", "Title"]),
    (3, ["012345678905", "=1+1"]),
    (4, []),
    (5, ["4006381333931", " Bosch\n", "stray"]),
]


def table(rows: Sequence[tuple[int, list[str]]], size: int = 2) -> Callable[[], Iterator[Grid]]:
    """The rows as grids of `size` rows, each only as wide as it must be."""

    def grids() -> Iterator[Grid]:
        for some in batched(rows, size):
            width = max(len(texts) for _, texts in some)
            columns = zip(*(texts + [""] * (width - len(texts)) for _, texts in some), strict=True)
            numbers = np.array([number for number, _ in some], np.int64)
            yield Grid(numbers, tuple(GridColumn(pa.array(column, pa.string())) for column in columns))

    return grids


def batched(rows: Sequence[tuple[int, list[str]]], size: int) -> Iterator[Sequence[tuple[int, list[str]]]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def one_column(kind: CellKind, *texts: str) -> Callable[[], Iterator[Grid]]:
    kinds = np.full(len(texts), kind, np.uint8)
    grid = Grid(np.arange(1, len(texts) + 1), (GridColumn(pa.array(texts, pa.string()), kinds),))
    return lambda: iter([grid])


def new_columns(*index: int) -> Additions:
    pieces = pa.table({"amazon_title": ["Sony", "Bosch"], "amazon_bsr": [5, None]})
    return Additions(pieces, np.array(index, np.int32))


def test_every_original_cell_is_text_and_the_new_columns_share_a_column(tmp_path: Path) -> None:
    target = tmp_path / "new.xlsx"
    ticks: list[int] = []
    assert write_new_workbook(target, "range/2024", table(ROWS), 2, new_columns(0, -1, 1), ticks.append) == []
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


def test_without_a_header_all_rows_are_data(tmp_path: Path) -> None:
    write_new_workbook(tmp_path / "a.xlsx", "", table([(1, ["B00X"])]), 0, new_columns(0), lambda _: None)
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]
    assert list(sheet.values) == [("B00X", "Sony", 5)]
    assert sheet.freeze_panes is None


def test_no_rows_make_an_empty_workbook(tmp_path: Path) -> None:
    write_new_workbook(tmp_path / "a.xlsx", "x", table([]), 0, new_columns(), lambda _: None)
    assert worksheets(tmp_path / "a.xlsx")[0].preview(5).row_numbers == ()


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_new_workbook(tmp_path / name, "x", table(ROWS), 2, new_columns(0, -1, 1), lambda _: None)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_batches_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_new_workbook(tmp_path / "a.xlsx", "x", table(ROWS), 2, new_columns(0, -1, 1), lambda _: None)
    for size in (1, 2, 3):
        monkeypatch.setattr("enricher.sheets.xlsx.write.new_workbook._BATCH_ROWS", size)
        write_new_workbook(tmp_path / "b.xlsx", "x", table(ROWS), 2, new_columns(0, -1, 1), lambda _: None)
        assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_rows_past_the_end_of_a_worksheet_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="Write CSV instead"):
        write_new_workbook(tmp_path / "a.xlsx", "x", table([(1_048_577, ["1"])]), 0, new_columns(0), lambda _: None)
    with pytest.raises(OutputError, match="Write CSV instead"):
        write_new_workbook(tmp_path / "a.xlsx", "x", table([(1, ["1"] * 16_383)]), 0, new_columns(0), lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_numbers_and_booleans_are_such(tmp_path: Path) -> None:
    target = tmp_path / "a.xlsx"
    numbers = ("12.5", "-3", "4006381333931", "1234567890123456", "007", "nan", "", "1E5")
    write_new_workbook(target, "x", one_column(CellKind.NUMBER, *numbers), 0, new_columns(), lambda _: None)
    values = [row[0] for row in openpyxl.load_workbook(target).worksheets[0].iter_rows(max_col=1, values_only=True)]
    assert values == [12.5, -3, 4006381333931, "1234567890123456", 7, "nan", None, 100000]
    write_new_workbook(target, "x", one_column(CellKind.BOOLEAN, "TRUE", "FALSE"), 0, new_columns(), lambda _: None)
    assert list(openpyxl.load_workbook(target).worksheets[0].values) == [(True,), (False,)]


def test_dates_and_times_are_such_and_look_it(tmp_path: Path) -> None:
    target = tmp_path / "a.xlsx"
    dates = ("2026-03-01", "2026-03-01T13:30:00", "1900-03-01", "1900-02-29", "1812-06-24")
    write_new_workbook(target, "x", one_column(CellKind.DATE, *dates), 0, new_columns(), lambda _: None)
    sheet = openpyxl.load_workbook(target).worksheets[0]
    values = [row[0] for row in sheet.iter_rows(max_col=1, values_only=True)]
    assert [isinstance(value, datetime) for value in values] == [True, True, True, False, False]
    assert list(map(str, values)) == [
        "2026-03-01 00:00:00",
        "2026-03-01 13:30:00",
        "1900-03-01 00:00:00",
        "1900-02-29",
        "1812-06-24",
    ]
    assert sheet["A2"].number_format == "yyyy-mm-dd hh:mm:ss"
    write_new_workbook(target, "x", one_column(CellKind.TIME, "06:30:15", "36:00:00.500"), 0, new_columns(), print)
    times = [row[0] for row in openpyxl.load_workbook(target).worksheets[0].iter_rows(max_col=1, values_only=True)]
    assert times == [timedelta(hours=6, minutes=30, seconds=15), timedelta(hours=36, seconds=0.5)]


def test_names_that_the_format_knows_become_the_first_row(tmp_path: Path) -> None:
    target = tmp_path / "a.xlsx"
    write_new_workbook(target, "x", table([(0, ["EAN"]), (1, ["4006381333931"])]), 0, new_columns(0), lambda _: None)
    sheet = openpyxl.load_workbook(target).worksheets[0]
    assert list(sheet.values) == [("EAN", "amazon_title", "amazon_bsr"), ("4006381333931", "Sony", 5)]
    assert sheet.freeze_panes == "A2"


def test_rows_that_show_nothing_at_the_end_are_left_out(tmp_path: Path) -> None:
    rows = [(1, ["EAN"]), (2, ["1"]), (3, [""]), (9, ["", "", ""])]
    write_new_workbook(tmp_path / "a.xlsx", "x", table(rows), 1, new_columns(0), lambda _: None)
    assert openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0].dimensions == "A1:C2"


def test_records_of_nulls_keep_their_rows(tmp_path: Path) -> None:
    rows = [(0, ["EAN"]), (1, ["1"]), (2, [""]), (3, [""])]
    write_new_workbook(tmp_path / "a.xlsx", "x", table(rows, 4), 0, new_columns(0, 1, 0), lambda _: None)
    assert openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]["B4"].value == "Sony"
