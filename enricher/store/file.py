"""The parquet file: open and verified for reading, written whole or not at all.

`format` describes it. Reads rows when asked for them, never the whole file into memory.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from enricher.disk import sync_folder
from enricher.errors import StoreError, StoreUnreadableError
from enricher.store.answers import Answers, of_table
from enricher.store.format import FORMAT, WAY_OUT, check_header, from_line, to_line
from enricher.store.rows import IDENTITY, SCHEMA, gathered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

BATCH_ROWS = 4_096  # with all fields some megabytes, several times over while they are rendered
_BLOCK_BYTES = 1024 * 1024
_HEADER = b"enricher"
_SEAL = "enricher.seal"
_SEALED = b'{"crc32":"'
"""What stands before the digits. Inside other metadata, which is JSON or base64, its quotes would be escaped."""
_DIGITS = 8
_FIRST_SEALED = 2


class File:
    """A resume file, open and verified: a snapshot, whatever takes its name later.

    `outputs` are those it remembers (path -> SHA-256 hex digests). `is_sound`: it was verified a moment ago. Raises
    StoreError where a checksum is wrong, or the file is no resume file or another service's.
    """

    def __init__(self, path: Path, host: str | None, *, is_sound: bool = False) -> None:
        self._name = path.name
        with self._told():
            source = pa.OSFile(str(path), "rb")
            try:
                self._parquet = pq.ParquetFile(source, page_checksum_verification=True)
                self._check(path, source, host, is_sound=is_sound)
            except BaseException:
                source.close()
                raise

    def _check(self, path: Path, source: pa.NativeFile, host: str | None, *, is_sound: bool) -> None:
        schema = self._parquet.schema_arrow
        header = from_line((schema.metadata or {}).get(_HEADER, b""))
        if header is None:
            raise StoreError(f"{self._name} is damaged, or a parquet file but no resume file of enricher. {WAY_OUT}")
        self.format, self.host = check_header(path, header, host)
        if schema.remove_metadata() != SCHEMA:
            raise StoreError(f"{self._name} has other columns than a resume file. {WAY_OUT}")
        self.outputs: dict[str, list[str]] = header["outputs"]
        if is_sound:
            return
        if self.format >= _FIRST_SEALED:
            seal = _find_seal(source)
            if seal is None or seal.told != _checksum(source, seal.at):
                raise StoreError(f"{self._name} is damaged: its checksum is wrong. {WAY_OUT}")
        rows = len(self)
        if self.format < _FIRST_SEALED:  # every page's checksum is seen before anything is taken from any
            rows = sum(map(len, self.batches()))
        if rows != header.get("rows", rows):
            raise StoreError(f"{self._name} is damaged: it holds {rows:,} of {header['rows']:,} rows. {WAY_OUT}")

    def __len__(self) -> int:
        rows: int = self._parquet.metadata.num_rows
        return rows

    def table(self, columns: Sequence[str]) -> pa.Table:
        """Read some columns of all rows."""
        with self._told():
            return self._parquet.read(columns=[*columns]).replace_schema_metadata(None)

    def answers(self) -> Answers:
        """Return whose its rows are, as arrays."""
        rows = self.table(IDENTITY)
        with self._told():
            return of_table(rows)

    def batches(
        self, columns: Sequence[str] | None = None, chosen: npt.NDArray[np.bool_] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Read rows in order, some thousands at a time: all of them, or the chosen ones (one element a row)."""
        start = 0
        for group in range(self._parquet.num_row_groups):
            end = start + self._parquet.metadata.row_group(group).num_rows
            of_group = None if chosen is None else chosen[start:end]
            if of_group is None or of_group.any():
                yield from self._group(group, columns, of_group)
            start = end

    def _group(
        self, group: int, columns: Sequence[str] | None, chosen: npt.NDArray[np.bool_] | None
    ) -> Iterator[pa.RecordBatch]:
        start = 0
        with self._told():
            for batch in self._parquet.iter_batches(BATCH_ROWS, [group], columns and [*columns]):
                rows = batch.replace_schema_metadata(None)
                yield rows if chosen is None else rows.filter(pa.array(chosen[start : start + len(rows)]))
                start += len(rows)

    def close(self) -> None:
        """Let go of the file; Windows replaces no file that is open."""
        self._parquet.close(force=True)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, pa.ArrowException) as error:
            if isinstance(error, OSError) and error.errno:  # of the system; those that tell of damage have none
                raise StoreUnreadableError(f"{self._name}: can't be read ({os.strerror(error.errno)})") from None
            raise StoreError(f"{self._name} is damaged or no resume file ({_short(error)}). {WAY_OUT}") from None


