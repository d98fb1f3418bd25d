"""A new workbook from a table of any kind: the way from CSV to Excel.

Owns the look of such a workbook: bold header, frozen above the data, widths by content. openpyxl makes everything
but the rows; those are streamed through the same encoder as a splice, each cell as what it is.
"""

from __future__ import annotations

import io
import re
import zipfile
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from openpyxl import Workbook
from openpyxl.styles import Font

from enricher.errors import OutputError
from enricher.sheets.grid import Extent, to_last_row
from enricher.sheets.names import unique_names
from enricher.sheets.xlsx.cells.cell_kinds import BOLD, FORMATS, nothing_of, tails_by_kind
from enricher.sheets.xlsx.cells.encoder import (
    LARGE,
    MARKUP_BYTES,
    cell,
    cut_notes,
    grown_bytes,
    joined_rows,
    row_pieces,
    tails_of,
    text_tail,
)
from enricher.sheets.xlsx.cells.references import MAX_COLUMNS, MAX_ROWS, letters_of
from enricher.sheets.xlsx.opc.copying import deflated
from enricher.sheets.xlsx.opc.package import SURELY_PLAIN_BYTES
from enricher.sheets.xlsx.write.placement import width_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from enricher.cells import Additions
    from enricher.sheets.grid import Grid
    from enricher.sheets.xlsx.cells.encoder import Tails

_BATCH_ROWS = 5_000
"""Rows encoded at once: their cells are in memory several times over."""
_MIN_WIDTH, _MAX_WIDTH = 9, 50
_DATE = (1980, 1, 1, 0, 0, 0)  # the zero of a zip; the same rows give the same bytes
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_NO_TIME = b"2000-01-01T00:00:00Z"
_ROWS = re.compile(rb"<sheetData>.*</sheetData>", re.DOTALL)
_ROWS_MARK = b"<!-- rows -->"
_DIMENSION = re.compile(rb'<dimension ref="[^"]*"')
_MAX_TITLE = 31
_TITLE_FORBIDDEN = str.maketrans("[]:*?/\\", "-------")


def write_new_workbook(  # noqa: PLR0913, PLR0917 - the six things a workbook is made of
    target: Path,
    sheet_name: str,
    grids: Callable[[], Iterable[Grid]],
    header_row: int,
    additions: Additions,
    tick: Callable[[int], None],
) -> list[str]:
    """Write a table and the new columns, right of its widest row, as a new workbook.

    `grids` is called twice: the columns' place is known only after the widest row. `additions.index` has one element a
    row below the header; rows after its end get nothing. Returns what the user should know. Raises OutputError when
    the rows don't fit a worksheet, OSError; the target is of no use then.
    """
    extent = Extent.of(grids())
    rows = _Rows(extent, header_row, additions)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in _skeleton(sheet_name, rows):
            before, mark, after = data.partition(_ROWS_MARK)
            large = rows.estimated_bytes > SURELY_PLAIN_BYTES
            with out.open(deflated(zipfile.ZipInfo(name, _DATE)), "w", force_zip64=bool(mark) and large) as part:
                part.write(before)
                if mark:
                    for piece in rows.xml(to_last_row(grids(), extent), tick):
                        part.write(piece)
                    part.write(after)
    return rows.notes()


