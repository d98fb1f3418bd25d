"""Tables read once and kept in a temporary file, as blocks of Arrow columns; the file vanishes with the process.

Owns the layout of that file and the bound on what is in memory. Knows no spreadsheet: its words are row, column, text.
"""

from __future__ import annotations

import json
import struct
import threading
import weakref
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from enricher.sheets.grid import CellKind

MAX_CELLS = 200_000
"""Cells of a block: a few thousand rows of an ordinary sheet, a dozen of the widest."""
_MAX_BLOCK_CHARS = 8 << 20
_END = struct.Struct("<Q8s")
_MAGIC = b"ENRSPOOL"
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a block; no text is null.

    `kinds` (None: all texts) are CellKinds. `zeros` (None: none) are the widths of formats of nothing but zeros.
    """

    text: pa.StringArray
    kinds: npt.NDArray[np.uint8] | None = None
    zeros: npt.NDArray[np.uint8] | None = None


class Block(NamedTuple):
    """Where some consecutive rows stand in the file."""

    offset: int
    size_bytes: int
    last_row: int
    width: int


@dataclass(slots=True)
class TableEntry:
    """A table of the spool: its rows are in the blocks; rows without a value are in none. `width` is of the widest."""

    name: str
    hidden: bool = False
    rows: int = 0
    blocks: list[Block] = field(default_factory=list)

    @property
    def width(self) -> int:
        """The number of columns up to the last with a value."""
        return max((block.width for block in self.blocks), default=0)


class SpoolWriter:
    """Appends blocks of any number of tables to a binary file. Raises OSError."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._offset = 0

    def add_block(self, table: TableEntry, numbers: npt.NDArray[np.int64], columns: Mapping[int, Column]) -> None:
        """Append rows, each with a value, numbered from 1; only columns with a value, by their place."""
        arrays: dict[str, pa.Array] = {"n": pa.array(numbers)}
        for at, column in columns.items():
            arrays[f"t{at}"] = column.text
            if column.kinds is not None:
                arrays[f"k{at}"] = pa.array(column.kinds)
            if column.zeros is not None:
                arrays[f"z{at}"] = pa.array(column.zeros)
        batch = pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema, options=_OPTIONS) as writer:
            writer.write_batch(batch)
        data = sink.getvalue()
        self._file.write(data)
        table.blocks.append(Block(self._offset, data.size, int(numbers[-1]), max(columns) + 1))
        table.rows += len(numbers)
        self._offset += data.size

    def finish(self, footer: Mapping[str, object]) -> None:
        """Append what another process should know, as JSON; `read_footer` gives it back."""
        data = json.dumps(footer).encode()
        self._file.write(data + _END.pack(len(data), _MAGIC))
        self._file.flush()


def read_footer(file: IO[bytes]) -> dict[str, object] | None:
    """Return what `finish` was given; None where the file was never finished."""
    end = file.seek(0, 2)
    if end < _END.size:
        return None
    file.seek(end - _END.size)
    size, magic = _END.unpack(file.read(_END.size))
    if magic != _MAGIC or size > end - _END.size:
        return None
    file.seek(end - _END.size - size)
    found: dict[str, object] = json.loads(file.read(size))
    return found


class SpoolReader:
    """Gives the blocks of a spool back, in any order, to any number of passes at once; the file goes with it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._lock = threading.Lock()
        weakref.finalize(self, file.close)

    def read(self, block: Block, columns: Sequence[int] | None = None) -> tuple[pa.RecordBatch, dict[int, Column]]:
        """Return a block's row numbers (one column, "n") and those of its columns that were asked for (None: all)."""
        with self._lock:
            self._file.seek(block.offset)
            data = pa.py_buffer(self._file.read(block.size_bytes))
        options = pa.ipc.IpcReadOptions()
        if columns is not None:
            wanted = {f"{part}{column}" for column in columns for part in "tkz"} | {"n"}
            names = pa.ipc.read_schema(data).names
            options = pa.ipc.IpcReadOptions(included_fields=[at for at, name in enumerate(names) if name in wanted])
        with pa.ipc.open_stream(data, options=options) as reader:
            batch = reader.read_next_batch()
        found = {
            int(name[1:]): Column(batch[name], _bytes_of(batch, f"k{name[1:]}"), _bytes_of(batch, f"z{name[1:]}"))
            for name in batch.schema.names
            if name.startswith("t")
        }
        return batch.select(["n"]), found


def _bytes_of(batch: pa.RecordBatch, name: str) -> npt.NDArray[np.uint8] | None:
    return batch[name].to_numpy() if name in batch.schema.names else None


class RowCollector:
    """Turns rows that come one by one into blocks of one table."""

    def __init__(self, writer: SpoolWriter, table: TableEntry) -> None:
        self.table = table
        self._writer = writer
        self._numbers: list[int] = []
        self._cells: dict[int, list[tuple[int, str, int, int]]] = {}
        self._filled = self._chars = 0

    def add(self, number: int, cells: Sequence[tuple[int, str, CellKind, int]]) -> None:
        """Take a row: (column, text, kind, zeros) of each cell with a value. A row without one is nothing."""
        if not cells:
            return
        for column, text, kind, zeros in cells:
            self._cells.setdefault(column, []).append((len(self._numbers), text, kind, zeros))
            self._chars += len(text)
        self._numbers.append(number)
        self._filled += len(cells)
        # Arrays are dense: a few columns more in each row would make them large.
        if self._chars > _MAX_BLOCK_CHARS or max(self._filled, len(self._numbers) * len(self._cells)) > MAX_CELLS:
            self.flush()

    @property
    def count(self) -> int:
        """The rows so far, written and not."""
        return self.table.rows + len(self._numbers)

    def flush(self) -> None:
        """Write what has been collected."""
        if not self._numbers:
            return
        count = len(self._numbers)
        columns = {column: _column_of(cells, count) for column, cells in sorted(self._cells.items())}
        self._writer.add_block(self.table, np.array(self._numbers, np.int64), columns)
        self._numbers, self._cells = [], {}
        self._filled = self._chars = 0


def _column_of(cells: Sequence[tuple[int, str, int, int]], count: int) -> Column:
    texts = [""] * count
    kinds, widths = np.zeros(count, np.uint8), np.zeros(count, np.uint8)
    for at, text, kind, zeros in cells:
        texts[at] = text
        if kind:
            kinds[at] = kind
        if zeros:
            widths[at] = zeros
    return Column(text_array(texts), kinds if kinds.any() else None, widths if widths.any() else None)


def text_array(texts: Sequence[str]) -> pa.StringArray:
    """Make an array of texts; a lone surrogate, which UTF-8 can't hold, becomes U+FFFD."""
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        return pa.array([text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts])
