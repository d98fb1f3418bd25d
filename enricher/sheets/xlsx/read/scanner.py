"""The rows of a worksheet part, read from a stream of bytes, and what the sheet says around them.

Owns what the text of a cell is. Knows no header, no table and no batch: it hands on rows as they come. The handlers run
five times a cell, so they are lean on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

from enricher.errors import InputError
from enricher.sheets.xlsx.cells.display import decimal_text
from enricher.sheets.xlsx.cells.facts import Cell, Facts, Row
from enricher.sheets.xlsx.cells.references import COLUMNS, DIGITS, MAX_COLUMNS, MAX_ROWS, letters_of, parse_area
from enricher.sheets.xlsx.cells.strings import shared_text, unescaped
from enricher.sheets.xlsx.opc.ground import Ground
from enricher.sheets.xlsx.opc.markup import NAMESPACES, TRUE_WORDS, damaged, new_parser
from enricher.sheets.xlsx.opc.refusals import unsound
from enricher.sheets.xlsx.read.surroundings import note_merged, note_width

if TYPE_CHECKING:
    from enricher.sheets.xlsx.cells.strings import SharedStrings

MAX_ROW_BYTES = 16 << 20
_MAX_TEXT_BYTES = 128 << 20  # of the shared strings that the cells of some rows point to
_MAX_DIGITS = 9  # of a row's number or a style's that may be one


class RowScanner:
    """Feed it the bytes of the part; it returns the rows that are complete.

    `wanted` are the columns whose text is needed (None: all); of the header row all cells are taken. `after_row` is
    where numbering goes on when the bytes begin in the middle of a sheet.
    """

    def __init__(
        self,
        where: str,
        strings: SharedStrings,
        header_row: int = 0,
        wanted: frozenset[int] | None = None,
        after_row: int = 0,
    ) -> None:
        self.facts = Facts(header_row)
        self._where = where
        self._strings = strings
        self._empties = strings.empties
        self._wanted = wanted
        self._rows: list[Row] = []
        self._pieces: list[str] = []
        self._runs: list[str] = []
        self.fed_bytes = 0
        self._waiting_bytes = self._text_bytes = self._passed_lines = 0
        self._depth = 0
        self._number = after_row
        self._take = wanted
        self._column = -1
        self._left, self._right = MAX_COLUMNS, -1
        self._attributes: dict[str, str] = {}
        self._filled = self._phonetic = self._formula = self._in_row = self._in_cell = False
        self._cells: list[Cell] = []
        self._parser = new_parser(where)
        self.ground = Ground(self._parser, "sheetData", "row")
        self._parser.StartElementHandler = self._outer_start
        self._parser.EndElementHandler = self._outer_end

    def feed(self, chunk: bytes) -> list[Row]:
        """Take some bytes and return the rows they complete. Raises InputError."""
        try:
            self._parser.Parse(chunk, False)
        except expat.ExpatError as error:
            raise damaged(self._where, error, self._passed_lines) from None
        self.ground.fed(chunk)
        rows, self._rows = self._rows, []
        self._text_bytes = 0 if rows else self._text_bytes
        self.fed_bytes += len(chunk)
        self._waiting_bytes = 0 if rows else self._waiting_bytes + len(chunk)
        if self._waiting_bytes > MAX_ROW_BYTES and self._in_row:
            raise InputError(
                f"{self._where}: row {self._number} is larger than {MAX_ROW_BYTES >> 20} MB. "
                "Save the sheet as CSV and use that."
            )
        return rows

    @property
    def row(self) -> int:
        """The number of the last row."""
        return self._number

    def at_edge(self) -> bool:
        """Say whether rows may pass the scanner by here."""
        return self.ground.at_edge() and not (self._formula or self._phonetic)

    def passed(self, rows: bytes, last_row: int) -> None:
        """Hear of whole rows that were read in another way."""
        self._number = last_row
        self._passed_lines += rows.count(b"\n") if b"\n" in rows else 0  # to count takes a nanosecond a byte
        self.fed_bytes += len(rows)

    def close(self) -> Facts:
        """Say that the bytes are at an end; the facts are complete now. Raises InputError."""
        try:
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise damaged(self._where, error, self._passed_lines) from None
        self.facts.encoding = self.ground.encoding
        self.facts.cells_left = min(self.facts.cells_left, self._left)
        self.facts.cells_right = max(self.facts.cells_right, self._right)
        if not self.facts.has_sheet_data:
            raise InputError(f"{self._where}: the sheet's part holds no worksheet. Open it in Excel and save it again.")
        return self.facts

    # --- around the rows ---

    def _outer_start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        self._depth += 1
        if namespace not in NAMESPACES:
            return
        if local == "sheetData" and self._depth == 2:  # noqa: PLR2004 - a child of the root
            self._enter_rows(namespace)
        elif local == "mergeCell":
            note_merged(self.facts, attributes, self._where)
        elif local == "autoFilter" and self._depth == 2:  # noqa: PLR2004 - not that of a custom view
            self.facts.filter_area = parse_area(attributes.get("ref", ""))
        elif local == "col":
            note_width(self.facts, attributes, self._where)

    def _outer_end(self, _: str) -> None:
        self._depth -= 1

    def _enter_rows(self, namespace: str) -> None:
        if self.facts.has_sheet_data:
            raise unsound(self._where, "it holds its rows twice")
        self.facts.has_sheet_data = True
        self.ground.entered(self._parser.CurrentByteIndex)
        self._tag_data, self._tag_row, self._tag_cell, self._tag_value = (
            f"{namespace} {local}" for local in ("sheetData", "row", "c", "v")
        )
        self._tag_formula, self._tag_text, self._tag_inline, self._tag_phonetic, self._tag_extension = (
            f"{namespace} {local}" for local in ("f", "t", "is", "rPh", "extLst")
        )
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._pieces.append

    def _leave_rows(self) -> None:
        self._depth -= 1
        self.ground.left()
        self._parser.StartElementHandler = self._outer_start
        self._parser.EndElementHandler = self._outer_end
        self._parser.CharacterDataHandler = None

    # --- inside sheetData ---

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == self._tag_cell:
            if self._in_cell:
                raise unsound(self._where, f"row {self._number} has a cell inside a cell")
            self._in_cell = True
            try:
                column = COLUMNS[attributes["r"].rstrip(DIGITS)]
            except KeyError:
                column = self._column + 1
                if column >= MAX_COLUMNS:
                    raise self._no_place(f"{letters_of(column)}{self._number}") from None
            except ValueError:
                raise self._no_place(attributes["r"]) from None
            self._column = column
            self._attributes = attributes
            if not self._left <= column <= self._right:
                self._left, self._right = min(self._left, column), max(self._right, column)
        elif name == self._tag_value:
            self._pieces.clear()
        elif name == self._tag_row:
            self._start_row(attributes)
        elif name == self._tag_formula:
            self._formula = True
        else:
            self._start_rarer(name)

    def _start_rarer(self, name: str) -> None:
        if name == self._tag_text:
            self._pieces.clear()
        elif name == self._tag_inline:
            self._runs.clear()
        elif name == self._tag_phonetic:
            self._phonetic = True
        elif name == self._tag_extension:
            self.facts.row_extensions = True
        elif name == self._tag_data:
            raise unsound(self._where, f"its rows begin anew in row {self._number}")

    def _end(self, name: str) -> None:
        if name == self._tag_value:
            # Of a cell that isn't wanted, in a row that is known to show something, nothing more is to be learned.
            column = self._column
            if not self._filled or column > self.facts.content_right or self._take is None or column in self._take:
                self._value()
        elif name == self._tag_cell:
            self._in_cell = False
            if self._formula:
                self._end_formula()
        elif name == self._tag_row:
            self._rows.append(Row(self._number, self._filled, self._cells))
            self._in_row = False
            self.ground.ended(self._parser.CurrentByteIndex)
        elif name == self._tag_text:
            if not self._phonetic:
                self._runs.append("".join(self._pieces))
        elif name == self._tag_inline:
            self._inline("".join(self._runs))
        else:
            self._end_rarer(name)

    def _end_rarer(self, name: str) -> None:
        if name == self._tag_phonetic:
            self._phonetic = False
        elif name == self._tag_data:
            self._leave_rows()

    def _start_row(self, attributes: dict[str, str]) -> None:
        number = attributes.get("r")
        previous = self._number
        if number is not None and not (number.isdecimal() and len(number) <= _MAX_DIGITS):
            raise unsound(self._where, f"a row is numbered {number!r:.40} in the file")
        self._number = previous + 1 if number is None else int(number)
        if not previous < self._number <= MAX_ROWS or self._in_row:
            place = f"{'in' if self._in_row else 'after'} row {previous}"
            raise unsound(self._where, f"row {self._number} stands {place} in the file")
        self._in_row = True
        facts = self.facts
        facts.rows += 1
        facts.top = facts.top or self._number
        facts.bottom = self._number
        self._column = -1
        self._filled = False
        self._cells = []
        self._take = None if self._number == facts.header_row else self._wanted

    def _value(self) -> None:
        """Take the `<v>` of the current cell."""
        if not self._pieces:
            return
        column = self._column
        raw = self._pieces[0] if len(self._pieces) == 1 else "".join(self._pieces)
        kind = self._attributes.get("t")
        if kind == "s" and raw in self._empties:
            return
        self._filled = True
        facts = self.facts
        if column > facts.content_right and self._number >= facts.header_row:
            facts.content_right = column
        if self._take is not None and column not in self._take:
            return
        style = self._style()
        if kind == "s":
            text = shared_text(self._strings, raw, self._where)
            self._text_bytes += len(text)
            if self._text_bytes > _MAX_TEXT_BYTES:
                raise unsound(self._where, f"row {self._number} and its neighbours show more than 128 MB of text")
            cell = (column, text, False, style)
        elif kind is None or kind == "n":
            cell = (column, decimal_text(raw), True, style)
        elif kind == "b":
            cell = (column, "TRUE" if raw.strip() in TRUE_WORDS else "FALSE", False, style)
        else:  # str, e, d
            cell = (column, unescaped(raw), False, style)
        self._cells.append(cell)

    def _style(self) -> int:
        style = self._attributes.get("s") or "0"
        return int(style) if style.isdecimal() and len(style) <= _MAX_DIGITS else 0

    def _inline(self, raw: str) -> None:
        text = unescaped(raw)
        if not text:
            return
        self._filled = True
        self._occupy()
        if self._take is None or self._column in self._take:
            self._cells.append((self._column, text, False, self._style()))

    def _end_formula(self) -> None:
        """Take note of a formula: it is never written over, and one not worked out yet may have a value."""
        self._formula = False
        self._occupy()
        if self._attributes.get("t") != "str":
            self._filled = True

    def _occupy(self) -> None:
        if self._number >= self.facts.header_row:
            self.facts.content_right = max(self.facts.content_right, self._column)

    def _no_place(self, reference: str) -> InputError:
        what = f"row {self._number} holds a cell called {reference!r}, which is no place on a sheet"
        return unsound(self._where, what)
