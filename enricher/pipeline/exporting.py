"""The answers of a resume file as a table of their own: a text file, a workbook, parquet or JSON lines.

Owns how the resume file's columns look in each, and their order over time. Rows are on disk on their way, never all in
memory.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from enricher import memory, report, sheets
from enricher.cells import Additions
from enricher.clock import Clock, SystemClock
from enricher.errors import ConfigError, OutputError
from enricher.model import FIELDS, SANDBOX_HOST, Outcome
from enricher.pipeline.sorting import SortedRows
from enricher.pipeline.stores import check_store
from enricher.pipeline.task import resolved
from enricher.store import IDENTITY, Store, gathered, is_resume_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from enricher.model import Products
    from enricher.pipeline.task import Observer

RAW = "raw"
"""The column with what else the service said of a product, as JSON."""
ALL = "all"
_BY_TIME = ("code", "code_type", "domain", "fetched_at", "item")
_WORKBOOK, _PARQUET, _JSON_LINES, _TEXT = ".xlsx", ".parquet", ".jsonl", ".csv"
_FORMS = {
    ".xlsx": _WORKBOOK,
    ".parquet": _PARQUET,
    ".jsonl": _JSON_LINES,
    ".ndjson": _JSON_LINES,
    ".csv": _TEXT,
    ".tsv": _TEXT,
    ".tab": _TEXT,
    ".txt": _TEXT,
}
_SEPARATOR = "; "
_FORMULA = r"^[=+\-@\t\r]"
"""A spreadsheet that opens the CSV would take such a text for a formula and run it (OWASP, "CSV Injection")."""


@dataclass(frozen=True, slots=True)
class Export:
    """A resume file and the table to make of it.

    `fields` are the columns behind the identity of a row; `history`: every answer ever, by code and then time, instead
    of each code's newest; `force`: overwrite what is there.
    """

    store: Path
    output: Path
    fields: Sequence[str] = tuple(FIELDS)
    history: bool = False
    force: bool = False

    @property
    def form(self) -> str:
        """The ending of its kind. Raises OutputError where no table can be of that kind."""
        try:
            return _FORMS[self.output.suffix.lower()]
        except KeyError:
            raise OutputError(
                f"{self.output}: a table can be .csv, .tsv, .txt, .xlsx, .parquet or .jsonl; give it such an ending"
            ) from None

    @property
    def names(self) -> list[str]:
        """The columns of the table, named as in the resume file."""
        return [*IDENTITY, *self.fields]


def fields_named(text: str | None) -> tuple[str, ...]:
    """Read a list of fields: "title,brand", "all" or "all,raw"; None is all.

    Raises ConfigError.

    >>> fields_named("brand, title")
    ('brand', 'title')
    """
    names = [name.strip() for name in (ALL if text is None else text).split(",") if name.strip()]
    names = [field for name in names for field in (FIELDS if name == ALL else [name])]
    unknown = [name for name in names if name not in FIELDS and name != RAW]
    if unknown:
        raise ConfigError(
            f"--fields: there is no field {', '.join(unknown)}; they are {', '.join(FIELDS)}, {RAW}, {ALL}"
        )
    if not names:
        raise ConfigError("--fields: name at least one field")
    return tuple(dict.fromkeys(names))


def export(task: Export, observer: Observer, clock: Clock | None = None) -> report.Exported:
    """Write a resume file's answers as a table. Raises StoreError, OutputError; nothing is there then."""
    clock = clock or SystemClock()
    start_s = clock.monotonic_s()
    check_store(task.store)
    _check_output(task)
    with Store(task.store, read_only=True) as store, sheets.StagedOutput(task.output) as staged:
        products = store.everything(history=task.history)
        if task.form == _WORKBOOK and len(products) >= sheets.MAX_ROWS:
            raise OutputError(
                f"{task.output}: {len(products):,} rows are more than the {sheets.MAX_ROWS - 1:,} that a worksheet "
                f"holds below its header. Write another kind: -o {task.output.stem}.csv"
            )
        is_sandbox = store.host == SANDBOX_HOST
        with _told(task):
            warnings = _write(task, products, staged.partial, observer, is_sandbox=is_sandbox)
        _check_output(task)  # again: it may have been made in the meantime
        place = staged.commit(task.store if task.store.exists() else task.store.with_suffix(".journal"))
        if place != staged.path:
            warnings.append(f"{task.output} is open in another program and was left as it is")
        found = pc.equal(products.table(["outcome"]).column("outcome"), Outcome.FOUND.value)
        products_count = pc.sum(found).as_py() or 0
        return report.Exported(
            store=str(task.store),
            output=str(task.output if place == staged.path else place),
            service=store.host,
            is_sandbox=is_sandbox,
            history=task.history,
            products=products_count,
            not_found=len(products) - products_count,
            duration_s=clock.monotonic_s() - start_s,
            warnings=warnings,
        )


def _check_output(task: Export) -> None:
    """Raise OutputError where the output can't or must not be written."""
    output = task.output
    if output.is_dir():
        raise OutputError(f"{output} is a folder: name a file with -o")
    store = resolved(task.store)
    if resolved(output) in {store, store.with_suffix(".journal"), store.with_suffix(".lock")}:
        raise OutputError(f"{output} is the resume file itself, which holds what was paid for: choose another name")
    if not output.exists():
        return
    if is_resume_file(output):
        raise OutputError(f"{output} is a resume file, which holds what was paid for: choose another name")
    if not task.force:
        raise OutputError(f"{output} exists already. To overwrite it: --force")


