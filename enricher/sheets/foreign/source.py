"""A table of a file that is only read: the Source of every kind whose tables stand in a spool.

Owns the two passes over a spool. Knows no file format: who fills the spool says what the file is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pyarrow as pa

from enricher.cells import Batch, Cells, Preview
from enricher.errors import OutputError
from enricher.sheets.grid import CellKind, Grid, GridColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from enricher.cells import Additions
    from enricher.sheets.foreign.spool import Column, SpoolReader, TableEntry
    from enricher.sheets.stamp import Stamp


@dataclass(frozen=True, slots=True)
class Book:
    """What the tables of one file share. `words` say what the file is and end with what a table of it is called."""

    path: Path
    stamp: Stamp
    spool: SpoolReader
    words: str


class SpooledTable:
    """One table: the rows with a value, numbered as the user's program shows them; rows without one are left out."""

    def __init__(self, book: Book, entry: TableEntry) -> None:
        self._book = book
        self._entry = entry

    @property
    def path(self) -> Path:
        """The file."""
        return self._book.path

    @property
    def sheet(self) -> str:
        """The worksheet's name, or the table's number on a page."""
        return self._entry.name

    @property
    def hidden(self) -> bool:
        """Whether the workbook hides the sheet."""
        return self._entry.hidden

    @property
    def description(self) -> str:
        """How the file is read, in words."""
        return f"{self._book.words} '{self.sheet}'"

    def preview(self, rows: int) -> Preview:
        """Return the first rows, with every column up to the widest of them. Raises InputError."""
        self._book.stamp.check()
        numbers: list[int] = []
        pieces: list[dict[int, Cells]] = []
        for block in self._entry.blocks:
            if len(numbers) >= rows:
                break
            found, columns = self._book.spool.read(block)
            count = min(rows - len(numbers), len(found))
            numbers += found["n"][:count].to_pylist()
            pieces.append({at: _cells(column, slice(0, count), count) for at, column in columns.items()})
            pieces[-1][-1] = _blank(count)  # stands for every column without a value
        # A column is there when one of these rows has a value in it; later rows may have more.
        places = sorted({at for piece in pieces for at, cells in piece.items() if _shows(cells)})
        columns_of = {at: Cells.joined([piece.get(at, piece[-1]) for piece in pieces]) for at in places}
        blank = _blank(len(numbers))
        width = places[-1] + 1 if places else 0
        return Preview(tuple(columns_of.get(at, blank) for at in range(width)), tuple(numbers))

    def batches(self, header_row: int, columns: Sequence[int]) -> Iterator[Batch]:
        """Read the data rows, only the columns asked for. Raises InputError."""
        self._book.stamp.check()
        blocks = self._entry.blocks
        for done, block in enumerate(blocks, 1):
            if block.last_row <= header_row:
                continue
            found, texts = self._book.spool.read(block, columns)
            numbers: npt.NDArray[np.int64] = found["n"].to_numpy()
            rows = slice(int(np.searchsorted(numbers, header_row, side="right")), None)
            numbers = numbers[rows]
            count = len(numbers)
            cells = (_cells(texts[at], rows, count) if at in texts else _blank(count) for at in columns)
            yield Batch(tuple(cells), np.zeros(count, np.bool_), numbers, done / len(blocks))

    def grids(self) -> Iterator[Grid]:
        """Read every row with all its columns. Raises InputError."""
        self._book.stamp.check()
        for block in self._entry.blocks:
            found, columns = self._book.spool.read(block)
            nothing = GridColumn(_blank(len(found)).text)
            yield Grid(
                found["n"].to_numpy(),
                tuple(_seen(columns[at]) if at in columns else nothing for at in range(block.width)),
            )

    def check(self, header_row: int, schema: pa.Schema) -> None:
        """Nothing: such a file is never written."""

    def write(  # a protocol's parameters
        self,
        target: Path,  # noqa: ARG002
        header_row: int,  # noqa: ARG002
        additions: Additions,  # noqa: ARG002
        tick: Callable[[int], None],  # noqa: ARG002
    ) -> NoReturn:
        """Raise OutputError: such a file is only read."""
        raise OutputError(
            f"{self.path.name}: files of this kind are read, but not written. "
            f"Call the output {self.path.stem}.enriched.xlsx, or .csv: -o {self.path.stem}.enriched.xlsx"
        )


def _cells(column: Column, rows: slice, count: int) -> Cells:
    nothing = np.zeros(count, np.uint8)
    numeric = np.zeros(count, np.bool_) if column.kinds is None else column.kinds[rows] == CellKind.NUMBER
    return Cells(column.text[rows], numeric, nothing if column.zeros is None else column.zeros[rows])


def _blank(count: int) -> Cells:
    return Cells(pa.array([""] * count, pa.string()), np.zeros(count, np.bool_), np.zeros(count, np.uint8))


def _shows(cells: Cells) -> bool:
    return any(text != "" for text in cells.text.to_pylist())


def _seen(column: Column) -> GridColumn:
    """Give the numbers their zeros; they are texts then, or the next program would take the zeros away."""
    if column.zeros is None:
        return GridColumn(column.text, column.kinds)
    kinds = np.zeros(len(column.text), np.uint8) if column.kinds is None else column.kinds.copy()
    texts = column.text.to_pylist()
    for at in np.flatnonzero(column.zeros > 1):
        if texts[at].isdigit() and len(texts[at]) < column.zeros[at]:
            texts[at] = texts[at].zfill(int(column.zeros[at]))
            kinds[at] = CellKind.TEXT
    return GridColumn(pa.array(texts, pa.string()), kinds)
