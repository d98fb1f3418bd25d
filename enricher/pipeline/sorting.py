"""Rows of the resume file in another order, more of them than fit into memory.

Owns the way through a file: rows are dealt out to parts by where they belong, then each part is put in order by itself.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enricher.store import gathered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from enricher.model import Products

PART_ROWS = 32_768
"""In memory at once, several times over. Fewer would make the pieces small in which each part is dealt out."""
_BATCH_ROWS = 4_096
_PLACE = "place"


class SortedRows:
    """Rows in the order of some columns, all ascending, as Products.

    `scratch` is a name for a file that takes them all, compressed; whoever gave it removes it. `tick` hears of rows
    dealt out. Use as a context manager. Raises OSError.
    """

    def __init__(self, rows: Products, by: Sequence[str], scratch: Path, tick: Callable[[int], None]) -> None:
        self._rows = rows
        self._pieces: list[list[int]] = [[] for _ in range(-(-len(rows) // PART_ROWS))]
        places = _places(rows, by)
        with scratch.open("wb") as out:
            _deal(rows, places, self._pieces, out, tick)
        self._file = pa.OSFile(str(scratch))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._rows)

    def table(self, columns: Sequence[str]) -> pa.Table:
        """Read some columns of all rows."""
        parts = [pa.Table.from_batches([batch]).select(columns) for batch in self.batches()]
        return pa.concat_tables(parts) if parts else self._rows.table(columns)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Read all columns, the rows in order, some thousands at a time."""
        if not self._pieces:
            return
        reader = pa.ipc.open_file(self._file)
        for pieces in self._pieces:
            part = pa.Table.from_batches([reader.get_batch(at) for at in pieces])
            ordered = part.take(pc.sort_indices(part.column(_PLACE))).drop_columns([_PLACE])
            yield from ordered.combine_chunks().to_batches(_BATCH_ROWS)


def _places(rows: Products, by: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the place of each row in the order."""
    order = pc.sort_indices(rows.table(by), sort_keys=[(name, "ascending") for name in by]).to_numpy()
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    return places


def _deal(
    rows: Products,
    places: npt.NDArray[np.int64],
    pieces: list[list[int]],
    out: object,
    tick: Callable[[int], None],
) -> None:
    """Write all rows, those of one part together as far as they came together; note in `pieces` where they are."""
    done = written = 0
    with contextlib.ExitStack() as stack:
        writer = None
        for some in gathered(rows.batches()):
            place = places[done : done + len(some)]
            part_of = place // PART_ROWS
            placed = some.append_column(_PLACE, pa.array(place))
            if writer is None:
                options = pa.ipc.IpcWriteOptions(compression="zstd")
                writer = stack.enter_context(pa.ipc.new_file(out, placed.schema, options=options))
            for part in np.unique(part_of).tolist():
                for batch in placed.take(pa.array(np.flatnonzero(part_of == part))).combine_chunks().to_batches():
                    writer.write_batch(batch)
                    pieces[part].append(written)
                    written += 1
            done += len(some)
            tick(len(some))
