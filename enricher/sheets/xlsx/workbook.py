"""Worksheets as sources: which sheets a workbook has, and the two passes over one of them.

Owns the order of things. How rows are read, where columns go and how bytes are spliced is decided in the modules
beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from enricher.errors import InputError
from enricher.sheets.stamp import Stamp
from enricher.sheets.xlsx.cells.encoder import cut_notes, grown_bytes
from enricher.sheets.xlsx.cells.strings import SharedStrings
from enricher.sheets.xlsx.cells.styles import PLAIN, Styles, read_styles
from enricher.sheets.xlsx.opc.limits import LIMITS, Limits
from enricher.sheets.xlsx.opc.markup import TRUE_WORDS, elements
from enricher.sheets.xlsx.opc.package import Package
from enricher.sheets.xlsx.read.parts import Table, read_table, widened_filter_name, widened_table
from enricher.sheets.xlsx.read.reading import SheetReader
from enricher.sheets.xlsx.read.rows import DataRows, preview_of
from enricher.sheets.xlsx.read.seen import grid_of
from enricher.sheets.xlsx.read.shared_strings import read_strings
from enricher.sheets.xlsx.write.columns import with_columns_shown
from enricher.sheets.xlsx.write.drawings import floating_areas
from enricher.sheets.xlsx.write.placement import Placement, decide
from enricher.sheets.xlsx.write.seals import refuse_sealed
from enricher.sheets.xlsx.write.splicing import SheetSplicer
from enricher.sheets.xlsx.write.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from enricher.cells import Additions, Batch, Preview
    from enricher.sheets.grid import Grid
    from enricher.sheets.xlsx.cells.facts import Facts
    from enricher.sheets.xlsx.cells.references import Area
    from enricher.sheets.xlsx.cells.row_block import RowBlock

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

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self.stamp = Stamp(path)
        self._limits = limits
        with self.open() as package:
            self.part = _workbook_part(package)
            self._links = {link.id: link for link in package.relationships(self.part)}
            self.date1904, self.entries = self._read(package)

    def open(self) -> Package:
        """Open the file. Raises InputError."""
        return Package(self.path, self._limits)

    @cached_property
    def strings(self) -> SharedStrings:
        """The shared strings."""
        part = self._linked("sharedStrings")
        if part is None:
            return SharedStrings()
        with self.open() as package:
            return read_strings(package.stream(part, held=True), self.path.name)

    @cached_property
    def styles(self) -> Styles:
        """The number formats by style."""
        part = self._linked("styles")
        if part is None:
            return PLAIN
        with self.open() as package:
            return read_styles(package.read(part), self.path.name)

    def refuse_sealed(self) -> None:
        """Raise InputError for a workbook that must not be added to."""
        with self.open() as package:
            refuse_sealed(package, (link.kind for link in self._links.values()))

    def _linked(self, kind: str) -> str | None:
        return next((link.target for link in self._links.values() if link.kind == kind and link.target), None)

    def _read(self, package: Package) -> tuple[bool, list[_Entry]]:
        date1904 = False
        entries: list[_Entry] = []
        index = 0
        for element in elements(package.read(self.part), self.path.name):
            if element.name == "workbookPr":
                date1904 = element.attributes.get("date1904") in TRUE_WORDS
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
        return preview_of(self._blocks(self._reader(0, None)), rows, self._book.styles)

    def batches(self, header_row: int, columns: Sequence[int]) -> Iterator[Batch]:
        """Read the data rows, only the columns asked for; no cell's text is null. Raises InputError."""
        reader = self._reader(header_row, frozenset(columns))
        own = next((table for table in self._tables if header_row and table.has_header_at(header_row)), None)
        data = DataRows(reader.facts, columns, self._book.styles, own)
        yield from data.batches(self._blocks(reader), lambda: self._share(reader))
        self._facts[header_row] = reader.facts

    def grids(self) -> Iterator[Grid]:
        """Read every row with its texts as a person sees them. Raises InputError."""
        for block in self._blocks(self._reader(0, None)):
            yield grid_of(block, self._book.styles, date1904=self._book.date1904)

    def write(self, target: Path, header_row: int, additions: Additions, tick: Callable[[int], None]) -> list[str]:
        """Write the workbook with the new columns in this sheet; `tick` hears how many more data rows are done.

        Raises InputError, OutputError, OSError; the target is of no use then.
        """
        facts = self._known(header_row)
        if len(additions.index) != facts.data_rows:
            raise ValueError(f"{len(additions.index)} answers for {facts.data_rows} data rows")
        additions = replace(additions, pieces=additions.table())  # made once, and then asked for rows in any order
        placement = self._placement(header_row, additions.schema)
        watch = facts.cells_right >= placement.first_column or facts.row_extensions
        splicer = SheetSplicer(self._where, placement, additions, watch=watch)
        part = self._entry.part
        with self._book.open() as package:
            edited = self._edited_parts(package, facts, placement)
            streamed = {part.lower(): lambda: splicer.pieces(self._opened(package, placement), tick)}
            package.copy(target, edited, streamed, grown_bytes(additions))
            verify(target, package, part, edited, (placement, additions, splicer.done))
        return [*placement.notes, *cut_notes(splicer.done.cut_texts)]

    def check(self, header_row: int, schema: pa.Schema) -> None:
        """Raise InputError for what `write` could not do without damage."""
        self._placement(header_row, schema)

    # --- reading ---

    @property
    def _where(self) -> str:
        return f"{self.path.name}, sheet '{self.sheet}'"

    def _reader(self, header_row: int, wanted: frozenset[int] | None) -> SheetReader:
        return SheetReader(self._where, self._book.strings, header_row, wanted)

    def _blocks(self, reader: SheetReader) -> Iterator[RowBlock]:
        self._book.stamp.check()
        with self._book.open() as package:
            yield from reader.blocks(package.stream(self._entry.part))

    def _share(self, reader: SheetReader) -> float:
        return min(1.0, reader.fed_bytes / max(1, self._size_bytes))

    @cached_property
    def _size_bytes(self) -> int:
        with self._book.open() as package:
            return package.size_bytes(self._entry.part)

    @cached_property
    def _tables(self) -> list[Table]:
        with self._book.open() as package:
            found = [
                read_table(link.target, package.read(link.target), self._where)
                for link in package.relationships(self._entry.part)
                if link.kind == "table" and link.target
            ]
        return [table for table in found if table is not None]

    @cached_property
    def _floating(self) -> list[Area]:
        with self._book.open() as package:
            return floating_areas(package, package.relationships(self._entry.part))

    def _known(self, header_row: int) -> Facts:
        """Return what a full scan found; the first pass has usually done it."""
        self._book.stamp.check()
        if header_row not in self._facts:
            for _ in self.batches(header_row, ()):
                pass
        return self._facts[header_row]

    # --- writing ---

    def _placement(self, header_row: int, schema: pa.Schema) -> Placement:
        self._book.refuse_sealed()
        return decide(self._known(header_row), self._tables, schema, self._where, self._floating)

    def _opened(self, package: Package, placement: Placement) -> Iterator[bytes]:
        """Return the sheet's part with the columns of the new cells shown."""
        chunks, widths = package.stream(self._entry.part), placement.opened_widths
        return chunks if widths is None else with_columns_shown(chunks, placement.first_column, widths, self._where)

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


def worksheets(path: Path, limits: Limits = LIMITS) -> list[Worksheet]:
    """List the worksheets of a workbook in its order, the hidden ones last. Raises InputError."""
    book = Book(path, limits)
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
