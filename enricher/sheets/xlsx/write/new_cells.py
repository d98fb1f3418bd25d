"""The new columns' values as the XML of cells, for whichever rows are asked for.

Owns when they are encoded: once each where that fits into memory, else anew for the rows at hand. Knows no bytes of a
sheet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from enricher.sheets.xlsx.cells.encoder import LARGE, grown_lengths, tails_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from enricher.cells import Additions
    from enricher.sheets.xlsx.cells.encoder import Tails

_KEPT_BYTES = 8 << 20
"""Of encoded answers, where all of them come to less: then rows that share one cost no encoding."""


class NewCells:
    """The tails of the new cells by row of the sheet; `cut_texts` counts those handed out that had to be cut."""

    def __init__(self, additions: Additions, prefix: str) -> None:
        self.cut_texts = 0
        self._prefix = prefix
        self._columns = additions.columns()
        self._lengths = grown_lengths(additions)
        self._kept: list[tuple[Tails, npt.NDArray[np.int64]]] | None = None
        if self._lengths.sum() <= _KEPT_BYTES:
            self._kept = [self._encoded(column) for column in self._columns]

    def size_bytes(self, index: npt.NDArray[np.int32]) -> int:
        """Estimate the size of the new cells of some rows; `index` are rows of the answers."""
        return int(self._lengths[index].sum())

    def tails(self, index: npt.NDArray[np.int32]) -> list[Tails]:
        """Return a column of tails for each new column; `index` are rows of the answers."""
        places = pa.array(index)
        if self._kept is not None:
            self.cut_texts += sum(int(cut[index].sum()) for _, cut in self._kept if len(cut))
            return [tails.take(places) for tails, _ in self._kept]
        encoded = [self._encoded(column.take(places)) for column in self._columns]
        self.cut_texts += sum(int(cut.sum()) for _, cut in encoded)
        return [tails for tails, _ in encoded]

    def _encoded(self, column: pa.Array) -> tuple[Tails, npt.NDArray[np.int64]]:
        """Return tails, and a 1 for each that was cut; an empty array where none was."""
        tails, cut = tails_of(column, self._prefix)
        was_cut = np.zeros(len(column) if cut else 0, np.int64)
        was_cut[cut] = 1
        return tails.cast(LARGE), was_cut
