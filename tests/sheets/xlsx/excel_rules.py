"""What Excel is known to enforce when it opens a workbook, and "repairs" the file where it is broken.

Independent of the program: read with ElementTree, which knows nothing of how the file was written.
"""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zipfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHILDREN = """
sheetPr dimension sheetViews sheetFormatPr cols sheetData sheetCalcPr sheetProtection protectedRanges scenarios
autoFilter sortState dataConsolidate customSheetViews mergeCells phoneticPr conditionalFormatting dataValidations
hyperlinks printOptions pageMargins pageSetup headerFooter rowBreaks colBreaks customProperties cellWatches
ignoredErrors smartTags drawing legacyDrawing legacyDrawingHF drawingHF picture oleObjects controls webPublishItems
tableParts extLst
"""
ORDER = CHILDREN.split()
"""The children of a worksheet (ECMA-376 part 1, 18.3.1.99)."""
IGNORABLE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Ignorable"
REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


class Book:
    """The parts of a workbook file by name."""

    def __init__(self, path: Path) -> None:
        with zipfile.ZipFile(path) as file:
            assert file.testzip() is None
            self.members = file.infolist()
            self.parts = {name: file.read(name) for name in file.namelist()}

    def xml(self, name: str) -> ET.Element:
        return ET.fromstring(self.parts[name])  # noqa: S314 - our own output

    def links(self, name: str) -> dict[str, tuple[str, str]]:
        """Return kind and target of a part's relationships, by id."""
        folder, base = posixpath.split(name)
        rels = posixpath.join(folder, "_rels", f"{base}.rels")
        if rels not in self.parts:
            return {}
        found = {}
        for link in self.xml(rels):
            inside = link.get("TargetMode") != "External"
            target = posixpath.normpath(posixpath.join("/", folder, link.get("Target", "")))[1:] if inside else ""
            found[link.get("Id", "")] = (link.get("Type", "").rpartition("/")[2], target)
        return found


def raw_members(path: Path) -> dict[str, tuple[object, ...]]:
    """Return the compressed bytes of every member, and what the directory says of it."""
    found: dict[str, tuple[object, ...]] = {}
    with zipfile.ZipFile(path) as file, path.open("rb") as raw:
        for member in file.infolist():
            raw.seek(member.header_offset + 26)
            raw.seek(sum(struct.unpack("<HH", raw.read(4))), 1)
            found[member.filename] = (
                raw.read(member.compress_size),
                member.CRC,
                member.date_time,
                member.compress_type,
                member.external_attr,
            )
    return found


def broken_rules(path: Path) -> list[str]:
    """Return every rule that a workbook breaks, each in a line with its part."""
    book = Book(path)
    broken = [*_package(book)]
    tables: list[str] = []
    for name, data in book.parts.items():
        if name.endswith((".xml", ".rels")):
            broken += [f"{name}: {line}" for line in _prefixes(data)]
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            broken += [f"{name}: {line}" for line in _sheet(book, name)]
            tables += [target for kind, target in book.links(name).values() if kind == "table"]
    ids = [book.xml(name).get("id") for name in tables]
    names = [str(book.xml(name).get("displayName")).casefold() for name in tables]
    broken += [f"table ids are not unique: {ids}"] * (len(set(ids)) < len(ids))
    broken += [f"table names are not unique: {names}"] * (len(set(names)) < len(names))
    return broken


def _package(book: Book) -> Iterator[str]:
    types = book.xml("[Content_Types].xml")
    endings = {one.get("Extension", "").lower() for one in types if local(one) == "Default"}
    named = {one.get("PartName", "").lower() for one in types if local(one) == "Override"}
    for name in book.parts:
        if name.endswith("/") or name == "[Content_Types].xml":
            continue
        if f"/{name.lower()}" not in named and name.rpartition(".")[2].lower() not in endings:
            yield f"{name} has no content type"
        if name.endswith(".rels"):
            source = name.replace("_rels/", "").removesuffix(".rels")
            for kind, target in book.links(source).values():
                if target and target.lower() not in {part.lower() for part in book.parts}:
                    yield f"{name}: the {kind} {target} is not there"
    for member in book.members:
        if member.extra.startswith(b"\x01\x00") and member.file_size < 1 << 31:
            yield f"{member.filename} has zip64 and needs none"


def _prefixes(data: bytes) -> Iterator[str]:
    declared: set[str] = set()
    root = True
    for event, found in ET.iterparse(io.BytesIO(data), events=("start-ns", "start")):  # noqa: S314
        if event == "start-ns":
            declared.add(found[0])
        elif root:
            root = False
            for prefix in found.get(IGNORABLE, "").split():
                if prefix not in declared:
                    yield f"mc:Ignorable names {prefix}, which is not declared"