class _Rows:
    """The rows of the sheet: which row of the table is which of the sheet, and where the new columns are.

    Raises OutputError when they don't fit a worksheet.
    """

    def __init__(self, extent: Extent, header_row: int, additions: Additions) -> None:
        self._extent = extent
        self._header_row = header_row
        self._index = additions.index
        self._columns = additions.columns()
        self._names = additions.names
        self._shift = 1 if extent.first_row == 0 else 0  # a row of names that the format knows becomes row 1
        self._cut = 0
        self.sheet_header_row = header_row + self._shift
        cells = extent.width * extent.rows
        self.estimated_bytes = extent.text_bytes + cells * MARKUP_BYTES + grown_bytes(additions)
        if extent.width + len(self._names) > MAX_COLUMNS:
            raise OutputError(
                f"{extent.width} columns and {len(self._names)} new ones are more than the {MAX_COLUMNS:,} of a "
                "worksheet. Write CSV instead: give the output the ending .csv."
            )
        if extent.last_row + self._shift > MAX_ROWS:
            raise OutputError(
                f"A worksheet ends at row {MAX_ROWS:,} and the input has more. "
                "Write CSV instead: give the output the ending .csv."
            )

    def xml(self, grids: Iterable[Grid], tick: Callable[[int], None]) -> Iterator[bytes | memoryview]:
        """Write the rows; `tick` hears how many more data rows are done."""
        yield b"<sheetData>"
        done = 0
        for grid in grids:
            header = int(np.searchsorted(grid.numbers, self._header_row, side="right"))
            if header and grid.numbers[header - 1] == self._header_row:
                yield from self._data(grid.rows(0, header - 1), np.full(header - 1, -1, np.int32))
                yield self._header(grid.texts_of(header - 1))
            elif header:
                yield from self._data(grid.rows(0, header), np.full(header, -1, np.int32))
            for start in range(header, len(grid), _BATCH_ROWS):
                some = grid.rows(start, min(start + _BATCH_ROWS, len(grid)))
                yield from self._data(some, self._index[done : done + len(some)])
                done += len(some)
                tick(len(some))
        yield b"</sheetData>"

    def notes(self) -> list[str]:
        """Return what the user should know."""
        return cut_notes(self._cut)

    def widths(self) -> Iterator[tuple[int, int]]:
        """Yield column and width: of the originals by their first rows, of the new ones by their kind."""
        for column, width in sorted(self._extent.widths.items()):
            yield column, min(max(width + 2, _MIN_WIDTH), _MAX_WIDTH)
        for place, (name, column) in enumerate(zip(self._names, self._columns, strict=True)):
            yield self._extent.width + place, width_of(name, column.type)

    def area(self) -> str:
        """Return the used area."""
        right = max(0, self._extent.width + len(self._names) - 1)
        return f"A1:{letters_of(right)}{max(1, self._extent.last_row + self._shift)}"

    def _header(self, texts: list[str]) -> bytes:
        names = unique_names(texts, self._names)
        cells = chain(enumerate(texts), enumerate(names, self._extent.width))
        row = self.sheet_header_row
        xml = "".join(cell(column, row, BOLD, text_tail(text)[0]) for column, text in cells if text)
        return f'<row r="{row}">{xml}</row>'.encode()

    def _data(self, grid: Grid, index: npt.NDArray[np.int32]) -> Iterator[bytes | memoryview]:
        """Write some rows, those that show nothing left out; `index` may be shorter than they are."""
        if not len(grid):
            return
        columns = [tails_by_kind(column) for column in grid.columns]
        if (index >= 0).any():
            columns += [nothing_of(len(grid))] * (self._extent.width - len(columns))
            padded = np.full(len(grid), -1, np.int32)
            padded[: len(index)] = index
            taken = pa.array(padded, mask=padded < 0)
            columns += [tails_of(column.take(taken)) for column in self._columns]
        self._cut += sum(len(column.cut) for column in columns)
        yield _joined(grid.numbers + self._shift, [column.tails for column in columns])


def _joined(numbers: npt.NDArray[np.int64], columns: Sequence[Tails]) -> memoryview | bytes:
    """Join the tails of all columns, from A on, to whole rows one after another; rows without a cell are left out."""
    has_cell = np.zeros(len(numbers), np.bool_)
    for tails in columns:
        has_cell |= tails.is_valid().to_numpy(zero_copy_only=False)
    if not has_cell.any():
        return b""
    kept = pa.array(has_cell)
    texts = pa.array(numbers[has_cell]).cast(LARGE)
    opening, middle, closing = (pa.scalar(mark, LARGE) for mark in ('<row r="', '">', "</row>"))
    cells = row_pieces(0, numbers[has_cell], [tails.filter(kept) for tails in columns])
    rows = joined_rows([opening, texts, middle, *cells, closing])
    ends = np.frombuffer(rows.buffers()[1], np.int64)
    return memoryview(rows.buffers()[2])[: ends[len(rows)]]


def _skeleton(sheet_name: str, rows: _Rows) -> Iterator[tuple[str, bytes]]:
    """Yield the members of an empty workbook, the sheet's with a mark where the rows go."""
    book = Workbook()
    page = book.worksheets[0]
    page.title = sheet_name.translate(_TITLE_FORBIDDEN).strip("'")[:_MAX_TITLE] or "Sheet1"
    page["A1"].font = Font(bold=True)
    for at, code in enumerate(FORMATS.values(), 2):
        page[f"A{at}"].number_format = code
    if rows.sheet_header_row:
        page.freeze_panes = f"A{rows.sheet_header_row + 1}"
    for column, width in rows.widths():
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
                data = _DIMENSION.sub(f'<dimension ref="{rows.area()}"'.encode(), data)
            yield name, data
