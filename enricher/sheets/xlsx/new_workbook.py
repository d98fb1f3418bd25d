"""A new workbook from rows of text: the way from CSV to Excel.

Owns the look of such a workbook: bold header, frozen above the data, widths by content. openpyxl makes everything
but the rows; those are streamed through the same encoder as a splice, all original cells as text.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from itertools import chain, islice
from typing import IO, TYPE_CHECKING

import numpy as np
import pyarrow as pa
from openpyxl import Workbook
from openpyxl.styles import Font

from enricher.errors import OutputError
from enricher.sheets.names import unique_names
from enricher.sheets.xlsx.encoder import cell, grown_bytes, row_pieces, tails_of, text_column, text_tail
from enricher.sheets.xlsx.package import SURELY_PLAIN_BYTES
from enricher.sheets.xlsx.placement import width_of
from enricher.sheets.xlsx.references import MAX_COLUMNS, MAX_ROWS, letters_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy.typing as npt

    from enricher.model import Additions

_BATCH_ROWS = 2_000
_MARKUP_BYTES = 60
_SAMPLE_ROWS = 100
_MIN_WIDTH, _MAX_WIDTH = 9, 50
_BOLD = "1"  # the second style: openpyxl numbers them as they are used
_DATE = (1980, 1, 1, 0, 0, 0)  # the zero of a zip; the same rows give the same bytes
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_NO_TIME = b"2000-01-01T00:00:00Z"
_ROWS = re.compile(rb"<sheetData>.*</sheetData>", re.DOTALL)
_ROWS_MARK = b"<!-- rows -->"
_DIMENSION = re.compile(rb'<dimension ref="[^"]*"')
_MAX_TITLE = 31
_TITLE_FORBIDDEN = str.maketrans("[]:*?/\\", "-------")

TextRow = tuple[int, list[str]]


def write_new_workbook(  # noqa: PLR0913, PLR0917 - the six things a workbook is made of
    target: Path,
    sheet_name: str,
    rows: Iterator[TextRow],
    header_row: int,
    additions: Additions,
    tick: Callable[[int], None],
) -> list[str]:
    """Write text rows (row number, texts) and the new columns, right of the widest row, as a new workbook.

    `additions.index` has one element a row below the header; rows after its end get nothing. Returns what the user
    should know. Raises OutputError when the rows don't fit a worksheet, OSError; the target is of no use then.
    """
    with tempfile.TemporaryFile(dir=target.parent) as spool:
        sheet = _Sheet(spool, header_row, additions)
        sheet.take(rows)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
            for name, data in _skeleton(sheet_name, header_row, sheet):
                before, mark, after = data.partition(_ROWS_MARK)
                large = sheet.estimated_bytes > SURELY_PLAIN_BYTES
                with out.open(_member(name), "w", force_zip64=bool(mark) and large) as part:
                    part.write(before)
                    if mark:
                        for piece in sheet.xml(tick):
                            part.write(piece)
                        part.write(after)
    return sheet.notes()


class _Sheet:
    """The rows, spooled to disk on the way in: the new columns' place is known only after the widest row."""

    def __init__(self, spool: IO[bytes], header_row: int, additions: Additions) -> None:
        self._spool = spool
        self._header_row = header_row
        self._additions = additions
        self._columns = [column.combine_chunks() for column in additions.pieces.columns]
        self._names: tuple[str, ...] = additions.names
        self._cut = 0
        self.width = 0
        self.last_row = 0
        self.estimated_bytes = 0
        self.text_widths: dict[int, int] = {}

    def take(self, rows: Iterator[TextRow]) -> None:
        """Spool all rows. Raises OutputError when they don't fit a worksheet."""
        schema = pa.schema([("number", pa.int64()), ("texts", pa.list_(pa.string()))])
        with pa.ipc.new_stream(self._spool, schema) as writer:
            while batch := list(islice(rows, _BATCH_ROWS)):
                self._learn(batch)
                writer.write_batch(pa.record_batch([[number for number, _ in batch], _lists(batch)], schema=schema))
            cells = self.width * self.last_row
            self.estimated_bytes = self._spool.tell() + cells * _MARKUP_BYTES + grown_bytes(self._additions)
        if self.width + len(self._names) > MAX_COLUMNS:
            raise OutputError(
                f"{self.width} columns and {len(self._names)} new ones are more than the {MAX_COLUMNS:,} of a "
                "worksheet. Write CSV instead: give the output the ending .csv."
            )

    def xml(self, tick: Callable[[int], None]) -> Iterator[bytes]:
        """Write the rows; `tick` hears how many more data rows are done."""
        yield b"<sheetData>"
        place = 0
        self._spool.seek(0)
        with pa.ipc.open_stream(self._spool) as batches:
            for batch in batches:
                numbers = batch.column(0).to_pylist()
                texts = batch.column(1).to_pylist()
                if self._header_row in numbers:
                    at = numbers.index(self._header_row)
                    yield from self._plain(numbers[:at], texts[:at])
                    yield self._header(texts[at])
                    numbers, texts = numbers[at + 1 :], texts[at + 1 :]
                if not numbers or numbers[0] < self._header_row:
                    yield from self._plain(numbers, texts)
                    continue
                index = self._additions.index[place : place + len(numbers)]
                yield from self._data(numbers, texts, index)
                place += len(numbers)
                tick(len(numbers))
        yield b"</sheetData>"

    def notes(self) -> list[str]:
        """Return what the user should know."""
        return [f"{self._cut} texts were longer than an Excel cell holds and were cut"] if self._cut else []

    def widths(self) -> Iterator[tuple[int, int]]:
        """Yield column and width: of the originals by their first rows, of the new ones by their kind."""
        for column, width in sorted(self.text_widths.items()):
            yield column, min(max(width + 2, _MIN_WIDTH), _MAX_WIDTH)
        for place, (name, column) in enumerate(zip(self._names, self._columns, strict=True)):
            yield self.width + place, width_of(name, column.type)

    def area(self) -> str:
        """Return the used area."""
        return f"A1:{letters_of(max(0, self.width + len(self._names) - 1))}{max(1, self.last_row)}"

    def _learn(self, batch: list[TextRow]) -> None:
        if batch[-1][0] > MAX_ROWS:
            raise OutputError(
                f"A worksheet ends at row {MAX_ROWS:,} and the input has more. "
                "Write CSV instead: give the output the ending .csv."
            )
        self.width = max(self.width, *(len(texts) for _, texts in batch))
        if self.last_row < _SAMPLE_ROWS:
            for _, texts in batch[:_SAMPLE_ROWS]:
                for column, text in enumerate(texts):
                    self.text_widths[column] = max(self.text_widths.get(column, 0), len(text))
        self.last_row = batch[-1][0]

    def _plain(self, numbers: list[int], texts: list[list[str]]) -> Iterator[bytes]:
        return self._data(numbers, texts, np.full(len(numbers), -1, np.int32))

    def _header(self, texts: list[str]) -> bytes:
        names = unique_names(texts, self._names)
        cells = chain(enumerate(texts), enumerate(names, self.width))
        row = self._header_row
        xml = "".join(cell(column, row, _BOLD, text_tail(text)[0]) for column, text in cells if text)
        return f'<row r="{row}">{xml}</row>'.encode()

    def _data(self, numbers: list[int], texts: list[list[str]], index: npt.NDArray[np.int32]) -> Iterator[bytes]:
        if not numbers:
            return
        width = max(map(len, texts))
        padded = [row + [""] * (width - len(row)) for row in texts]
        columns = [tails_of(text_column(column)) for column in zip(*padded, strict=True)]
        labels = pa.array(map(str, numbers), pa.string())
        old = row_pieces(0, labels, [column.tails for column in columns]) if columns else [b""] * len(numbers)
        new = dict[int, bytes]()
        chosen = np.flatnonzero(index >= 0)
        if len(chosen):
            taken = pa.array(index[chosen])
            added = [tails_of(column.take(taken)) for column in self._columns]
            columns += added
            pieces = row_pieces(self.width, labels.take(pa.array(chosen)), [column.tails for column in added])
            new = dict(zip(chosen.tolist(), pieces, strict=True))
        self._cut += sum(len(column.cut) for column in columns)
        for place, (number, cells) in enumerate(zip(numbers, old, strict=True)):
            content = cells + new.get(place, b"")
            if content:
                yield b'<row r="%d">%b</row>' % (number, content)


