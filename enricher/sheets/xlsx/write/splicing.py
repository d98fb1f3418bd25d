"""The second pass in stretches: plain rows joined with their new cells, all others edited one by one.

Owns which of the two writes what. Knows neither way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from enricher.sheets.xlsx.opc.plain import PlainRows
from enricher.sheets.xlsx.opc.two_ways import in_stretches
from enricher.sheets.xlsx.write.plain_splice import PlainSplice
from enricher.sheets.xlsx.write.splice import Splicer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from enricher.cells import Additions
    from enricher.sheets.xlsx.write.placement import Placement
    from enricher.sheets.xlsx.write.spliced import Spliced


class SheetSplicer:
    """Both ways over a worksheet part; the arguments are those of Splicer."""

    def __init__(self, where: str, placement: Placement, additions: Additions, *, watch: bool) -> None:
        self._splicer = Splicer(where, placement, additions, watch=watch)
        self._arguments = (placement, additions.index, watch)
        self._plain: tuple[PlainRows, PlainSplice] | None = None

    @property
    def done(self) -> Spliced:
        """What was done so far."""
        return self._splicer.done

    def pieces(self, chunks: Iterable[bytes], tick: Callable[[int], None]) -> Iterator[bytes]:
        """Write the new part; `tick` hears how many more data rows are done. Raises InputError."""
        told = 0
        for piece in in_stretches(chunks, self):
            yield piece
            if self.done.data_rows > told:
                tick(self.done.data_rows - told)
                told = self.done.data_rows
        yield self._splicer.close()
        if self.done.data_rows > told:
            tick(self.done.data_rows - told)

    def ending(self) -> bytes:
        return self._splicer.places.ground.ending

    def at_edge(self) -> bool:
        return self._splicer.places.ground.at_edge()

    def careful(self, data: bytes) -> bytes:
        """Take any bytes. Raises InputError."""
        return self._splicer.feed(data)

    def quick(self, stretch: bytes) -> bytes | None:
        """Take whole plain rows; None if they are not."""
        if self._plain is None:
            ground = self._splicer.places.ground
            placement, index, watch = self._arguments
            self._plain = (
                PlainRows(ground.prefix or "", ground.declared),
                PlainSplice(placement, index, self._splicer.new_cells(), self.done, watch=watch),
            )
        grammar, rows = self._plain
        found = rows.write(stretch) if grammar.vouches_for(stretch) else None
        if found is None:
            return None
        written, last_row = found
        self._splicer.passed(stretch, last_row)
        return written
