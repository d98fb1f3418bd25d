"""Any kind of file to any other: the same rows, codes as text, and the new columns beside their rows."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enricher.cells import Additions
from enricher.sheets import Form, check_form, open_sources, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from enricher.sheets import Source

ROWS = [["EAN", "Title"], ["0012345678905", "Stift, rot"], ["4006381333931", "=1+1"]]
ADDED = {"amazon_title": ["red pen", None], "amazon_bsr": [7, None]}


def _csv(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(ROWS)


def _xlsx(path: Path) -> None:
    book = openpyxl.Workbook()
    for row in ROWS:
        book.worksheets[0].append(row)
    book.worksheets[0]["B3"].data_type = "s"
    book.save(path)


def _html(path: Path) -> None:
    cells = ["".join(f"<td>{cell}</td>" for cell in row) for row in ROWS]
    path.write_text(f"<html><table><tr>{'</tr><tr>'.join(cells)}</tr></table></html>", encoding="utf-8")


def _parquet(path: Path) -> None:
    pq.write_table(pa.table({name: [row[at] for row in ROWS[1:]] for at, name in enumerate(ROWS[0])}), path)


def _jsonl(path: Path) -> None:
    lines = [json.dumps(dict(zip(ROWS[0], row, strict=True))) for row in ROWS[1:]]
    path.write_text("\n".join(lines), encoding="utf-8")


def _read_csv(path: Path) -> list[list[Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [
            [cell or None for cell in row] for row in csv.reader(file, delimiter="\t" if ".t" in path.name else ",")
        ]


def _read_xlsx(path: Path) -> list[list[Any]]:
    return [list(row) for row in openpyxl.load_workbook(path).worksheets[0].values]


def _read_parquet(path: Path) -> list[list[Any]]:
    table = pq.read_table(path)
    return [table.column_names, *(list(row.values()) for row in table.to_pylist())]


def _read_jsonl(path: Path) -> list[list[Any]]:
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [list(records[0]), *(list(record.values()) for record in records)]


MAKERS = {"in.csv": _csv, "in.xlsx": _xlsx, "in.xls": _html, "in.parquet": _parquet, "in.jsonl": _jsonl}
READERS: dict[str, Callable[[Path], list[list[Any]]]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".xlsx": _read_xlsx,
    ".parquet": _read_parquet,
    ".jsonl": _read_jsonl,
}


def opened(path: Path) -> tuple[Source, int]:
    """The table of the file, and its header row."""
    MAKERS[path.name](path)
    source = open_sources(path)[0]
    return source, 0 if source.preview(5).has_names else 1


@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize("name", MAKERS)
def test_every_kind_becomes_every_other(tmp_path: Path, name: str, suffix: str) -> None:
    source, header_row = opened(tmp_path / name)
    form = Form(suffix)
    check_form(source.path, form, f"out{suffix}")
    data_rows = sum(len(batch.empty) for batch in source.batches(header_row, [0]))
    additions = Additions(pa.table(ADDED), np.arange(data_rows, dtype=np.int32))
    target = tmp_path / f"out{suffix}"
    assert write(source, target, form, header_row, additions, lambda _: None) == []
    bsr: Any = "7" if suffix in {".csv", ".tsv"} else 7
    assert READERS[suffix](target) == [
        [*ROWS[0], *ADDED],
        [*ROWS[1], "red pen", bsr],
        [*ROWS[2], None, None],
    ]


def test_a_new_workbook_has_the_values_and_nothing_else_of_the_old_one(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["EAN", "Price", "n"])
    sheet.append(["4006381333931", 2.5, True])
    sheet.merge_cells("C2:F2")
    book.create_sheet("Other")
    book.save(tmp_path / "in.xlsx")
    source = open_sources(tmp_path / "in.xlsx")[0]
    assert sum(len(batch.empty) for batch in source.batches(1, [0])) == 1
    additions = Additions(pa.table({"amazon_bsr": [7]}), np.zeros(1, np.int32))
    write(source, tmp_path / "out.xlsx", Form(".xlsx", new_workbook=True), 1, additions, lambda _: None)
    made = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert made.sheetnames == ["Sheet"]
    assert list(made.worksheets[0].values) == [("EAN", "Price", "n", "amazon_bsr"), ("4006381333931", 2.5, True, 7)]


@pytest.mark.parametrize(("suffix", "delimiter"), [(".txt", ";"), (".csv", ";"), (".tsv", "\t")])
def test_a_text_keeps_its_delimiter_where_the_name_lets_it(tmp_path: Path, suffix: str, delimiter: str) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"EAN;a\n4006381333931;1\n")
    source = open_sources(path)[0]
    additions = Additions(pa.table({"x": [7]}), np.zeros(1, np.int32))
    write(source, tmp_path / "out", Form(suffix), 1, additions, lambda _: None)
    assert tmp_path.joinpath("out").read_bytes().splitlines()[1] == delimiter.join(["4006381333931", "1", "7"]).encode()


def test_a_csv_with_tabs_stays_as_it_is_under_its_own_ending(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes("EAN\tName\n4006381333931\tgrün\n".encode("cp1252"))
    source = open_sources(path)[0]
    write(source, tmp_path / "out", Form(".csv"), 1, Additions(pa.table({"x": [7]}), np.zeros(1, np.int32)), print)
    assert tmp_path.joinpath("out").read_bytes() == "EAN\tName\tx\n4006381333931\tgrün\t7\n".encode("cp1252")


def test_blank_rows_of_a_sheet_have_as_many_fields_as_the_others(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row, text in {1: "EAN", 3: "4006381333931"}.items():
        book.worksheets[0].cell(row, 1, text)
        book.worksheets[0].cell(row, 2, "x")
    book.worksheets[0].row_dimensions[2].height = 30
    book.save(tmp_path / "in.xlsx")
    source = open_sources(tmp_path / "in.xlsx")[0]
    rows = sum(len(batch.empty) for batch in source.batches(1, [0]))
    additions = Additions(pa.table({"n": [7]}), np.array([-1] * (rows - 1) + [0], np.int32))
    write(source, tmp_path / "out.csv", Form(".csv"), 1, additions, lambda _: None)
    assert {len(row) for row in _read_csv(tmp_path / "out.csv")} == {3}