@contextlib.contextmanager
def _told(task: Export) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{task.output}: can't be written ({error.strerror or error})") from None


def _write(task: Export, products: Products, target: Path, observer: Observer, *, is_sandbox: bool) -> list[str]:
    """Write the table; return what the user should know."""
    with contextlib.ExitStack() as stack:
        rows = products
        if task.history:
            scratch = stack.enter_context(sheets.StagedOutput(_beside(task.output, "sorting", ".arrow")))
            rows = stack.enter_context(SortedRows(products, _BY_TIME, scratch.partial, _heard(observer, len(products))))
            memory.release()
        shape = _Shape(task)
        if task.form in {_PARQUET, _JSON_LINES}:
            observer.writing(len(products))
            write = _write_parquet if task.form == _PARQUET else _write_json_lines
            write(target, shape.batches(rows), observer.wrote)
            return []
        scratch = stack.enter_context(sheets.StagedOutput(_beside(task.output, "rows", _PARQUET)))
        _write_parquet(scratch.partial, shape.batches(rows), _heard(observer, len(products)))
        memory.release()
        observer.writing(len(products))
        title = f"{'Sandbox ' if is_sandbox else ''}{'history' if task.history else 'products'}"
        return [*_write_sheet(task, scratch.partial, target, title.capitalize(), observer), *shape.warnings()]


def _write_sheet(task: Export, rows: Path, target: Path, title: str, observer: Observer) -> list[str]:
    (source,) = sheets.open_sources(rows)
    nothing = Additions(pa.table({}), np.empty(0, np.int32))
    if task.form == _WORKBOOK:
        return sheets.write_new_workbook(target, title, source.grids, 0, nothing, observer.wrote)
    return sheets.write(source, target, sheets.Form(task.output.suffix), 0, nothing, observer.wrote)


def _beside(output: Path, what: str, suffix: str) -> Path:
    """Name a file of passage: on the disk that has to have the room anyway, and by another stem than the output's."""
    return output.with_name(f"{what} of {output.stem}{suffix}")


def _heard(observer: Observer, rows: int) -> Callable[[int], None]:
    """Return a tick that tells the observer how much is read."""
    done = 0

    def tick(count: int) -> None:
        nonlocal done
        done += count
        observer.reading(done, done / max(1, rows))

    return tick


class _Shape:
    """The columns as each kind of file can show them; `warnings` tells what had to be changed.

    Parquet keeps all types. JSON keeps lists; elsewhere their elements are joined. A workbook has dates of its own,
    which know no time zone: they are in UTC.
    """

    def __init__(self, task: Export) -> None:
        self._task = task
        self._defused = 0

    def batches(self, rows: Products) -> Iterator[pa.RecordBatch]:
        """Shape rows; there is at least one batch, of no rows where there are none."""
        names, is_first = self._task.names, True
        for batch in rows.batches():
            yield self._shaped(batch.select(names))
            is_first = False
        if is_first:
            empty = rows.table(names)
            yield self._shaped(
                pa.RecordBatch.from_arrays([pa.array([], of) for of in empty.schema.types], empty.schema.names)
            )

    def warnings(self) -> list[str]:
        """Return what the user should know."""
        if not self._defused:
            return []
        return [f"{report.count(self._defused, 'text')} that look like formulas got a leading ' so that they stay text"]

    def _shaped(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self._task.form == _PARQUET:
            return batch
        return pa.RecordBatch.from_arrays([self._column(column) for column in batch.columns], batch.schema.names)

    def _column(self, column: pa.Array) -> pa.Array:
        form = self._task.form
        if pa.types.is_timestamp(column.type):
            seconds = column.cast(pa.timestamp("s", tz="UTC"), safe=False)
            return seconds.cast(pa.timestamp("s")) if form == _WORKBOOK else pc.strftime(seconds, "%Y-%m-%dT%H:%M:%SZ")
        if pa.types.is_list(column.type) and form != _JSON_LINES:
            joined = pc.binary_join(column, _SEPARATOR)
            column = pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)
        if form == _TEXT and pa.types.is_string(column.type):
            is_formula = pc.match_substring_regex(column, _FORMULA).fill_null(False)
            self._defused += pc.sum(is_formula).as_py() or 0
            column = pc.if_else(is_formula, pc.binary_join_element_wise("'", column, ""), column)
        return column


def _write_parquet(target: Path, batches: Iterator[pa.RecordBatch], tick: Callable[[int], None]) -> None:
    """Write batches with page checksums, as many as make a row group at once."""
    groups = gathered(batches)
    first = next(groups)
    with (
        target.open("wb") as out,
        pq.ParquetWriter(out, first.schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        for group in itertools.chain([first], groups):
            writer.write_table(group)
            tick(len(group))


def _write_json_lines(target: Path, batches: Iterator[pa.RecordBatch], tick: Callable[[int], None]) -> None:
    with target.open("w", encoding="utf-8", newline="\n") as out:
        for batch in batches:
            rows = batch.to_pylist()
            out.writelines(f"{json.dumps(row, ensure_ascii=False, separators=(',', ':'))}\n" for row in rows)
            tick(len(batch))
