"""What a sheet is to the rest of the program: columns of cells on the way in, columns of answers on the way out.

Owns these words and no rule. Knows no file, no code and no product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Cells:
    """One column of some rows, as the file holds it; the three arrays have one element a row.

    `text` is never the result of a type guess: of a number it is the full decimal text (12345678905, not
    1.2345678905E10). `numeric` says that the file holds a number there. `zeros` is the width of an all-zeros number
    format such as 000000000000 (12), and 0 where there is none.
    """

    text: pa.StringArray
    numeric: npt.NDArray[np.bool_]
    zeros: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.text)

    def rows(self, places: npt.NDArray[np.intp]) -> Cells:
        """Return the cells at some places."""
        return Cells(self.text.take(pa.array(places)), self.numeric[places], self.zeros[places])

    @classmethod
    def joined(cls, parts: Sequence[Cells]) -> Cells:
        """Put cells one after another."""
        return cls(
            pa.concat_arrays([part.text for part in parts]),
            np.concatenate([part.numeric for part in parts]),
            np.concatenate([part.zeros for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a sheet with every column, before anything is known about its header.

    `columns` are as many as the widest row has cells; `row_numbers` are what the user's program shows at the left.
    `has_names`: the first row, numbered 0, holds the columns' names as the format itself knows them.
    """

    columns: tuple[Cells, ...]
    row_numbers: tuple[int, ...]
    has_names: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows below the header; only the columns that were asked for, in that order.

    `empty` marks rows that are no data: nothing in any column, or below the sheet's table and without a value in
    the columns asked for. They are kept as they are and get nothing added. `share_read` tells how much of the file
    has been read by now, 0 to 1.
    """

    columns: tuple[Cells, ...]
    empty: npt.NDArray[np.bool_]
    row_numbers: npt.NDArray[np.int64]
    share_read: float


class Pieces(Protocol):
    """The distinct answers: one row each, and a named column (string, int64, double or bool) for each new one.

    An Arrow table is one; another may make them only when they are asked for.
    """

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""

    @property
    def num_rows(self) -> int:
        """How many there are."""

    def to_batches(self) -> Iterable[pa.RecordBatch]:
        """Return them in order, in batches of any size."""


@dataclass(frozen=True, slots=True)
class Additions:
    """The new columns, ready for a writer: every distinct answer once, and which row gets which.

    `index` has one element a row below the header: a row of `pieces`, or -1 for a row that gets nothing.
    A writer keeps every string of `pieces` a string, whatever it looks like.
    """

    pieces: Pieces
    index: npt.NDArray[np.int32]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.schema.names)

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the new columns, without an answer in sight."""
        return self.pieces.schema

    def table(self) -> pa.Table:
        """Return all pieces at once, for a writer that needs them in any order; each column is one chunk."""
        whole: pa.Table = self.pieces
        if not isinstance(whole, pa.Table):
            whole = pa.Table.from_batches(self.pieces.to_batches(), self.schema)
        # Arrow copies even a single chunk.
        return whole if all(column.num_chunks == 1 for column in whole.columns) else whole.combine_chunks()

    def columns(self) -> list[pa.Array]:
        """Return the columns of all pieces, each in one array."""
        return [column.chunk(0) if column.num_chunks else pa.nulls(0, column.type) for column in self.table().columns]
