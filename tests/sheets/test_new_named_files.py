"""New parquet files and JSON lines, from tables of other kinds: the same table in both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enricher.cells import Additions
from enricher.sheets.grid import CellKind, Grid, GridColumn
from enricher.sheets.jsonl import JsonLinesSource, write_new_jsonl
from enricher.sheets.parquet import ParquetSource, write_new_parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Write = Callable[..., list[str]]
    Rows = list[tuple[int, list[str | None]]]

NEW = Additions(pa.table({"Title": ["T"], "price": [1.5]}), np.array([0, -1, 0], np.int32))
WRITERS = pytest.mark.parametrize("write", [write_new_parquet, write_new_jsonl], ids=["parquet", "jsonl"])


def grids_of(*parts: Rows) -> Callable[[], Iterator[Grid]]:
    """Make grids of texts, each as wide as its widest row."""

    def grids() -> Iterator[Grid]:
        for rows in parts:
            width = max(len(texts) for _, texts in rows)
            columns = zip(*([*texts, *[None] * (width - len(texts))] for _, texts in rows), strict=True)
            texts = tuple(GridColumn(pa.array(list(column), pa.string())) for column in columns)
            yield Grid(np.array([number for number, _ in rows], np.int64), texts)

    return grids


def contents(path: Path, write: Write) -> list[dict[str, Any]]:
    if write is write_new_parquet:
        rows: list[dict[str, Any]] = pq.read_table(path, page_checksum_verification=True).to_pylist()
        return rows
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@WRITERS
def test_the_header_names_the_columns_and_rows_above_it_are_left_out_and_told(tmp_path: Path, write: Write) -> None:
    first: Rows = [(1, ["Report"]), (2, [None]), (3, ["SKU", "sku", "", "Title"])]
    second: Rows = [(4, ["a", "007", " x ", None]), (5, [None, ""]), (7, ["b", "1E5", "NA", "t", "wide"])]
    ticks: list[int] = []
    notes = write(tmp_path / "out", grids_of(first, second), 3, NEW, ticks.append)
    assert notes == ["1 row above the header left out: the output has room for named values only"]
    assert contents(tmp_path / "out", write) == [
        {"SKU": "a", "sku_2": "007", "C": " x ", "Title": None, "E": None, "Title_2": "T", "price": 1.5},
        dict.fromkeys(["SKU", "sku_2", "C", "Title", "E", "Title_2", "price"]),
        {"SKU": "b", "sku_2": "1E5", "C": "NA", "Title": "t", "E": "wide", "Title_2": "T", "price": 1.5},
    ]
    assert sum(ticks) == 3


@WRITERS
def test_a_table_without_header_gets_letters(tmp_path: Path, write: Write) -> None:
    rows: Rows = [(1, ["a", "b"]), (2, ["c", "d"]), (3, [None, None])]
    assert write(tmp_path / "out", grids_of(rows), 0, NEW, lambda _: None) == []
    assert [(row["A"], row["B"], row["Title"]) for row in contents(tmp_path / "out", write)] == [
        ("a", "b", "T"),
        ("c", "d", None),
        (None, None, "T"),
    ]


@WRITERS
def test_blank_rows_below_the_data_are_left_out_and_rows_beyond_the_answers_get_nothing(
    tmp_path: Path, write: Write
) -> None:
    rows: Rows = [(1, ["A"]), (2, ["x"]), (3, ["x"]), (4, ["x"]), (5, ["x"]), (6, [""]), (7, [None])]
    write(tmp_path / "out", grids_of(rows), 1, NEW, lambda _: None)
    assert [(row["A"], row["Title"]) for row in contents(tmp_path / "out", write)] == [
        ("x", "T"),
        ("x", None),
        ("x", "T"),
        ("x", None),
    ]


def cells_of_every_kind() -> Iterator[Grid]:
    texts = pa.array(["12345678905", "007", "1.50", "TRUE", "2024-01-02", "", 'a"\n\\', "inf", "-1e-7"])
    number, text = CellKind.NUMBER, CellKind.TEXT
    kinds = [number, number, number, CellKind.BOOLEAN, CellKind.DATE, text, text, number, number]
    yield Grid(np.arange(1, 10), (GridColumn(texts, np.array(kinds, np.uint8)),))


def test_json_has_numbers_by_their_own_digits_and_booleans_and_the_rest_as_texts(tmp_path: Path) -> None:
    added = Additions(pa.table({"n": pa.array([], pa.int64())}), np.full(9, -1, np.int32))
    write_new_jsonl(tmp_path / "out", cells_of_every_kind, 0, added, lambda _: None)
    lines = (tmp_path / "out").read_text(encoding="utf-8").splitlines()
    tokens = [line.removeprefix('{"A":').removesuffix(',"n":null}') for line in lines]
    expected = ["12345678905", '"007"', "1.50", "true", '"2024-01-02"', "null", r'"a\"\n\\"', '"inf"', "-1e-7"]
    assert tokens == expected


def test_parquet_keeps_every_cell_as_text_so_that_no_code_becomes_a_double(tmp_path: Path) -> None:
    added = Additions(pa.table({"n": pa.array([], pa.int64())}), np.full(9, -1, np.int32))
    write_new_parquet(tmp_path / "out", cells_of_every_kind, 0, added, lambda _: None)
    table = pq.read_table(tmp_path / "out")
    assert table.schema.types == [pa.string(), pa.int64()]
    assert table.column("A").to_pylist()[:3] == ["12345678905", "007", "1.50"]


def test_json_lines_and_parquet_go_into_each_other_and_back(tmp_path: Path) -> None:
    path, parquet, back = tmp_path / "in.jsonl", tmp_path / "out.parquet", tmp_path / "back.jsonl"
    path.write_bytes(b'{"ean":"0012345678905","b":true,"n":1.50}\n{"b":false}\n')
    nothing = Additions(pa.table({"new": pa.array([None], pa.string())}), np.zeros(2, np.int32))
    write_new_parquet(parquet, JsonLinesSource(path).grids, 0, nothing, lambda _: None)
    write_new_jsonl(back, ParquetSource(parquet).grids, 0, nothing, lambda _: None)
    assert back.read_text(encoding="utf-8").splitlines() == [
        '{"ean":"0012345678905","b":"TRUE","n":"1.50","new":null,"new_2":null}',
        '{"ean":null,"b":"FALSE","n":null,"new":null,"new_2":null}',
    ]
