"""CSV, TSV and the like: every original byte goes through as it is; new fields are appended to each record.

Owns what a text file is as a Source. Where its records and fields are, `blocks` knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from enricher.cells import Batch, Cells, Preview
from enricher.errors import InputError
from enricher.sheets.csv.append import Appender, Widths
from enricher.sheets.csv.blocks import blocks
from enricher.sheets.csv.dialect import Dialect, detect
from enricher.sheets.csv.feed import Feed
from enricher.sheets.csv.render import Renderer
from enricher.sheets.grid import Grid, GridColumn
from enricher.sheets.names import unique_names
from enricher.sheets.stamp import Stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from enricher.cells import Additions
    from enricher.sheets.csv.blocks import Block

_BLOCK_BYTES = 1024 * 1024
_PREVIEW_BLOCK_BYTES = 256 * 1024
_GRID_ROWS = 20_000
_GRID_CELLS = 4_000_000
_MAX_FIELDS = 16_384
_NO_WIDTHS = Widths(0, 0)
_ALL = slice(None)


class CsvSource:
    """A text file as a Source. Row numbers count records, so that a field with a line break doesn't shift them."""

    sheet = None
    hidden = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp = Stamp(path)
        self.dialect: Dialect = detect(path)
        self._widths: Widths | None = None

    @property
    def description(self) -> str:
        return self.dialect.description

    def preview(self, rows: int) -> Preview:
        parts: list[list[pa.StringArray]] = []
        numbers: list[int] = []
        for part in self._parts(_PREVIEW_BLOCK_BYTES):
            held = np.flatnonzero(~part.block.empty)[: rows - len(numbers)]
            width = int(self._widths_of(part)[held].max(initial=0))
            parts.append([part.block.column(at, _ALL).take(pa.array(held)) for at in range(width)])
            numbers += part.numbers[held].tolist()
            if len(numbers) >= rows:
                break
        return Preview(tuple(map(_cells, _stacked(parts))), tuple(numbers))

    def batches(self, header_row: int, columns: Sequence[int]) -> Iterator[Batch]:
        widths = _NO_WIDTHS
        for part in self._parts():
            widths = widths.and_of(self._widths_of(part))
            rows = slice(part.data_start(header_row), None)
            numbers = part.numbers[rows]
            if len(numbers):
                cells = tuple(_cells(part.block.column(at, rows)) for at in columns)
                yield Batch(cells, part.block.empty[rows], numbers, part.share_read)
        self._widths = widths

    def grids(self) -> Iterator[Grid]:
        for part in self._parts():
            widths = self._widths_of(part)
            step = max(1, min(_GRID_ROWS, _GRID_CELLS // max(1, int(widths.max()))))
            for start in range(0, len(part), step):
                rows = slice(start, start + step)
                columns = (part.block.column(at, rows) for at in range(int(widths[rows].max())))
                yield Grid(part.numbers[rows], tuple(map(GridColumn, columns)))

    def check(self, header_row: int, schema: pa.Schema) -> None:
        """Nothing: a text file takes any columns."""

    def write(self, target: Path, header_row: int, additions: Additions, tick: Callable[[int], None]) -> list[str]:
        if self._widths is None:
            for _ in self.batches(header_row, []):
                pass
        renderer = Renderer(self.dialect, additions, target.parent)
        done = 0
        with target.open("wb") as file:
            out = Appender(file, self.dialect, renderer, self._widths or _NO_WIDTHS)
            for part in self._parts():
                block, first, at = part.block, part.data_start(header_row), 0
                if part.first <= header_row:
                    at = int(block.ends[first - 1])
                    out.through(block.data[:at])
                if part.first <= header_row < part.first + len(part):
                    names = _fields(block, first - 1)
                    if names:
                        out.header(len(names), renderer.header(unique_names(names, additions.names)))
                index = additions.index[done : done + len(part) - first]
                if len(index) < len(part) - first:
                    break  # the file grew, and the stamp says so
                out.rows(block, first, at, index)
                done += len(index)
                tick(len(index))
        self._stamp.check()
        if done != len(additions.index):
            raise ValueError(f"{len(additions.index)} rows have additions, and {done} were read")
        return renderer.warnings()

    def _widths_of(self, part: _Part) -> npt.NDArray[np.int64]:
        """Return the records' widths. Raises InputError for one that is no row of a table."""
        widths = part.block.widths
        widest = int(widths.argmax())
        if widths[widest] > _MAX_FIELDS:
            raise InputError(
                f"{self.path.name}, row {part.first + widest}: it has {widths[widest]:,} fields, and no spreadsheet "
                f"has more than {_MAX_FIELDS:,} columns. Is it one row? Put it right, and run again"
            )
        return widths

    def _parts(self, block_bytes: int = _BLOCK_BYTES) -> Iterator[_Part]:
        self._stamp.check()
        size_bytes = max(1, self.path.stat().st_size)
        first = 1
        with self.path.open("rb") as file:
            for block in blocks(Feed(file, self.dialect, block_bytes, self.path.name)):
                yield _Part(block, first, min(1.0, file.tell() / size_bytes))
                first += len(block.starts)


@dataclass(frozen=True, slots=True)
class _Part:
    """A block, the number of its first record, and how much of the file has been read by now."""

    block: Block
    first: int
    share_read: float

    def __len__(self) -> int:
        return len(self.block.starts)

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        return np.arange(self.first, self.first + len(self), dtype=np.int64)

    def data_start(self, header_row: int) -> int:
        """Return the place of the first record below the header; the block's length if all are above."""
        return min(max(0, header_row + 1 - self.first), len(self))


def _fields(block: Block, at: int) -> list[str]:
    """Return the texts of one record."""
    return [block.column(field, slice(at, at + 1))[0].as_py() for field in range(block.widths[at])]


def _stacked(parts: Sequence[Sequence[pa.StringArray]]) -> Iterator[pa.StringArray]:
    """Put columns of several blocks under each other; a narrower block has nulls at the right."""
    for at in range(max(map(len, parts), default=0)):
        held = [part[at] if at < len(part) else pa.nulls(len(part[0]), pa.string()) for part in parts if part]
        yield pa.concat_arrays(held)


def _cells(text: pa.StringArray) -> Cells:
    return Cells(text, np.zeros(len(text), np.bool_), np.zeros(len(text), np.uint8))
