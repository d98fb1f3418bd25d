"""Rows gathered into one row group of a parquet file. Owns how much of it may be in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow.parquet as pq

_GROUP_BYTES = 128 * 1024 * 1024
"""A row group is whole in memory before it is written; one that would be larger is written as several."""


class RowGroup:
    """Gathers rows; `tick` hears of them when they are written, which is at once where they get too many."""

    def __init__(self, writer: pq.ParquetWriter, schema: pa.Schema, tick: Callable[[int], None]) -> None:
        self.rows = 0
        self._writer = writer
        self._schema = schema
        self._tick = tick
        self._batches: list[pa.RecordBatch] = []
        self._size_bytes = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take some rows more."""
        self._batches.append(batch)
        self.rows += len(batch)
        self._size_bytes += batch.nbytes
        if self._size_bytes > _GROUP_BYTES:
            self.write()

    def write(self) -> None:
        """Write what was gathered."""
        rows = self.rows
        if rows:
            self._writer.write_table(pa.Table.from_batches(self._batches, self._schema), row_group_size=rows)
            self._tick(rows)
        self._batches, self._size_bytes, self.rows = [], 0, 0
