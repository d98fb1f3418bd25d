"""A JSON file parsed once: its names, and its values on disk as columns, to be read as often as is asked.

Owns the way from objects to columns, and the temporary file. Texts are made in `objects`.
"""

from __future__ import annotations

import tempfile
import weakref
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from enricher.errors import InputError, OutputError
from enricher.sheets.grid import CellKind, GridColumn
from enricher.sheets.jsonl.objects import Members, ObjectError, column_of, members_of, whole
from enricher.sheets.jsonl.records import records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

MAX_NAMES = 4096
_BATCH_ROWS = 10_000
_BATCH_CELLS = 1_000_000
_BATCH_BYTES = 16 * 1024 * 1024
_EMPTY = "empty"
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")


class ParsedTable:
    """All rows of a JSON file: every line, or every element of the array.

    `names` are those of all objects, in the order in which they first appear. Raises InputError for a file that is
    none, OutputError where the temporary folder is full.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Without a buffer: what a full disk left in one would be written again, and fail again, as the program ends.
        self._spool: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it lives as long as this
        weakref.finalize(self, self._spool.close)
        self._places: dict[str, int] = {}
        self._starts: list[tuple[int, int]] = []
        self.rows = 0
        self.is_array = False
        self._parse()
        self.names = [whole(name) for name in self._places]

    def batches(self, columns: Sequence[int]) -> Iterator[tuple[npt.NDArray[np.bool_], list[GridColumn]]]:
        """Read the columns asked for, and which rows are blank lines."""
        for start, rows in self._starts:
            self._spool.seek(start)
            with pa.ipc.open_stream(self._spool) as stream:
                batch = stream.read_next_batch()
            places = {name: at for at, name in enumerate(batch.schema.names)}
            made = []
            for column in columns:
                at, kinds = places.get(str(column)), places.get(f"{column} kinds")
                text = pa.nulls(rows, pa.string()) if at is None else batch.column(at)
                made.append(GridColumn(text, None if kinds is None else batch.column(kinds).to_numpy()))
            yield batch.column(places[_EMPTY]).to_numpy(zero_copy_only=False), made

    def _parse(self) -> None:
        lines: list[Members | None] = []
        names: dict[str, None] = {}
        size_bytes = 0
        for at, record in enumerate(records(self._path)):
            if at == 0:  # at once, since the first error has to name an object or a line
                self.is_array = b"[" in record.before
            if not record.number:
                continue
            members: Members | None = None
            if record.body:
                try:
                    members = members_of(record.body)
                except ObjectError as error:
                    raise InputError(f"{self._path.name}, {self._row(record.number)}: {error}") from None
                if not members.keys() <= names.keys():
                    names.update(dict.fromkeys(members))
                    self._learn(members, record.number)
            lines.append(members)
            size_bytes += len(record.body)
            is_full = len(lines) >= _BATCH_ROWS or len(lines) * len(names) >= _BATCH_CELLS
            if is_full or size_bytes >= _BATCH_BYTES:
                self._put(lines, list(names))
                lines, names, size_bytes = [], {}, 0
        if lines:
            self._put(lines, list(names))

    def _learn(self, members: Members, number: int) -> None:
        for name in members:
            self._places.setdefault(name, len(self._places))
        if len(self._places) > MAX_NAMES:
            raise InputError(
                f"{self._path.name}, {self._row(number)}: by now there are more than {MAX_NAMES:,} different names, so "
                "they are no names of columns. Save it with the same names in every object and use that"
            )

    def _put(self, lines: list[Members | None], names: list[str]) -> None:
        """Write some rows to disk, with the columns that they have."""
        held: dict[str, tuple[list[int], list[Any]]] = {name: ([], []) for name in names}
        for row, members in enumerate(lines):  # not every name in every row: there may be thousands of rare ones
            for name, value in (members or {}).items():
                rows, values = held[name]
                rows.append(row)
                values.append(value)
        arrays: dict[str, pa.Array] = {_EMPTY: pa.array([line is None for line in lines], pa.bool_())}
        for name, (rows, values) in held.items():
            place = self._places[name]
            try:
                column = _spread(column_of(values), rows, len(lines))
            except ObjectError as error:
                first, last = self.rows + 1, self.rows + len(lines)
                where = f"between {self._row(first)} and {self._row(last)}, {name!r}"
                raise InputError(f"{self._path.name}, {where}: {error}") from None
            arrays[str(place)] = column.text
            if column.kinds is not None:
                arrays[f"{place} kinds"] = pa.array(column.kinds)
        batch = pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema, options=_COMPRESSED) as stream:
            stream.write_batch(batch)
        self._keep(memoryview(sink.getvalue()), len(lines))
        self.rows += len(lines)

    def _keep(self, data: memoryview, rows: int) -> None:
        """Append the bytes of some rows to the temporary file. Raises OutputError."""
        self._starts.append((self._spool.seek(0, 2), rows))
        try:
            while data:
                data = data[self._spool.write(data) :]
        except OSError as error:
            raise OutputError(
                f"{tempfile.gettempdir()}: {self._path.name} is unpacked there, which fails ({error.strerror}). "
                "Free some space and run again"
            ) from None

    def _row(self, number: int) -> str:
        return f"{'object' if self.is_array else 'line'} {number:,}"


def _spread(column: GridColumn, rows: Sequence[int], count: int) -> GridColumn:
    """Put values into the rows that they are of; the other ones of `count` rows have nothing."""
    if len(rows) == count:
        return column
    index = np.full(count, -1, np.int32)
    index[rows] = np.arange(len(rows), dtype=np.int32)
    text = column.text.take(pa.array(index, mask=index < 0))
    if column.kinds is None:
        return GridColumn(text)
    kinds = np.full(count, CellKind.TEXT, np.uint8)
    kinds[rows] = column.kinds
    return GridColumn(text, kinds)
