"""What is measured, each as a function that runs in a process of its own: enricher's way and the others'.

    python -m tests.bench.sheet_jobs NAME ARGUMENT...

A job loads its libraries and the answers, notes how much CPU time that took, and works.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_STATUS = Path("/proc/self/status")
_KEY = "EAN"
_KEY_COLUMN = 1


def _working() -> dict[str, float]:
    """Say that loading is over: by when in CPU time, and the anonymous memory held by then (0: nobody tells)."""
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
    return {"loaded_s": _cpu_s(), "loaded_mib": measure.anonymous_kib(_STATUS) / 1024}


def _cpu_s() -> float:
    """Return the CPU time of this process and of those that it started and that have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def make(kind: str, path: str, rows: str, width: str, distinct: str) -> dict[str, Any]:
    """Make an input."""
    from tests.bench import sheet_files as files  # noqa: PLC0415 - a job loads what it measures

    target = Path(path)
    if kind == "answers":
        files.make_answers(target, int(distinct))
    elif kind == "store":
        files.make_store(target, int(distinct))
    elif kind == "csv":
        files.make_csv(target, int(rows), int(width), int(distinct))
    else:
        files.make_workbook(target, int(rows), int(width), int(distinct), is_streamed=kind == "streamed")
    return {}


# --- enricher ---------------------------------------------------------------------------------------------------


def enricher_join(source: str, answers: str, target: str, fields: str) -> dict[str, Any]:
    """Read the key column, match it, and write the file with the answers' first `fields` columns at its right."""
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    from enricher import memory, sheets  # noqa: PLC0415
    from enricher.cells import Additions  # noqa: PLC0415

    memory.keep_little()  # as the program does
    table = pq.read_table(answers, columns=_columns(answers, int(fields)))
    known = pd.Index(table["code"].cast("int64").to_numpy())
    pieces = table.drop_columns(["code"])
    del table
    if source.endswith(".xlsx"):  # a workbook's writer wants them in one chunk, as a run makes them
        pieces = pieces.combine_chunks()
    memory.release()
    said = _working()

    def positions(text: pa.StringArray) -> npt.NDArray[np.int32]:
        codes = pc.if_else(pc.utf8_is_digit(pc.fill_null(text, "")), text, "0").cast("int64").to_numpy()
        found: npt.NDArray[np.int32] = known.get_indexer(pd.Index(codes)).astype(np.int32)
        return found

    opened = sheets.open_sources(Path(source))[0]
    index = np.concatenate([positions(batch.columns[0].text) for batch in opened.batches(1, [_KEY_COLUMN])])
    _write(opened, Path(target), Additions(pieces, index))
    return {**said, "rows": len(index)}


def _write(source: Any, target: Path, additions: Any) -> None:
    from enricher import sheets  # noqa: PLC0415

    sheets.write(source, target, sheets.Form(target.suffix), 1, additions, lambda _: None)


def enricher_read(source: str) -> dict[str, Any]:
    from enricher import sheets  # noqa: PLC0415

    said = _working()
    batches = sheets.open_sources(Path(source))[0].batches(1, [_KEY_COLUMN])
    return {**said, "rows": sum(len(batch.empty) for batch in batches)}


# --- the others -------------------------------------------------------------------------------------------------


def openpyxl_join(source: str, answers: str, target: str, fields: str) -> dict[str, Any]:
    import openpyxl  # noqa: PLC0415

    names, known = _rows_of(answers, int(fields))
    said = _working()
    book = openpyxl.load_workbook(source)
    page = book.worksheets[0]
    first = page.max_column + 1
    for at, name in enumerate(names):
        page.cell(1, first + at, name)
    for row in range(2, page.max_row + 1):
        for at, value in enumerate(known.get(page.cell(row, _KEY_COLUMN + 1).value, ())):
            if value is not None:
                page.cell(row, first + at, value)
    book.save(target)
    return {**said, "rows": page.max_row - 1}


def calamine_read(source: str) -> dict[str, Any]:
    import python_calamine  # noqa: PLC0415

    said = _working()
    rows = python_calamine.CalamineWorkbook.from_path(source).get_sheet_by_index(0).to_python()
    return {**said, "rows": len(rows) - 1}


def xlsxwriter_new(source: str, answers: str, target: str, fields: str) -> dict[str, Any]:
    import xlsxwriter  # noqa: PLC0415

    names, known = _rows_of(answers, int(fields))
    said = _working()
    book = xlsxwriter.Workbook(target, {"constant_memory": True})
    page = book.add_worksheet()
    with Path(source).open(encoding="utf-8", newline="") as file:
        for row, record in enumerate(csv.reader(file)):
            for column, text in enumerate(record):
                page.write_string(row, column, text)
            new = names if row == 0 else known.get(record[_KEY_COLUMN], ())
            for at, value in enumerate(new, len(record)):
                if value is not None:
                    page.write(row, at, value)
    book.close()
    return {**said, "rows": row}


def pandas_join(source: str, answers: str, target: str, fields: str) -> dict[str, Any]:
    import pandas as pd  # noqa: PLC0415

    known = pd.read_parquet(answers, columns=_columns(answers, int(fields)))
    said = _working()
    joined = pd.read_csv(source, dtype=str).merge(known, how="left", left_on=_KEY, right_on="code")
    joined.drop(columns="code").to_csv(target, index=False)
    return {**said, "rows": len(joined)}


def duckdb_join(source: str, answers: str, target: str, fields: str) -> dict[str, Any]:
    import duckdb  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    known = pq.read_table(answers, columns=_columns(answers, int(fields)))
    connection = duckdb.connect()
    connection.execute("SET threads = 1; SET preserve_insertion_order = true; SET enable_progress_bar = false")
    connection.register("known", known)
    said = _working()
    query = f"""
        COPY (SELECT sheet.*, known.* EXCLUDE (code)
              FROM read_csv('{source}', all_varchar = true, header = true) AS sheet
              LEFT JOIN known ON sheet."{_KEY}" = known.code) TO '{target}' (HEADER)
    """  # noqa: S608 - names of files made for this
    connection.execute(query)
    return said


def polars_join(source: str, answers: str, target: str, fields: str) -> dict[str, Any]:
    import polars as pl  # noqa: PLC0415

    known = pl.read_parquet(answers, columns=_columns(answers, int(fields)))
    said = _working()
    sheet = pl.scan_csv(source, infer_schema=False)
    joined = sheet.join(known.lazy(), how="left", left_on=_KEY, right_on="code", maintain_order="left")
    joined.sink_csv(target)
    return said


def _columns(answers: str, fields: int) -> list[str]:
    import pyarrow.parquet as pq  # noqa: PLC0415

    names: list[str] = pq.read_schema(answers).names
    return names[: fields + 1]


def _rows_of(answers: str, fields: int) -> tuple[list[str], dict[Any, tuple[Any, ...]]]:
    """Return the names of the answers' columns and, by code, their values."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    table = pq.read_table(answers, columns=_columns(answers, fields))
    columns: Iterator[list[Any]] = (column.to_pylist() for column in table.columns)
    rows = zip(*columns, strict=True)
    return table.column_names[1:], {row[0]: row[1:] for row in rows}


JOBS: dict[str, Callable[..., dict[str, Any]]] = {
    job.__name__: job
    for job in (
        make,
        enricher_join,
        enricher_read,
        openpyxl_join,
        calamine_read,
        xlsxwriter_new,
        pandas_join,
        duckdb_join,
        polars_join,
    )
}

if __name__ == "__main__":
    told = JOBS[sys.argv[1]](*sys.argv[2:])
    print(json.dumps({**told, "done_s": _cpu_s()}))
