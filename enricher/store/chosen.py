"""Some of the rows of several parts, one behind the other, as Products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from enricher.store.rows import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Part(Protocol):
    """Rows of SCHEMA, wherever they are."""

    def __len__(self) -> int:
        """Return how many there are."""

    def batches(
        self, columns: Sequence[str] | None = None, chosen: npt.NDArray[np.bool_] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Read rows in order, some thousands at a time: all of them, or the chosen ones (one element a row)."""


class Chosen:
    """The chosen rows (one element a row of all parts); they are read when asked for."""

    def __init__(self, parts: Sequence[Part], chosen: npt.NDArray[np.bool_]) -> None:
        self._parts, self._chosen = parts, chosen

    def __len__(self) -> int:
        return int(np.count_nonzero(self._chosen))

    def table(self, columns: Sequence[str]) -> pa.Table:
        schema = pa.schema([SCHEMA.field(name) for name in columns])
        return pa.Table.from_batches(self._read(columns), schema).combine_chunks()

    def batches(self) -> Iterator[pa.RecordBatch]:
        return self._read(None)

    def _read(self, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        start = 0
        for part in self._parts:
            yield from part.batches(columns, self._chosen[start : start + len(part)])
            start += len(part)
