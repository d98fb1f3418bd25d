"""Worksheets as sources: which sheets a workbook has, and the two passes over one of them.

Owns the order of things. How rows are read, where columns go and how bytes are spliced is decided in the modules
beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from enricher.errors import InputError
from enricher.sheets.stamp import Stamp
from enricher.sheets.xlsx.display import date_text
from enricher.sheets.xlsx.encoder import grown_bytes
from enricher.sheets.xlsx.markup import elements
from enricher.sheets.xlsx.package import Package
from enricher.sheets.xlsx.parts import Table, read_table, widened_filter_name, widened_table
from enricher.sheets.xlsx.placement import Placement, decide
from enricher.sheets.xlsx.rows import DataRows, preview_of
from enricher.sheets.xlsx.scanner import RowScanner, scan
from enricher.sheets.xlsx.splice import Spliced, Splicer, splice
from enricher.sheets.xlsx.strings import SharedStrings, read_strings
from enricher.sheets.xlsx.styles import PLAIN, Styles, read_styles
from enricher.sheets.xlsx.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from enricher.model import Additions, Batch, Preview
    from enricher.sheets.xlsx.facts import Cell, Facts, Row

_HIDDEN = {"hidden", "veryHidden"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the workbook's list of sheets; `index` counts chart sheets, too, as localSheetId does."""

    name: str
    part: str
    index: int
    hidden: bool


class Book:
    """What the sheets of one workbook share; texts and styles are read when first needed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stamp = Stamp(path)
        with Package(path) as package:
            self.part = _workbook_part(package)
            self._links = {link.id: link for link in package.relationships(self.part)}
            self.date1904, self.entries = self._read(package)

    @cached_property
    def strings(self) -> SharedStrings:
        """The shared strings."""
        part = self._linked("sharedStrings")
        if part is None:
            return SharedStrings()
        with Package(self.path) as package:
            return read_strings(package.stream(part), self.path.name)

    @cached_property
    def styles(self) -> Styles:
        """The number formats by style."""
        part = self._linked("styles")
        if part is None:
            return PLAIN
        with Package(self.path) as package:
            return read_styles(package.read(part), self.path.name)

    def _linked(self, kind: str) -> str | None:
        return next((link.target for link in self._links.values() if link.kind == kind and link.target), None)

    def _read(self, package: Package) -> tuple[bool, list[_Entry]]:
        date1904 = False
        entries: list[_Entry] = []
        index = 0
        for element in elements(package.read(self.part), self.path.name):
            if element.name == "workbookPr":
                date1904 = element.attributes.get("date1904") in {"1", "true"}
            elif element.name == "sheet":
                link = self._links.get(element.attributes.get("id", ""))
                if link is not None and link.kind == "worksheet":  # a chart sheet has no cells
                    hidden = element.attributes.get("state") in _HIDDEN
                    entries.append(_Entry(element.attributes.get("name", ""), link.target, index, hidden))
                index += 1
        return date1904, entries


class Worksheet:
    """One worksheet of a workbook: the Source of .xlsx and .xlsm files. Cheap until something is read."""

    def __init__(self, book: Book, entry: _Entry) -> None:
        self._book = book
        self._entry = entry
        self._facts: dict[int, Facts] = {}

    @property
    def path(self) -> Path:
        """The workbook's file."""
        return self._book.path

    @property
    def sheet(self) -> str:
        """The worksheet's name."""
        return self._entry.name

    @property
    def hidden(self) -> bool:
        """Whether the workbook hides the sheet."""
        return self._entry.hidden

    @property
    def description(self) -> str:
        """How the file is read, in words."""
        return f"Excel workbook, sheet '{self.sheet}'"

    def preview(self, rows: int) -> Preview:
        """Return the first rows that show anything, with every column up to the widest of them.

        Raises InputError.
        """
        found: list[Row] = []
        for scanned in self._rows(self._scanner(0, None)):
            found += [row for row in scanned if row.cells]
            if len(found) >= rows:
                break
        return preview_of(found[:rows], self._book.styles)

    def batches(self, header_row: int, columns: Sequence[int]) -> Iterator[Batch]:
        """Read the data rows, only the columns asked for; no cell's text is null. Raises InputError."""
        scanner = self._scanner(header_row, frozenset(columns))
        own = next((table for table in self._tables if header_row and table.has_header_at(header_row)), None)
        data = DataRows(scanner.facts, columns, self._book.styles, own)
        yield from data.batches(self._rows(scanner), lambda: self._share(scanner))
        self._facts[header_row] = scanner.facts

    def text_rows(self) -> Iterator[tuple[int, list[str]]]:
        """Read every row as (row number, texts by column as a person sees them). Raises InputError."""
        for scanned in self._rows(self._scanner(0, None)):
            for row in scanned:
                texts = [""] * (1 + max((cell[0] for cell in row.cells), default=-1))
                for cell in row.cells:
                    texts[cell[0]] = self._seen(cell)
                yield row.number, texts

    def write(self, target: Path, header_row: int, additions: Additions, tick: Callable[[int], None]) -> list[str]:
        """Write the workbook with the new columns in this sheet; `tick` hears how many more data rows are done.

        Raises InputError, OutputError, OSError; the target is of no use then.
        """
        facts = self._known(header_row)
        if len(additions.index) != facts.data_rows:
            raise ValueError(f"{len(additions.index)} answers for {facts.data_rows} data rows")
        placement = self._placement(header_row, additions.schema)
        watch = facts.cells_right >= placement.first_column or facts.row_extensions
        splicer = Splicer(self._where, placement, additions, watch=watch)
        part = self._entry.part
        with Package(self.path) as package:
            edited = self._edited_parts(package, facts, placement)
            streamed = {part.lower(): lambda: splice(splicer, package.stream(part), tick)}
            package.copy(target, edited, streamed, grown_bytes(additions))
            verify(target, package, part, edited, (placement, additions, splicer.done))
        return [*placement.notes, *_notes(splicer.done)]

    def check(self, header_row: int, schema: pa.Schema) -> None:
        """Raise InputError for what `write` could not do without damage."""
        self._placement(header_row, schema)

    # --- reading ---

    @property
    def _where(self) -> str:
        return f"{self.path.name}, sheet '{self.sheet}'"

    def _scanner(self, header_row: int, wanted: frozenset[int] | None) -> RowScanner:
        return RowScanner(self._where, self._book.strings, header_row, wanted)

    def _rows(self, scanner: RowScanner) -> Iterator[list[Row]]:
        self._book.stamp.check()
        with Package(self.path) as package:
            yield from scan(scanner, package.stream(self._entry.part))

    def _share(self, scanner: RowScanner) -> float:
        return min(1.0, scanner.fed_bytes / max(1, self._size_bytes))

    @cached_property
    def _size_bytes(self) -> int:
        with Package(self.path) as package:
            return package.size_bytes(self._entry.part)

    @cached_property
    def _tables(self) -> list[Table]:
        with Package(self.path) as package:
            links = package.relationships(self._entry.part)
            found = [
                read_table(link.target, package.read(link.target), self._where)
                for link in links
                if link.kind == "table" and link.target
            ]
        return [table for table in found if table is not None]

    def _known(self, header_row: int) -> Facts:
        """Return what a full scan found; the first pass has usually done it."""
        self._book.stamp.check()
        if header_row not in self._facts:
            for _ in self.batches(header_row, ()):
                pass
        return self._facts[header_row]

    def _seen(self, cell: Cell) -> str:
        _, text, numeric, style = cell
        if not numeric:
            return text
        kind = self._book.styles.date_of(style)
        if kind:
            return date_text(text, kind, date1904=self._book.date1904)
        return text.zfill(self._book.styles.zeros_of(style)) if text.isdigit() else text

    # --- writing ---

    def _placement(self, header_row: int, schema: pa.Schema) -> Placement:
        with Package(self.path) as package:
            _refuse_signature(package, self.path.name)
        return decide(self._known(header_row), self._tables, schema, self._where)

    def _edited_parts(self, package: Package, facts: Facts, placement: Placement) -> dict[str, bytes]:
        """Return the small parts that must know, by their lower-case name."""
        edited: dict[str, bytes] = {}
        table, area = placement.table, placement.table_area
        if table is not None and area is not None:
            data = package.read(table.part)
            edited[table.part.lower()] = widened_table(data, area, placement.names, self._where)
        if facts.filter_area is not None and placement.filter_area is not None:
            data = package.read(self._book.part)
            named = widened_filter_name(data, self._entry.index, facts.filter_area, placement.filter_area, self._where)
            if named is not None:
                edited[self._book.part.lower()] = named
        return edited


