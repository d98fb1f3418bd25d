"""XML spreadsheets of Excel 2002 and 2003 (SpreadsheetML), which many reports write and call .xls.

Owns where a cell is and what its text is. Knows no spool file, only rows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.parsers import expat

from enricher.errors import InputError
from enricher.sheets.foreign.limits import CHUNK_BYTES, MAX_CELL_CHARS, MAX_TABLES
from enricher.sheets.foreign.spool import RowCollector, SpoolWriter, TableEntry
from enricher.sheets.grid import CellKind
from enricher.sheets.xlsx.cells.display import decimal_text
from enricher.sheets.xlsx.cells.references import MAX_COLUMNS, MAX_ROWS
from enricher.sheets.xlsx.cells.styles import zeros_in
from enricher.sheets.xlsx.opc.markup import new_parser

if TYPE_CHECKING:
    from pathlib import Path

_SS = "urn:schemas-microsoft-com:office:spreadsheet "
_VISIBLE = "urn:schemas-microsoft-com:office:excel Visible"
_MAX_SILENT_BYTES = 64 << 20
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?")
_NO_DAY = {"1899-12-30", "1899-12-31", "1904-01-01"}  # the days of a time without one, by the workbook's date system


def read_xml_2003(path: Path, writer: SpoolWriter) -> list[TableEntry]:
    """Write every worksheet to the spool. Raises InputError, OSError."""
    reader = _Reader(path.name, writer)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            reader.feed(chunk)
    reader.feed(b"", final=True)
    return reader.tables


class _Reader:
    """The handlers; one sheet, row, cell at a time."""

    def __init__(self, name: str, writer: SpoolWriter) -> None:
        self.tables: list[TableEntry] = []
        self._name = name
        self._writer = writer
        self._rows: RowCollector | None = None
        self._style_id = ""
        self._zeros: dict[str, int] = {}
        self._path: list[str] = []
        self._row = self._row_span = 0
        self._row_style = ""
        self._cells: list[tuple[int, str, CellKind, int]] = []
        self._column = self._next_column = 0
        self._cell_style = self._type = ""
        self._pieces: list[str] | None = None
        self._chars = self._silent_bytes = 0
        self._parser = new_parser(name)
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        """Take the next bytes. Raises InputError."""
        self._silent_bytes += len(chunk)
        try:
            self._parser.Parse(chunk, final)
        except expat.ExpatError as error:
            raise self._damaged(f"{expat.ErrorString(error.code)}, line {error.lineno}") from None
        except (ValueError, LookupError):  # an encoding that Python does not know, or not as one byte a character
            raise self._damaged("its encoding is unknown") from None
        if self._silent_bytes > _MAX_SILENT_BYTES:
            raise self._damaged(f"row {self._row} is larger than {_MAX_SILENT_BYTES >> 20} MB")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        parent = self._path[-1] if self._path else ""
        self._path.append(name)
        if name == f"{_SS}Row" and parent == f"{_SS}Table":
            self._start_row(attributes)
        elif name == f"{_SS}Cell" and parent == f"{_SS}Row":
            self._start_cell(attributes)
        elif name == f"{_SS}Data" and parent == f"{_SS}Cell":
            self._type = attributes.get(f"{_SS}Type", "String")
            self._pieces, self._chars = [], 0
        elif name == f"{_SS}Worksheet":
            self.tables.append(TableEntry(attributes.get(f"{_SS}Name", "")))
            if len(self.tables) > MAX_TABLES:
                raise self._damaged(f"it has more than {MAX_TABLES} sheets")
            self._rows = RowCollector(self._writer, self.tables[-1])
            self._row = self._row_span = 0
        elif name == f"{_SS}Style":
            self._style_id = attributes.get(f"{_SS}ID", "")
        elif name == f"{_SS}NumberFormat":
            self._zeros[self._style_id] = zeros_in(attributes.get(f"{_SS}Format", ""))
        elif name == _VISIBLE:
            self._pieces, self._chars = [], 0

    def _start_row(self, attributes: dict[str, str]) -> None:
        following = self._row + 1 + self._row_span
        self._row = self._place(attributes, "Index", following, MAX_ROWS)
        self._row_span = self._place(attributes, "Span", 0, MAX_ROWS)
        self._row_style = attributes.get(f"{_SS}StyleID", "")
        self._cells = []
        self._next_column = 0

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self._column = self._place(attributes, "Index", self._next_column + 1, MAX_COLUMNS) - 1
        self._next_column = self._column + 1 + self._place(attributes, "MergeAcross", 0, MAX_COLUMNS)
        self._cell_style = attributes.get(f"{_SS}StyleID", self._row_style)

    def _place(self, attributes: dict[str, str], name: str, default: int, most: int) -> int:
        """Read a count of rows or columns; an Index that leads back would make two cells at one place."""
        text = attributes.get(f"{_SS}{name}")
        value = default
        if text is not None:
            if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
                raise self._damaged(f"row {self._row} has ss:{name}={text[:20]!r}")
            value = int(text)
        if value > most or (name == "Index" and value < default):
            raise self._damaged(f"after row {self._row} there is something at place {value}")
        return value

    def _text(self, text: str) -> None:
        if self._pieces is not None:
            self._pieces.append(text)
            self._chars += len(text)
            if self._chars > MAX_CELL_CHARS:
                raise self._damaged(f"a cell in row {self._row} has more than {MAX_CELL_CHARS:,} characters")

    def _end(self, name: str) -> None:
        self._path.pop()
        if name == f"{_SS}Data" and self._pieces is not None:
            text, kind = _seen(self._type, "".join(self._pieces))
            zeros = self._zeros.get(self._cell_style, 0) if kind is CellKind.NUMBER else 0
            if text:
                self._cells.append((self._column, text, kind, zeros))
            self._pieces = None
        elif name == f"{_SS}Row" and self._rows is not None:
            self._rows.add(self._row, self._cells)
            self._cells = []
            self._silent_bytes = 0
        elif name == f"{_SS}Worksheet" and self._rows is not None:
            self._rows.flush()
            self._rows = None
        elif name == _VISIBLE and self._pieces is not None:
            if self.tables:
                self.tables[-1].hidden = "Hidden" in "".join(self._pieces)
            self._pieces = None

    def _damaged(self, why: str) -> InputError:
        return InputError(
            f"{self._name}: the XML spreadsheet is damaged ({why}). "
            "Fetch it again, or open it in Excel, save it as .xlsx and use that."
        )


def _seen(kind: str, text: str) -> tuple[str, CellKind]:
    """Write a cell's data.

    >>> _seen("DateTime", "2024-02-29T00:00:00.000"), _seen("Number", "1.2345678905E10")
    (('2024-02-29', <CellKind.DATE: 3>), ('12345678905', <CellKind.NUMBER: 1>))
    """
    match kind:
        case "Number" if text.strip():
            return decimal_text(text.strip()), CellKind.NUMBER
        case "Boolean" if text.strip() in {"0", "1"}:
            return ("TRUE" if text.strip() == "1" else "FALSE"), CellKind.BOOLEAN
        case "DateTime":
            found = _MOMENT.fullmatch(text.strip())
            if found:
                day, clock, fraction = found.groups()
                clock += (fraction or "").rstrip("0").rstrip(".")
                if day in _NO_DAY:
                    return clock, CellKind.TIME
                return (day if clock == "00:00:00" else f"{day}T{clock}"), CellKind.DATE
    return text, CellKind.TEXT
