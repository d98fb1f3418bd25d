"""Consecutive rows of a worksheet as arrays.

Owns their shape, and the way from rows that a parser read one by one. Knows no bytes and no header.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from enricher.sheets.xlsx.cells.encoder import LARGE, text_column
from enricher.sheets.xlsx.cells.facts import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Some rows: `numbers`, and `filled`: whether any cell of a row shows something.

    The other arrays have one element a cell with text that was wanted, by row and then in the order of the file:
    `at` is the place of its row in `numbers`.
    """

    numbers: npt.NDArray[np.int64]
    filled: npt.NDArray[np.bool_]
    at: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int32]
    text: pa.LargeStringArray
    numeric: npt.NDArray[np.bool_]
    styles: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)

    @classmethod
    def of(cls, rows: Sequence[Row]) -> RowBlock:
        """Lay out rows that were read one by one."""
        cells = [cell for row in rows for cell in row.cells]
        return cls(
            np.fromiter((row.number for row in rows), np.int64, len(rows)),
            np.fromiter((row.filled for row in rows), np.bool_, len(rows)),
            np.repeat(np.arange(len(rows)), [len(row.cells) for row in rows]),
            np.fromiter((cell[0] for cell in cells), np.int32, len(cells)),
            text_column([cell[1] for cell in cells]).cast(LARGE),
            np.fromiter((cell[2] for cell in cells), np.bool_, len(cells)),
            np.fromiter((cell[3] for cell in cells), np.int64, len(cells)),
        )

    def rows(self) -> list[Row]:
        """Return the rows one by one."""
        rows = [
            Row(number, filled, []) for number, filled in zip(self.numbers.tolist(), self.filled.tolist(), strict=True)
        ]
        cells = zip(
            self.columns.tolist(), self.text.to_pylist(), self.numeric.tolist(), self.styles.tolist(), strict=True
        )
        for at, cell in zip(self.at.tolist(), cells, strict=True):
            rows[at].cells.append(cell)
        return rows

    def slice(self, start: int, stop: int) -> RowBlock:
        """Return the rows from `start` to before `stop`."""
        first, last = np.searchsorted(self.at, (start, stop)).tolist()
        return RowBlock(
            self.numbers[start:stop],
            self.filled[start:stop],
            self.at[first:last] - start,
            self.columns[first:last],
            self.text[first:last],
            self.numeric[first:last],
            self.styles[first:last],
        )

    def with_texts(self) -> RowBlock:
        """Return the rows that have a cell here."""
        kept, at = np.unique(self.at, return_inverse=True)
        return replace(self, numbers=self.numbers[kept], filled=self.filled[kept], at=at)

    @classmethod
    def joined(cls, blocks: Sequence[RowBlock]) -> RowBlock:
        """Put blocks one after another."""
        if len(blocks) == 1:
            return blocks[0]
        starts = np.cumsum([0, *(len(block) for block in blocks[:-1])])
        return cls(
            np.concatenate([block.numbers for block in blocks]),
            np.concatenate([block.filled for block in blocks]),
            np.concatenate([block.at + start for block, start in zip(blocks, starts.tolist(), strict=True)]),
            np.concatenate([block.columns for block in blocks]),
            pa.concat_arrays([block.text for block in blocks]),
            np.concatenate([block.numeric for block in blocks]),
            np.concatenate([block.styles for block in blocks]),
        )
