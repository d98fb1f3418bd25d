"""The second pass: the bytes of a worksheet part with the new cells spliced in, row by row.

Owns the edits of the sheet part and nothing else of it: what is not edited comes out as the bytes that went in, and
nothing is serialised from what a parser read. Memory is bounded by a row and a chunk.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from enricher.errors import InputError
from enricher.sheets.xlsx.cells.encoder import cell, joined_rows, row_pieces, text_tail
from enricher.sheets.xlsx.opc.markup import TagCount, prefix_of, tag_at, with_attribute, without_attribute
from enricher.sheets.xlsx.read.scanner import MAX_ROW_BYTES
from enricher.sheets.xlsx.write.new_cells import NewCells
from enricher.sheets.xlsx.write.places import Places
from enricher.sheets.xlsx.write.spliced import Probe, Spliced

if TYPE_CHECKING:
    import numpy.typing as npt

    from enricher.cells import Additions
    from enricher.sheets.xlsx.write.placement import Placement
    from enricher.sheets.xlsx.write.places import Mark, Spot


class _Edit(NamedTuple):
    """Replace the bytes from `start` to `end` of the part."""

    start: int
    end: int
    new: bytes


class Splicer:
    """Feed it the bytes of the part; it returns those of the new part. `watch` is that of `Places`."""

    def __init__(self, where: str, placement: Placement, additions: Additions, *, watch: bool) -> None:
        self.done = Spliced()
        self._where = where
        self._placement = placement
        self._additions = additions
        self._cells: NewCells | None = None
        self.places = Places(where, placement.first_column, watch=watch)
        self._window = b""
        self._base = 0
        self._edits: list[_Edit] = []
        self._has_widths = False
        self._row_tags: TagCount | None = None

    def feed(self, chunk: bytes) -> bytes:
        """Take some bytes and return what is ready of the new part. Raises InputError."""
        self._window += chunk
        known = self.places.feed(chunk)
        if len(self._window) > MAX_ROW_BYTES + len(chunk):
            raise InputError(f"{self._where}: row {self.places.row} is too large. Save the sheet as CSV and use that.")
        ready = self._flush(self._base + len(self._window) if self.places.ground.at_edge() else known)
        self._count(chunk)
        return ready

    def passed(self, rows: bytes, last_row: int) -> None:
        """Hear of whole rows that were dealt with in another way, at an edge of the ground."""
        self.places.passed(rows, last_row)
        self._count(rows)
        self.done.cut_texts = self.new_cells().cut_texts

    def new_cells(self) -> NewCells:
        """Return the new cells, which need to know the sheet's prefix."""
        if self._cells is None:
            self._cells = NewCells(self._additions, self.done.prefix)
        return self._cells

    def close(self) -> bytes:
        """Return the rest of the new part. Raises InputError."""
        self.places.feed(b"", last=True)
        return self._flush(self._base + len(self._window))

    def _count(self, chunk: bytes) -> None:
        if self._row_tags is not None:
            self._row_tags.feed(chunk)
            self.done.row_tags = self._row_tags.count

    def _flush(self, known: int) -> bytes:
        for mark in self.places.marks:
            self._edit_mark(mark)
        self.places.marks.clear()
        probe = self._edit_rows()
        edits = sorted(self._edits, key=itemgetter(0))
        # The parser's place may be the start of its last tag, which is edited as a whole.
        safe = max(known, self._base, edits[-1].end if edits else 0)
        out: list[bytes] = []
        position, base, window = 0, self._base, self._window
        for start, end, new in edits:
            out += (window[position : start - base], new)
            position = end - base
        out.append(window[position : safe - base])
        ready = b"".join(out)
        if probe is not None:
            self._keep_probe(*probe, edits)
        self._window, self._base = window[safe - base :], safe
        self._edits = []
        self.done.written_bytes += len(ready)
        return ready

    # --- around the rows ---

    def _edit_mark(self, mark: Mark) -> None:
        placement = self._placement
        if mark.kind == "root":
            self.done.opening = self._tag(mark.offset)
        elif mark.kind == "dimension":
            self._retag(mark.offset, "ref", str(placement.dimension))
        elif mark.kind == "autoFilter" and placement.filter_area is not None:
            self._retag(mark.offset, "ref", str(placement.filter_area))
        elif mark.kind == "cols":
            self._has_widths = True
            if self._window.startswith(b"</", mark.offset - self._base):  # else it is self-closed
                self._insert_widths(mark.offset, prefix_of(self._window[mark.offset - self._base :]), "{}")
        elif mark.kind == "sheetData":
            tag = self._tag(mark.offset)
            if not self._has_widths:
                prefix = prefix_of(self.done.opening)  # that of the rows may be declared only here
                self._insert_widths(mark.offset, prefix, f"<{prefix}cols>{{}}</{prefix}cols>")
            self.done.opening += tag
            self.done.prefix = prefix_of(tag)
            self._row_tags = TagCount(f"<{self.done.prefix}row".encode())

    def _insert_widths(self, at: int, prefix: str, frame: str) -> None:
        widths = self._placement.widths
        if widths is None:
            return
        first = self._placement.first_column + 1
        new = "".join(
            f'<{prefix}col min="{first + place}" max="{first + place}" width="{width}" customWidth="1"/>'
            for place, width in enumerate(widths)
        )
        self._edits.append(_Edit(at, at, frame.format(new).encode()))

    def _retag(self, at: int, name: str, value: str) -> None:
        tag = self._tag(at)
        self._edits.append(_Edit(at, at + len(tag), with_attribute(tag, name, value)))

    def _tag(self, at: int) -> bytes:
        return tag_at(self._window, at - self._base)

    # --- the rows ---

    def _edit_rows(self) -> tuple[Spot, int] | None:
        """Turn the rows found into edits; return one that was written to, for reading back."""
        spots, self.places.spots = self.places.spots, []
        header_row, last_row = self._placement.header_row, self._placement.last_row
        probe = None
        if header_row and spots and spots[0].number <= header_row <= spots[-1].number:
            header = next((spot for spot in spots if spot.number == header_row), None)
            if header is not None:
                self._edit_header(header)
                probe = (header, -1)
        spots = [spot for spot in spots if header_row < spot.number <= last_row]
        first = self.done.data_rows
        self.done.data_rows += len(spots)
        index = self._additions.index[first : self.done.data_rows]
        chosen = np.flatnonzero(index >= 0)
        if len(chosen):
            self._edit_data([spots[place] for place in chosen.tolist()], index[chosen])
            probe = probe or (spots[chosen[0]], first + int(chosen[0]))
        return probe

    def _edit_header(self, spot: Spot) -> None:
        tails: list[str | None] = [text_tail(name, self.done.prefix)[0] for name in self._placement.names]
        self._edit_cells(spot, tails, self._placement.header_style)

    def _edit_data(self, spots: list[Spot], index: npt.NDArray[np.int32]) -> None:
        columns = self.new_cells().tails(index)
        self.done.cut_texts = self.new_cells().cut_texts
        numbers = [spot.number for spot in spots]
        cells = row_pieces(self._placement.first_column, numbers, columns, self.done.prefix)
        pieces: list[bytes] = joined_rows(cells).cast(pa.large_binary()).to_pylist()
        for place, (spot, piece) in enumerate(zip(spots, pieces, strict=True)):
            if not piece:
                continue
            if spot.late:
                self._edit_cells(spot, [tails[place].as_py() for tails in columns], None)
            else:
                self._edit_row(spot, piece)

    def _edit_cells(self, spot: Spot, tails: list[str | None], style: str | None) -> None:
        """Weave new cells into those that stand there; a text keeps the style it finds, unless one is given."""
        first = self._placement.first_column
        new = {first + place: tail for place, tail in enumerate(tails) if tail is not None}
        for late in sorted(spot.late):
            before = [column for column in new if column < late.column]
            piece = b"".join(self._cell_bytes(column, spot.number, style, new.pop(column)) for column in before)
            end = late.start
            if late.column in new:
                piece += self._cell_bytes(late.column, spot.number, style or late.style, new.pop(late.column))
                tag = self._tag(late.start)
                closing = self._window.index(b">", late.end_tag - self._base) + 1 + self._base
                end = late.start + len(tag) if tag.endswith(b"/>") else closing
            if piece:
                self._edits.append(_Edit(late.start, end, piece))
        rest = [self._cell_bytes(column, spot.number, style, tail) for column, tail in new.items()]
        self._edit_row(spot, b"".join(rest))

    def _cell_bytes(self, column: int, row: int, style: str | None, tail: str) -> bytes:
        return cell(column, row, style, tail, self.done.prefix).encode()

    def _edit_row(self, spot: Spot, new: bytes) -> None:
        """Put new cells at a row's end. Its `spans` would be wrong now, and is only a hint (18.3.1.73): it goes."""
        tag = self._tag(spot.start)
        end = spot.start + len(tag)
        bare = without_attribute(tag, "spans") if b"spans" in tag else tag
        if tag.endswith(b"/>"):
            closing = b"</%brow>" % prefix_of(tag).encode()
            self._edits.append(_Edit(spot.start, end, bare[:-2].rstrip() + b">" + new + closing))
            return
        if bare != tag:
            self._edits.append(_Edit(spot.start, end, bare))
        if new:
            self._edits.append(_Edit(spot.insert, spot.insert, new))

    def _keep_probe(self, spot: Spot, data_row: int, edits: list[_Edit]) -> None:
        """Remember where a row begins in the output."""
        shift = sum(len(new) - (end - start) for start, end, new in edits if start < spot.start)
        self.done.offer(Probe(self.done.written_bytes + spot.start - self._base + shift, spot.number, data_row))