def _lists(batch: list[TextRow]) -> pa.Array:
    try:
        return pa.array([texts for _, texts in batch], pa.list_(pa.string()))
    except (UnicodeEncodeError, pa.ArrowInvalid):
        return pa.array([text_column(texts).to_pylist() for _, texts in batch], pa.list_(pa.string()))


def _skeleton(sheet_name: str, header_row: int, sheet: _Sheet) -> Iterator[tuple[str, bytes]]:
    """Yield the members of an empty workbook, the sheet's with a mark where the rows go."""
    book = Workbook()
    page = book.worksheets[0]
    page.title = sheet_name.translate(_TITLE_FORBIDDEN).strip("'")[:_MAX_TITLE] or "Sheet1"
    page["A1"].font = Font(bold=True)
    if header_row:
        page.freeze_panes = f"A{header_row + 1}"
    for column, width in sheet.widths():
        page.column_dimensions[letters_of(column)].width = width
    saved = io.BytesIO()
    book.save(saved)
    with zipfile.ZipFile(saved) as made:
        for name in made.namelist():
            data = made.read(name)
            if name == "docProps/core.xml":  # openpyxl writes the time of saving
                data = _TIME.sub(_NO_TIME, data)
            elif name == "xl/worksheets/sheet1.xml":
                data = _ROWS.sub(_ROWS_MARK, data)
                data = _DIMENSION.sub(f'<dimension ref="{sheet.area()}"'.encode(), data)
            yield name, data


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _DATE)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member
