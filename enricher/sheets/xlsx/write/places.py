"""Where things stand in a worksheet part: byte offsets of rows, of their ends, and of what must be edited around them.

Owns the tokenizer of the second pass. Knows no value: it reads no cell but to see whether one is in the way.
"""

from __future__ import annotations

from typing import NamedTuple
from xml.parsers import expat

from enricher.sheets.xlsx.cells.references import COLUMNS, DIGITS
from enricher.sheets.xlsx.opc.ground import Ground
from enricher.sheets.xlsx.opc.markup import NAMESPACES, damaged, new_parser
from enricher.sheets.xlsx.opc.refusals import unsound

_MARKS = {"dimension", "autoFilter", "sheetData"}


class Late(NamedTuple):
    """A cell in the new columns or right of them, which holds only a style; `end_tag` may lie in its own tag."""

    column: int
    start: int
    end_tag: int
    style: str | None


class Spot(NamedTuple):
    """Where a row begins, where its new cells go, and which cells stand there already."""

    number: int
    start: int
    insert: int
    late: list[Late]


class Mark(NamedTuple):
    """Something around the rows: "root", the start tags of _MARKS, or "cols", which is the end tag."""

    kind: str
    offset: int


class Places:
    """Feed it the bytes of the part; `marks` and `spots` fill up with what is complete, for the caller to take.

    `watch` says that cells may stand in the new columns, or something after the cells of a row; without it the parser
    is spared the calls for each cell.
    """

    def __init__(self, where: str, first_column: int, *, watch: bool) -> None:
        self.marks: list[Mark] = []
        self.spots: list[Spot] = []
        self.row = 0
        self._where = where
        self._first_column = first_column
        self._watch = watch
        self._depth = 0
        self._row_start = -1
        self._in_cell = False
        self._insert = -1
        self._column = -1
        self._late: list[Late] = []
        self._cell: tuple[int, int, str | None] | None = None
        self._passed_lines = 0
        self._parser = new_parser(where)
        self.ground = Ground(self._parser, "sheetData", "row")
        self._parser.StartElementHandler = self._outer_start
        self._parser.EndElementHandler = self._outer_end

    def feed(self, chunk: bytes, *, last: bool = False) -> int:
        """Take some bytes; return the offset before which all is known. Raises InputError.

        An open row is known only when its end is.
        """
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            raise damaged(self._where, error, self._passed_lines) from None
        self.ground.fed(chunk)
        return self._row_start if self._row_start >= 0 else self._parser.CurrentByteIndex

    def passed(self, rows: bytes, last_row: int) -> None:
        """Hear of whole rows that were dealt with in another way; offsets leave them out."""
        self.row = last_row
        self._passed_lines += rows.count(b"\n") if b"\n" in rows else 0

    def _outer_start(self, name: str, _: dict[str, str]) -> None:
        namespace, local = name.rsplit(" ", 1) if " " in name else ("", name)
        self._depth += 1
        if self._depth == 1:
            self._mark("root")
        elif self._depth == 2 and local in _MARKS and namespace in NAMESPACES:  # noqa: PLR2004 - the root's children
            self._mark(local)
            if local == "sheetData":
                self.ground.entered(self._parser.CurrentByteIndex)
                self._enter_rows(namespace)

    def _outer_end(self, name: str) -> None:
        self._depth -= 1
        if self._depth == 1 and name.endswith(" cols"):
            self._mark("cols")

    def _mark(self, kind: str) -> None:
        self.marks.append(Mark(kind, self._parser.CurrentByteIndex))

    def _enter_rows(self, namespace: str) -> None:
        self._tag_data, self._tag_row, self._tag_cell, self._tag_extension = (
            f"{namespace} {local}" for local in ("sheetData", "row", "c", "extLst")
        )
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == self._tag_row:
            number = attributes.get("r", str(self.row + 1))
            if not number.isdecimal():
                raise unsound(self._where, f"a row is numbered {number[:20]!r}")
            self.row = int(number)
            self._row_start = self._parser.CurrentByteIndex
            self._insert = self._column = -1
            self._late = []
            if not self._watch:
                self._parser.StartElementHandler = None
        elif name == self._tag_cell and self._row_start >= 0:
            self._in_cell = True
            reference = attributes.get("r")
            self._column = COLUMNS[reference.rstrip(DIGITS)] if reference else self._column + 1
            if self._column >= self._first_column:
                self._cell = (self._column, self._parser.CurrentByteIndex, attributes.get("s"))
        elif name == self._tag_extension and not self._in_cell:  # a cell may have one of its own
            self._insert = self._parser.CurrentByteIndex

    def _end(self, name: str) -> None:
        if name == self._tag_row:
            insert = self._insert if self._insert >= 0 else self._parser.CurrentByteIndex
            self.spots.append(Spot(self.row, self._row_start, insert, self._late))
            self._row_start = -1
            self.ground.ended(self._parser.CurrentByteIndex)
            if not self._watch:
                self._parser.StartElementHandler = self._start
        elif name == self._tag_cell:
            self._in_cell = False
            if self._cell is not None:
                column, start, style = self._cell
                self._late.append(Late(column, start, self._parser.CurrentByteIndex, style))
                self._cell = None
        elif name == self._tag_data:
            self._depth -= 1
            self.ground.left()
            self._parser.StartElementHandler = self._outer_start
            self._parser.EndElementHandler = self._outer_end
