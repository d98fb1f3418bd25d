"""A parquet file as batches in bounded memory: opened with its checksums verified, refused by name where it can't be.

Owns what damage, encryption and hostile sizes look like. Knows nothing of codes or new columns.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from enricher.errors import InputError
from enricher.sheets.stamp import Stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BATCH_ROWS = 20_000
_BATCH_CELLS = 1_000_000
"""Put into words, a batch of the widest table would take gigabytes."""
_BATCH_BYTES = 64 * 1024 * 1024
_MOST_COLUMNS = 16_384
_MANY_ROWS = 10_000_000
_ROWS_IN_BYTE = 64
_MOST_ROWS = 2**31 - 1
_LARGE_GROUP_BYTES = 128 * 1024 * 1024
_MOST_GROUP_RATIO = 250
"""A page is unpacked whole, so what a small file may unpack to has to fit into memory."""
_LARGE_TEXT_BYTES = 1024**3
_MOST_TEXT_RATIO = 1000
"""Texts named by number are written out in parts: they take time only."""
_OLD_TIMES_UNIT = "us"
"""Parquet's old form of times holds any year, which nanoseconds don't: 9999-12-31 would come out as a day of 1816."""
_WAY_OUT = "Export it again, or save it as CSV and use that"


def is_parquet(start: bytes) -> bool:
    """Say whether a file that starts so is parquet; the second mark is of one that is encrypted as a whole."""
    return start.startswith((b"PAR1", b"PARE"))


class ParquetTable:
    """The one table of a parquet file. Raises InputError for a file that can't be read, now or while it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp = Stamp(path)
        self._size_bytes = path.stat().st_size
        with path.open("rb") as raw:
            if raw.read(4) == b"PARE":
                raise InputError(_encrypted(path.name))
        with blamed_on(path.name), pq.ParquetFile(path, coerce_int96_timestamp_unit=_OLD_TIMES_UNIT) as file:
            self.metadata: pq.FileMetaData = file.metadata
            self.schema: pa.Schema = file.schema_arrow
            self.names: list[str] = list(self.schema.names)
            self._alike = Counter(start for name in self.names for start in {name, name.partition(".")[0]})
            groups = [self.metadata.row_group(at) for at in range(self.metadata.num_row_groups)]
            self.group_rows: list[int] = [group.num_rows for group in groups]
            self.rows = sum(self.group_rows)
            self.groups: list[pq.RowGroupMetaData] = [group for group in groups if group.num_rows]
            self._check_size()
        with blamed_on(path.name):
            self._numbered: list[str] = self._numbered_texts()

    def check_unchanged(self) -> None:
        """Raise InputError where the file is no longer the one that was opened."""
        self._stamp.check()

    def batches(self, columns: Sequence[int] | None = None) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yield (row group, batch): all columns with the types the file gives them, or the ones asked for, in order.

        Raises InputError.
        """
        if columns is not None and not columns:
            yield from self._only_counted()
            return
        self._stamp.check()
        wanted = self._selection(columns)
        rows = max(1, min(BATCH_ROWS, _BATCH_CELLS // len(wanted or self.names)))
        unpacked: dict[str, int] = {}
        with blamed_on(self.path.name), self._open(self._numbered) as file:
            for group in range(len(self.group_rows)):
                seen = 0
                for batch in file.iter_batches(rows, row_groups=[group], columns=wanted, use_threads=False):
                    seen += len(batch)
                    for part in self._bounded(batch, unpacked):
                        whole = self._as_declared(part)
                        yield group, whole if columns is None else whole.select(_places(whole, self.names, columns))
                if seen != self.group_rows[group]:
                    raise InputError(f"{self.path.name} is damaged: it lacks rows that it says it has. {_WAY_OUT}")

    def _only_counted(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        for group, rows in enumerate(self.group_rows):
            for start in range(0, rows, BATCH_ROWS):
                count = min(BATCH_ROWS, rows - start)
                yield group, pa.RecordBatch.from_struct_array(pa.array([{}] * count, pa.struct([])))

    def _selection(self, columns: Sequence[int] | None) -> list[str] | None:
        """Name the columns to Arrow; None for all, as where a name or a dot in it could mean several."""
        if columns is None:
            return None
        names = [self.names[at] for at in columns]
        return list(dict.fromkeys(names)) if all(map(self._is_unmistakable, names)) else None

    def _is_unmistakable(self, name: str) -> bool:
        """Say whether the name stands for one column only: Arrow takes a dot in it for a way into a struct."""
        return bool(name) and "." not in name and self._alike[name] == 1

    def _numbered_texts(self) -> list[str]:
        """Find the columns that name long texts by number: a few bytes of them may stand for gigabytes.

        Reading a row of each group tells, since it brings the whole list of numbered texts. It has to be done anyway:
        asked what it says of a column, a damaged footer ends the process, while in reading it is only an error.
        """
        plain = [field.name for field in self.schema if _is_text(field.type) and self._is_unmistakable(field.name)]
        longest = dict.fromkeys(plain, 0)
        with self._open(plain) as file:
            for at in range(len(self.group_rows)):
                for batch in islice(file.iter_batches(1, row_groups=[at], use_threads=False), 1):
                    for name in plain:
                        lengths = pc.binary_length(batch.column(name).dictionary)
                        longest[name] = max(longest[name], pc.max(lengths).as_py() or 0)
        return [name for name in plain if longest[name] * BATCH_ROWS > _BATCH_BYTES]

    def _open(self, numbered: list[str]) -> pq.ParquetFile:
        return pq.ParquetFile(
            self.path,
            page_checksum_verification=True,
            read_dictionary=numbered,
            coerce_int96_timestamp_unit=_OLD_TIMES_UNIT,
            pre_buffer=False,
        )

    def _bounded(self, batch: pa.RecordBatch, unpacked: dict[str, int]) -> Iterator[pa.RecordBatch]:
        """Cut a batch so that no part's numbered texts take more than a share of memory when written out."""
        rows = len(batch)
        for field, values in zip(batch.schema, batch.columns, strict=True):
            if pa.types.is_dictionary(field.type) and _is_text(field.type.value_type):
                lengths = pc.binary_length(values.dictionary)
                size_bytes = pc.sum(lengths.take(values.indices)).as_py() or 0
                unpacked[field.name] = unpacked.get(field.name, 0) + size_bytes
                if unpacked[field.name] > max(_LARGE_TEXT_BYTES, _MOST_TEXT_RATIO * self._size_bytes):
                    raise InputError(self._bomb_message(f", column {field.name!r}"))
                if size_bytes > _BATCH_BYTES:
                    rows = min(rows, max(1, _BATCH_BYTES // pc.max(lengths).as_py()))
        for start in range(0, len(batch), max(1, rows)):
            yield batch.slice(start, rows)

    def _as_declared(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Write out the texts that were read by number."""
        schema = self.schema
        if batch.schema.names != self.names:
            schema = pa.schema([self.schema.field(self.names.index(name)) for name in batch.schema.names])
        arrays = [
            values if values.type == field.type else values.cast(field.type)
            for values, field in zip(batch.columns, schema, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _check_size(self) -> None:
        name, size = self.path.name, self._size_bytes
        if not self.names:
            raise InputError(f"{name} holds no columns")
        if len(self.names) > _MOST_COLUMNS:
            raise InputError(f"{name} holds {len(self.names):,} columns; more than {_MOST_COLUMNS:,} are not read")
        if min(self.group_rows, default=0) < 0 or self.rows != self.metadata.num_rows:
            raise InputError(f"{name} is damaged: it contradicts itself about its number of rows. {_WAY_OUT}")
        if self.rows > _MOST_ROWS:
            raise InputError(f"{name} holds {self.rows:,} rows; more than {_MOST_ROWS:,} are not read. Split it")
        if self.rows > max(_MANY_ROWS, size * _ROWS_IN_BYTE):
            raise InputError(
                f"{name} says that {size:,} bytes hold {self.rows:,} rows; it is damaged or made to do harm. {_WAY_OUT}"
            )
        most_bytes = max(_LARGE_GROUP_BYTES, _MOST_GROUP_RATIO * size)
        if any(group.total_byte_size > most_bytes for group in self.groups):
            raise InputError(self._bomb_message(""))

    def _bomb_message(self, where: str) -> str:
        return (
            f"{self.path.name}{where}: {self._size_bytes:,} bytes can't hold as much as they unpack to; the file is "
            f"damaged or made to do harm. {_WAY_OUT}"
        )


def _is_text(of: pa.DataType) -> bool:
    return bool(pa.types.is_string(of) or pa.types.is_binary(of))


def _places(batch: pa.RecordBatch, names: list[str], columns: Sequence[int]) -> list[int]:
    if batch.schema.names == names:
        return list(columns)
    return [batch.schema.names.index(names[at]) for at in columns]


def _encrypted(name: str) -> str:
    return f"{name} is encrypted. Export it without encryption and use that"


@contextmanager
def blamed_on(name: str) -> Iterator[None]:
    """Turn whatever Arrow says of a file it can't read into one line for the user."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        said = " ".join(str(error).split())
        if "encrypt" in said.lower() or "decrypt" in said.lower():
            raise InputError(_encrypted(name)) from None
        raise InputError(f"{name} is damaged or no parquet file ({said[:150]}). {_WAY_OUT}") from None