def _short(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__


def is_resume_file(path: Path) -> bool:
    """Say whether there is a file at `path` that has a resume file's header and columns; it may be damaged."""
    try:
        schema = pq.read_schema(path)
    except (OSError, ValueError, pa.ArrowException):
        return False
    return from_line((schema.metadata or {}).get(_HEADER, b"")) is not None and schema.remove_metadata() == SCHEMA


def write(
    partial: Path, batches: Iterable[pa.RecordBatch], rows: int, host: str, outputs: dict[str, list[str]]
) -> None:
    """Write so many rows as a new file, sealed and on disk. Raises OSError as the disk does."""
    header = {"format": FORMAT, "host": host, "outputs": outputs, "rows": rows}
    schema = SCHEMA.with_metadata({_HEADER: to_line(header)})
    with partial.open("w+b") as file:
        written = 0
        with pq.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True) as writer:
            writer.add_key_value_metadata({_SEAL: f'{_SEALED.decode()}{"0" * _DIGITS}"}}'})
            for table in gathered(batches):
                writer.write_table(table.cast(schema))
                written += len(table)
        if written != rows:
            raise AssertionError(f"{written} of {rows} rows were written to {partial.name}")
        file.flush()
        _seal(file)
        file.flush()
        os.fsync(file.fileno())


def partial_of(path: Path) -> Path:
    """Return where a file is written before it takes its name."""
    return path.with_name(f".{path.name}.partial")


def discard(partial: Path) -> None:
    """Remove what has not taken its name. Where that fails, the next run does it."""
    with contextlib.suppress(OSError):
        partial.unlink(missing_ok=True)


def place(partial: Path, path: Path) -> None:
    """Let a new file take the name, for good. Raises OSError."""
    partial.replace(path)
    sync_folder(path.parent)


@dataclass(frozen=True, slots=True)
class _Seal:
    """The checksum a file tells of itself, and at which byte."""

    at: int
    told: bytes


def _seal(file: BinaryIO) -> None:
    """Write the checksum of the whole file into the place kept for it: Parquet's own leave the footer unguarded."""
    seal = _find_seal(file)
    assert seal is not None  # noqa: S101 - it was written a moment ago
    checksum = _checksum(file, seal.at)
    file.seek(seal.at)
    file.write(checksum)


def _find_seal(file: BinaryIO | pa.NativeFile) -> _Seal | None:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 8))
    footer_bytes = int.from_bytes(file.read(4), "little")
    start = max(0, size - 8 - footer_bytes)
    file.seek(start)
    footer = file.read(footer_bytes)
    found = footer.rfind(_SEALED)
    at = start + found + len(_SEALED)
    return None if found < 0 else _Seal(at, footer[found + len(_SEALED) :][:_DIGITS])


def _checksum(file: BinaryIO | pa.NativeFile, at: int) -> bytes:
    """Return the CRC-32 of a file, as eight digits, with zeros in the place of the digits at byte `at`."""
    file.seek(0)
    crc, start = 0, 0
    while block := file.read(_BLOCK_BYTES):
        end = start + len(block)
        first, last = max(at, start) - start, min(at + _DIGITS, end) - start
        if first < last:
            block = block[:first] + b"0" * (last - first) + block[last:]
        crc = zlib.crc32(block, crc)
        start = end
    return b"%08x" % crc
