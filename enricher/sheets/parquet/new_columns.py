"""The new columns as Arrow's: each distinct answer taken as often as rows want it. Knows no file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enricher.cells import Additions


class NewColumns:
    """The additions under the names they get in the file, typed as they are."""

    def __init__(self, additions: Additions, names: Sequence[str]) -> None:
        self._pieces = additions.table()
        self._index = additions.index
        self.names = list(names)
        self.fields = [pa.field(name, of) for name, of in zip(names, additions.schema.types, strict=True)]

    def columns(self, start: int, count: int) -> list[pa.Array]:
        """Return the new columns of `count` data rows from row `start` (0 is the first); beyond the end all null."""
        index = np.full(count, -1, np.int32)
        known = self._index[start : start + count]
        index[: len(known)] = known
        if not self._pieces.num_rows:
            return [pa.nulls(count, field.type) for field in self.fields]
        taken = self._pieces.take(pa.array(index, mask=index < 0))
        return [pa.concat_arrays(column.chunks) if column.num_chunks != 1 else column.chunk(0) for column in taken]
