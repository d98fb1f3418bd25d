"""Tables of web pages, which shops and reports save under the name .xls.

Owns which tables of a page are sheets and what the text of a cell is. A table inside another is a table of its own:
pages lay out their parts with tables. Knows no spool file, only rows.
"""

from __future__ import annotations

import codecs
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from enricher.errors import InputError
from enricher.sheets.foreign.limits import CHUNK_BYTES, MAX_CELL_CHARS, MAX_NESTING, MAX_TABLES
from enricher.sheets.foreign.spool import RowCollector, SpoolWriter, TableEntry
from enricher.sheets.grid import CellKind
from enricher.sheets.xlsx.cells.display import decimal_text
from enricher.sheets.xlsx.cells.references import MAX_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_CHARSET = re.compile(rb"""<meta\s[^>]*?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_HEAD_BYTES = 64 << 10
_SPACES = re.compile(r"[ \t\r\n\f]+")
_SPACE_RUN = re.compile(" {2,}")
_LINES = re.compile(r" *\n[ \n]*")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+")
_MAX_COLSPAN, _MAX_ROWSPAN = 1_000, 65_534  # HTML Living Standard, 4.9.11
_MAX_SKIPPED = 50_000_000
_UNDER = {"thead", "tbody", "tfoot", "caption", "colgroup"}
_BLOCKS = {"p", "div", "li"}
_NO_TEXT = {"script", "style", "title"}


def read_page(path: Path, writer: SpoolWriter) -> list[TableEntry]:
    """Write every table with at least two rows to the spool, named Table 1 and so on. Raises InputError, OSError."""
    page = _Page(path.name, writer)
    decoder = codecs.getincrementaldecoder(encoding_of(path))("replace")
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            page.take(decoder.decode(chunk))
    page.finish()
    tables = [table for table in page.tables if table.rows > 1]
    if not tables:
        raise InputError(
            f"{path.name}: this is a web page, and no table of it has two rows. "
            "Open it in Excel, save it as .xlsx and use that."
        )
    for number, table in enumerate(tables, 1):
        table.name = f"Table {number}"
    return tables


def encoding_of(path: Path) -> str:
    """Tell a page's encoding by its byte order mark, else take what fits of what it says itself, UTF-8 and cp1252."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    if head[1:200:2].count(0) > len(head[1:200:2]) // 2:
        return "utf-16-le"
    said = _CHARSET.search(head)
    names = [_python_name(said[1].decode())] if said else []
    return next((name for name in [*names, "utf-8"] if name and _fits(path, name)), "cp1252")


def _python_name(label: str) -> str:
    """Translate a label as browsers do: Latin-1 is cp1252, and a UTF-16 that can be read as ASCII is none."""
    try:
        name = codecs.lookup(label).name
        "".encode(name)  # hex and its like are codecs, too, but not of text
    except LookupError:
        return ""
    if name in {"iso8859-1", "ascii"}:
        return "cp1252"
    return "utf-8" if name.startswith(("utf-16", "utf-32", "utf-7")) else name


def _fits(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


class _Table:
    """A table that is open: where the next cell goes, and the cell that is being read."""

    def __init__(self, name: str, writer: SpoolWriter) -> None:
        self.entry = TableEntry("")
        self._name = name
        self._rows = RowCollector(writer, self.entry)
        self._number = 0
        self._column = 0
        self._skipped = 0
        self._cells: list[tuple[int, str, CellKind, int]] = []
        self._taken_to: dict[int, int] = {}  # the last row that a cell from above reaches to, by column
        self._in_row = False
        self._pieces: list[str] | None = None
        self._chars = 0
        self._number_said = ""

    def start_row(self) -> None:
        self.end_row()
        self._number += 1
        self._column = 0
        self._in_row = True

    def start_cell(self, attributes: dict[str, str | None]) -> None:
        self.end_cell()
        if not self._in_row:
            self.start_row()
        while self._taken_to.get(self._column, 0) >= self._number:
            self._column += 1
            self._skipped += 1
        width = _span(attributes.get("colspan"), _MAX_COLSPAN)
        height = _span(attributes.get("rowspan"), _MAX_ROWSPAN)
        if self._skipped > _MAX_SKIPPED:
            raise InputError(
                f"{self._name}: too many cells of a table reach over several rows. Save the data as CSV and use that."
            )
        if self._column + width > MAX_COLUMNS:
            raise InputError(
                f"{self._name}: row {self._number} of a table has more than the {MAX_COLUMNS:,} columns of a sheet. "
                "Save the data as CSV and use that."
            )
        self._place = self._column
        if height > 1:
            self._taken_to.update(dict.fromkeys(range(self._column, self._column + width), self._number + height - 1))
        self._column += width
        self._pieces, self._chars = [], 0
        self._number_said = attributes.get("x:num") or ""

    def text(self, text: str) -> None:
        if self._pieces is None:
            return
        self._pieces.append(text)
        self._chars += len(text)
        if self._chars > MAX_CELL_CHARS:
            raise InputError(
                f"{self._name}: a cell in row {self._number} of a table has more than {MAX_CELL_CHARS:,} characters. "
                "Fetch the file again, or save the data as CSV and use that."
            )

    def end_cell(self) -> None:
        if self._pieces is None:
            return
        text, kind = _seen(self._pieces, self._number_said)
        if text:
            self._cells.append((self._place, text, kind, 0))
        self._pieces = None

    def end_row(self) -> None:
        self.end_cell()
        self._rows.add(self._number, self._cells)
        self._cells = []
        self._in_row = False

    def end(self) -> None:
        self.end_row()
        if self._rows.count > 1:  # pages have thousands of tables of one row
            self._rows.flush()


class _Page(HTMLParser):
    """The tables of a page, in the order they begin."""

    def __init__(self, name: str, writer: SpoolWriter) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[TableEntry] = []
        self._name = name
        self._writer = writer
        self._open: list[_Table] = []
        self._silent = ""

    def take(self, text: str) -> None:
        """Take the next piece of the page. Raises InputError."""
        self.feed(text)
        if len(self.rawdata) > MAX_CELL_CHARS:
            raise InputError(
                f"{self._name}: the web page has a tag that never ends. Fetch it again, or save the data as CSV."
            )

    def finish(self) -> None:
        """Say that the page is at an end. Raises InputError where that is in the midst of a table.

        HTMLParser.close is not called: it searches what is left once for every "<" in it, which takes hours.
        """
        if self._open:
            raise InputError(
                f"{self._name}: the web page is cut short: its last table never ends. Fetch it again, or open it in "
                "Excel, see whether all rows are there, save it as .xlsx and use that."
            )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _NO_TEXT:
            self._silent = tag
        elif tag == "table":
            self._start_table()
        elif self._open:
            table = self._open[-1]
            if tag in {"td", "th"}:
                table.start_cell(dict(attrs))
            elif tag == "tr":
                table.start_row()
            elif tag in _UNDER:
                table.end_row()
            elif tag in _BLOCKS or tag == "br":
                table.text("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""
        if tag in {"body", "html"}:
            while self._open:
                self._open.pop().end()
        elif self._open:
            table = self._open[-1]
            if tag == "table":
                self._open.pop().end()
            elif tag in {"td", "th"}:
                table.end_cell()
            elif tag == "tr" or tag in _UNDER:
                table.end_row()
            elif tag in _BLOCKS:
                table.text("\n")

    def handle_data(self, data: str) -> None:
        if self._open and not self._silent:
            self._open[-1].text(_SPACES.sub(" ", data))

    def _start_table(self) -> None:
        if len(self._open) == MAX_NESTING:
            raise InputError(f"{self._name}: the web page has tables nested deeper than {MAX_NESTING}. Save it as CSV.")
        self.tables = [table for table in self.tables if table.rows > 1 or self._is_open(table)]
        if len(self.tables) == MAX_TABLES:
            raise InputError(
                f"{self._name}: this is a web page with more than {MAX_TABLES} tables. Save the one with the codes as "
                ".xlsx or CSV and use that."
            )
        self._open.append(_Table(self._name, self._writer))
        self.tables.append(self._open[-1].entry)

    def _is_open(self, entry: TableEntry) -> bool:
        return any(table.entry is entry for table in self._open)


def _span(said: str | None, most: int) -> int:
    text = (said or "").strip()
    if not (text.isascii() and text.isdigit()) or not text.strip("0"):
        return 1
    return most if len(text) > len(str(most)) else min(int(text), most)


def _seen(pieces: Iterable[str], number: str) -> tuple[str, CellKind]:
    r"""Write a cell: the text that is shown, but the number itself where only its first digits are.

    >>> _seen(["8.9E+12"], "8901234567890"), _seen(["no", "\n", " B00X "], "")
    (('8901234567890', <CellKind.NUMBER: 1>), ('no\nB00X', <CellKind.TEXT: 0>))
    """
    text = _LINES.sub("\n", _SPACE_RUN.sub(" ", "".join(pieces))).strip(" \n")
    if not text.strip():
        return "", CellKind.TEXT  # a hard space is how a page says that a cell is blank
    if number:
        digits = decimal_text(number)
        if digits == text or _SCIENTIFIC.fullmatch(text):
            return digits, CellKind.NUMBER
    return text, CellKind.TEXT
