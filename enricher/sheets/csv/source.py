"""CSV, TSV and the like: every original byte goes through as it is; new fields are appended to each record.

The structure comes from csv.reader; what is written comes from the raw lines it consumed.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, TextIO

import numpy as np
import pyarrow as pa

from enricher.errors import InputError
from enricher.model import Batch, Cells, Preview
from enricher.sheets.csv.dialect import Dialect, detect
from enricher.sheets.csv.render import Renderer
from enricher.sheets.names import unique_names
from enricher.sheets.stamp import Stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from enricher.model import Additions

_BATCH_ROWS = 20_000
_MAX_FIELD_CHARS = 64 * 1024 * 1024
_BOM = "\ufeff"


class CsvSource:
    """A text file as a Source. Row numbers count records, so that a field with a line break doesn't shift them."""

    sheet = None
    hidden = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp = Stamp(path)
        self.dialect: Dialect = detect(path)
        self._width = 0

    @property
    def description(self) -> str:
        return self.dialect.description

    def preview(self, rows: int) -> Preview:
        kept: list[tuple[int, list[str]]] = []
        for number, (_, fields) in enumerate(self._records(), 1):
            if any(fields):
                kept.append((number, fields))
            if len(kept) >= rows:
                break
        width = max((len(fields) for _, fields in kept), default=0)
        columns = (_cells([_at(fields, column) for _, fields in kept]) for column in range(width))
        return Preview(tuple(columns), tuple(number for number, _ in kept))

    def batches(self, header_row: int, columns: Sequence[int]) -> Iterator[Batch]:
        size = max(1, self.path.stat().st_size)
        numbers: list[int] = []
        empty: list[bool] = []
        texts: list[list[str | None]] = [[] for _ in columns]
        with self._open() as file:
            for number, (_, fields) in enumerate(self._split(file), 1):
                self._width = max(self._width, len(fields))
                if number <= header_row:
                    continue
                numbers.append(number)
                empty.append(not any(fields))
                for column, values in zip(columns, texts, strict=True):
                    values.append(_at(fields, column))
                if len(numbers) == _BATCH_ROWS:
                    yield _batch(numbers, empty, texts, file.buffer.tell() / size)
                    numbers, empty, texts = [], [], [[] for _ in columns]
        if numbers:
            yield _batch(numbers, empty, texts, 1.0)

    def text_rows(self) -> Iterator[tuple[int, list[str]]]:
        for number, (_, fields) in enumerate(self._records(), 1):
            yield number, [_printable(field) for field in fields]

    def check(self, header_row: int, schema: pa.Schema) -> None:
        """Nothing: a text file takes any columns."""

    def write(self, target: Path, header_row: int, additions: Additions, tick: Callable[[int], None]) -> list[str]:
        if not self._width:
            self._width = max((len(fields) for _, fields in self._records()), default=0)
        renderer = Renderer(self.dialect, additions)
        delimiter = self.dialect.delimiter
        done = 0
        with target.open("w", encoding=self.dialect.encoding, errors=self.dialect.errors, newline="") as out:
            out.write(_BOM if self.dialect.has_bom else "")
            for number, (raw, fields) in enumerate(self._records(), 1):
                record = raw.rstrip("\r\n")
                line_end = raw[len(record) :]
                if number < header_row or not fields:
                    out.write(raw)
                elif number == header_row:
                    names = unique_names(fields, additions.names)
                    out.write(record + delimiter * (self._width - len(fields)) + renderer.header(names) + line_end)
                elif done == len(additions.index):
                    break  # the file grew; the stamp says so
                else:
                    piece = renderer.piece(int(additions.index[done]))
                    out.write(record + delimiter * (self._width - len(fields)) + piece + line_end)
                if number > header_row:
                    done += 1
                    if done % _BATCH_ROWS == 0:
                        tick(_BATCH_ROWS)
        tick(done % _BATCH_ROWS)
        self._stamp.check()
        return renderer.warnings()

    def _open(self) -> TextIO:
        self._stamp.check()
        return self.path.open(encoding=self.dialect.encoding, errors=self.dialect.errors, newline="")

    def _records(self) -> Iterator[tuple[str, list[str]]]:
        with self._open() as file:
            yield from self._split(file)

    def _split(self, file: TextIO) -> Iterator[tuple[str, list[str]]]:
        """Cut an open file into records: each as its raw text with the line end, and its fields."""
        csv.field_size_limit(_MAX_FIELD_CHARS)
        raw: list[str] = []
        lines = 0

        def tee() -> Iterator[str]:
            nonlocal lines
            if self.dialect.has_bom:
                file.read(1)
            for line in file:
                lines += 1
                raw.append(line)
                yield line

        first_line = start = 1
        text = ""
        try:
            for fields in self.dialect.reader(tee()):
                text = "".join(raw)
                raw.clear()
                start, first_line = first_line, lines + 1
                yield text, fields
            if self.dialect.leaves_quote_open(text):
                raise InputError(
                    f"{self.path.name}, line {start}: a double quote is opened and never closed, so the rest of the "
                    f"file would be one cell. Close it or double it, and run again"
                )
        except csv.Error as error:
            raise InputError(f"{self.path.name}, line {first_line}: {error}") from None
        except UnicodeDecodeError as error:
            raise InputError(f"{self.path.name} is not {self.dialect.encoding} throughout: {error.reason}") from None


def _at(fields: list[str], column: int) -> str | None:
    return fields[column] if column < len(fields) else None


def _printable(text: str) -> str:
    """Replace what could not be decoded, for a look at the text only; the bytes themselves are kept elsewhere."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _cells(texts: list[str | None]) -> Cells:
    try:
        array = pa.array(texts, pa.string())
    except UnicodeEncodeError:
        array = pa.array([None if text is None else _printable(text) for text in texts], pa.string())
    return Cells(array, np.zeros(len(texts), np.bool_), np.zeros(len(texts), np.uint8))


def _batch(numbers: list[int], empty: list[bool], texts: list[list[str | None]], share: float) -> Batch:
    return Batch(tuple(_cells(column) for column in texts), np.array(empty), np.array(numbers, np.int64), share)
