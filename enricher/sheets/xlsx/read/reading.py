"""The rows of a worksheet part in stretches: the plain ones by their places, all others by the scanner.

Owns which of the two reads what, and that the facts are one. Knows no header and no batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from enricher.sheets.xlsx.cells.row_block import RowBlock
from enricher.sheets.xlsx.opc.plain import PlainRows
from enricher.sheets.xlsx.opc.two_ways import in_smaller_pieces, in_stretches
from enricher.sheets.xlsx.read.plain_cells import PlainCells
from enricher.sheets.xlsx.read.scanner import RowScanner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from enricher.sheets.xlsx.cells.facts import Facts
    from enricher.sheets.xlsx.cells.strings import SharedStrings

_MAX_TEXT_BYTES = 16 << 20
"""Of the texts that the cells of one piece of the part may point to."""
_CELL_BYTES = 20
"""A cell that does takes more: <c t="s"><v>0</v></c>."""
_LEAST_BYTES, _MOST_BYTES = 4 << 10, 1 << 20


class SheetReader:
    """Both ways over a worksheet part; the arguments are those of RowScanner."""

    def __init__(
        self, where: str, strings: SharedStrings, header_row: int = 0, wanted: frozenset[int] | None = None
    ) -> None:
        self._scanner = RowScanner(where, strings, header_row, wanted)
        self._strings = strings
        self._wanted = wanted
        self._plain: tuple[PlainRows, PlainCells] | None = None

    @property
    def facts(self) -> Facts:
        """What was learned so far; complete at the end of `blocks`."""
        return self._scanner.facts

    @property
    def fed_bytes(self) -> int:
        """How far the reading is."""
        return self._scanner.fed_bytes

    def blocks(self, chunks: Iterable[bytes]) -> Iterator[RowBlock]:
        """Read the part to its end. Raises InputError."""
        cells = _MAX_TEXT_BYTES // max(1, self._strings.longest_bytes)
        size_bytes = min(max(cells * _CELL_BYTES, _LEAST_BYTES), _MOST_BYTES)
        for block in in_stretches(in_smaller_pieces(chunks, size_bytes), self):
            if len(block):
                yield block
        self._scanner.close()

    def ending(self) -> bytes:
        return self._scanner.ground.ending

    def at_edge(self) -> bool:
        return self._scanner.at_edge()

    def careful(self, data: bytes) -> RowBlock:
        """Take any bytes. Raises InputError."""
        return RowBlock.of(self._scanner.feed(data))

    def quick(self, stretch: bytes) -> RowBlock | None:
        """Take whole plain rows; None if they are not."""
        if self._plain is None:
            ground = self._scanner.ground
            prefix = ground.prefix or ""
            self._plain = (
                PlainRows(prefix, ground.declared),
                PlainCells(self.facts, self._strings, self._wanted, prefix),
            )
        grammar, cells = self._plain
        if not grammar.vouches_for(stretch):
            return None
        block = cells.read(stretch, self._scanner.row)
        if block is not None:
            self._scanner.passed(stretch, int(block.numbers[-1]))
        return block