def worksheets(path: Path) -> list[Worksheet]:
    """List the worksheets of a workbook in its order, the hidden ones last. Raises InputError."""
    book = Book(path)
    if not book.entries:
        raise InputError(f"{path.name}: the workbook has no worksheet. Put the codes into one and retry.")
    return [Worksheet(book, entry) for entry in sorted(book.entries, key=lambda entry: entry.hidden)]


def _workbook_part(package: Package) -> str:
    link = next((link for link in package.relationships("") if link.kind == "officeDocument"), None)
    name = package.path.name
    if link is None or not link.target:
        raise InputError(f"{name}: this is no Excel workbook, though a zip like one. Save it as .xlsx and use that.")
    if link.target.lower().endswith(".bin"):
        raise InputError(f"{name}: this is a binary workbook (.xlsb). Save it as .xlsx and use that.")
    if not elements(package.read(link.target), name)[0].name == "workbook":
        raise InputError(f"{name}: this is an Office file, but no Excel workbook.")
    return link.target


def _refuse_signature(package: Package, name: str) -> None:
    if any(part.lower().startswith("_xmlsignatures/") for part in package.names()):
        raise InputError(
            f"{name}: the workbook carries a digital signature, which any change would break. "
            "Save a copy without the signature and use that."
        )


def _notes(done: Spliced) -> list[str]:
    if not done.cut_texts:
        return []
    if done.cut_texts == 1:
        return ["1 text was longer than an Excel cell holds and was cut"]
    return [f"{done.cut_texts} texts were longer than an Excel cell holds and were cut"]