def _sheet(book: Book, name: str) -> Iterator[str]:
    sheet = book.xml(name)
    children = [local(child) for child in sheet]
    known = [child for child in children if child in ORDER]
    if known != sorted(known, key=ORDER.index):
        yield f"its elements are out of order: {known}"
    cells, lines = _cells(book, sheet)
    yield from lines
    dimension = _child(sheet, "dimension")
    if dimension is not None and cells:
        top, left, bottom, right = area(dimension.get("ref", ""))
        if not all(top <= row <= bottom and left <= column <= right for row, column in cells):
            yield f"cells stand outside of the dimension {dimension.get('ref')}"
    cols = _child(sheet, "cols")
    last = 0
    for col in cols if cols is not None else ():
        if not last < int(col.get("min", "0")) <= int(col.get("max", "0")) <= 16_384:
            yield f"the widths overlap or are out of order at column {col.get('min')}"
        last = int(col.get("max", "0"))
    areas = [area(merge.get("ref", "")) for merge in sheet.iter() if local(merge) == "mergeCell"]
    for kind, target in book.links(name).values():
        if kind == "table":
            areas.append(area(book.xml(target).get("ref", "")))
            yield from (f"{target}: {line}" for line in _table(book.xml(target), cells))
    for place, one in enumerate(areas):
        if any(meet(one, other) for other in areas[:place]):
            yield f"merged cells or tables overlap at {one}"


def _cells(book: Book, sheet: ET.Element) -> tuple[dict[tuple[int, int], str], list[str]]:
    """Return what each cell with something in it shows, and what is wrong with rows and cells."""
    lines, cells = [], {}
    strings = [
        "".join(t.text or "" for t in si.iter() if local(t) == "t") for si in _root(book, "xl/sharedStrings.xml")
    ]
    styles = next((one for one in _root(book, "xl/styles.xml") if local(one) == "cellXfs"), ())
    data = _child(sheet, "sheetData")
    previous = 0
    for row in data if data is not None else ():
        number = int(row.get("r", previous + 1))
        if not previous < number <= 1_048_576:
            lines.append(f"row {number} stands after row {previous}")
        previous, column = number, 0
        for cell in row:
            if local(cell) != "c":
                continue
            match = REFERENCE.fullmatch(cell.get("r", f"{'A'}{number}"))
            place = column_of(match[1]) if match and "r" in cell.attrib else column + 1
            if match is None or int(match[2]) != number or place <= column:
                lines.append(f"cell {cell.get('r')} is out of place in row {number}")
            column = place
            if styles and int(cell.get("s", "0")) >= len(styles):
                lines.append(f"cell {cell.get('r')} has the style {cell.get('s')} of {len(styles)}")
            shown = _shown(cell, strings)
            if shown is None:
                lines.append(f"cell {cell.get('r')} holds no sound value")
            cells[number, column] = shown or ""
    return cells, lines


def _shown(cell: ET.Element, strings: list[str]) -> str | None:
    value, kind = _child(cell, "v"), cell.get("t", "n")
    raw = "" if value is None else value.text or ""
    if kind == "inlineStr":
        text = "".join(t.text or "" for t in cell.iter() if local(t) == "t")
        edges = any(t.text != (t.text or "").strip() and not t.get(SPACE) for t in cell.iter() if local(t) == "t")
        return None if len(text.encode("utf-16-le")) > 65_534 or edges else text
    if kind == "s":
        return strings[int(raw)] if raw.isdigit() and int(raw) < len(strings) else None
    if kind == "b":
        return raw if raw in {"0", "1"} else None
    if kind == "n" and raw:
        return raw if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", raw.strip()) else None
    return raw


SPACE = "{http://www.w3.org/XML/1998/namespace}space"


def _table(table: ET.Element, cells: dict[tuple[int, int], str]) -> Iterator[str]:
    top, left, bottom, right = area(table.get("ref", ""))
    holder = _child(table, "tableColumns")
    columns = list(holder) if holder is not None else []
    if holder is None or int(holder.get("count", len(columns))) != len(columns) or len(columns) != right - left + 1:
        yield f"{table.get('ref')} has {len(columns)} columns"
    names = [unescaped(column.get("name", "")) for column in columns]
    if len({name.casefold() for name in names}) < len(names):
        yield f"column names are not unique: {names}"
    if len({column.get("id") for column in columns}) < len(columns):
        yield "column ids are not unique"
    if table.get("headerRowCount", "1") != "0":
        header = [unescaped(cells.get((top, left + place), "")) for place in range(len(names))]
        if header != names:
            yield f"the header shows {header}, and the columns are called {names}"
    own_filter = _child(table, "autoFilter")
    if own_filter is not None:
        rows = bottom - int(table.get("totalsRowCount", "0"))
        if area(own_filter.get("ref", "")) != (top, left, rows, right):
            yield f"its filter is on {own_filter.get('ref')}"


def _root(book: Book, name: str) -> list[ET.Element]:
    return list(book.xml(name)) if name in book.parts else []


def _child(element: ET.Element, name: str) -> ET.Element | None:
    return next((child for child in element if local(child) == name), None)


def local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def column_of(letters: str) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column


def area(reference: str) -> tuple[int, int, int, int]:
    """Return top, left, bottom, right, all from 1."""
    first, _, last = reference.replace("$", "").partition(":")
    start, end = REFERENCE.fullmatch(first), REFERENCE.fullmatch(last or first)
    assert start, reference
    assert end, reference
    return int(start[2]), column_of(start[1]), int(end[2]), column_of(end[1])


def meet(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def unescaped(text: str) -> str:
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text)
