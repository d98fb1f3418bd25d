"""What floats over the cells of a sheet: pictures, charts, shapes, buttons, and comments that are always shown.

Owns where they stand. They are never moved: which of them belongs beside the data and which is in the way is the user's
to say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from enricher.errors import InputError
from enricher.sheets.xlsx.cells.references import MAX_COLUMNS, MAX_ROWS, Area, letters_of
from enricher.sheets.xlsx.opc.markup import new_parser, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from xml.parsers import expat

    from enricher.sheets.xlsx.opc.package import Package, Relationship

_ANCHORS = {"twoCellAnchor", "oneCellAnchor"}
_POINTS = {"from", "to"}
_MEASURES = {"col", "colOff", "row", "rowOff"}
_COLUMN_EMU, _ROW_EMU = 609_600, 190_500
"""A default column and row, in English Metric Units, for what says its size instead of where it ends."""
_MAX_AREAS = 10_000
# VML is often no well-formed XML, so it is looked through as text.
# No pattern here looks further than the next tag: a part of opening tags alone would take it hours.
_CLIENT_DATA, _CLIENT_DATA_END = (
    re.compile(rb"<x:ClientData\b", re.IGNORECASE),
    re.compile(rb"</x:ClientData>", re.IGNORECASE),
)
_VML_ANCHOR = re.compile(rb"<x:Anchor>([\d\s,]*)</x:Anchor>", re.IGNORECASE)
_VML_ANCHOR_NUMBERS = 8
_NOTE, _VISIBLE = (
    re.compile(rb"""ObjectType\s*=\s*["']Note""", re.IGNORECASE),
    re.compile(rb"<x:Visible\b", re.IGNORECASE),
)


def floating_areas(package: Package, links: Sequence[Relationship]) -> list[Area]:
    """Return which cells something floats over; `links` are those of the sheet's part."""
    areas: list[Area] = []
    for link in links:
        try:
            if link.kind == "drawing" and link.target in package:
                areas += _drawn(package.stream(link.target), link.target)
            elif link.kind == "vmlDrawing" and link.target in package:
                areas += _drawn_in_vml(package.read(link.target))
        except InputError:  # a drawing that can't be read is copied as it came, and nothing else depends on it
            continue
    return areas[:_MAX_AREAS]


def note_on(floating: Sequence[Area], new: Area) -> str | None:
    """Say that something floats over the new cells."""
    hits = [area for area in floating if area.meets(new)]
    if not hits:
        return None
    left = letters_of(max(new.left, min(area.left for area in hits)))
    right = letters_of(min(new.right, max(area.right for area in hits)))
    columns = f"column {left}" if left == right else f"columns {left} to {right}"
    return f"A picture, chart or shape stands over the new cells of {columns}: move it aside to see them"


class _Anchors:
    """The handlers for DrawingML (ECMA-376 part 1, 20.5.2)."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self.areas: list[Area] = []
        self._point = ""
        self._texts: list[str] = []
        self._found: dict[str, int] = {}
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._texts.append

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if local in _ANCHORS:
            self._found = {}
        elif local in _POINTS:
            self._point = local
        elif local == "ext" and "cx" in attributes and "width" not in self._found:
            self._found["width"] = _number(attributes["cx"])
            self._found["height"] = _number(attributes.get("cy", ""))
        self._texts.clear()

    def _end(self, name: str) -> None:
        local = name.rpartition(" ")[2]
        if local in _MEASURES and self._point:
            self._found[f"{self._point} {local}"] = _number("".join(self._texts))
        elif local in _POINTS:
            self._point = ""
        elif local in _ANCHORS and len(self.areas) < _MAX_AREAS:
            self.areas.append(self._area())

    def _area(self) -> Area:
        found = self._found
        left, top = found.get("from col", 0), found.get("from row", 0)
        if "to col" in found:  # it ends where that cell begins, or inside of it
            right = found["to col"] - (not found.get("to colOff"))
            bottom = found.get("to row", top) - (not found.get("to rowOff"))
        else:
            right = left + found.get("width", 0) // _COLUMN_EMU
            bottom = top + found.get("height", 0) // _ROW_EMU
        return _area_of(left, top, right, bottom)


def _drawn(chunks: Iterable[bytes], where: str) -> list[Area]:
    parser = new_parser(where)
    anchors = _Anchors(parser)
    parse(parser, chunks, where)
    return anchors.areas


def _drawn_in_vml(data: bytes) -> list[Area]:
    areas = []
    for before_end in _CLIENT_DATA_END.split(data)[:-1]:
        [_, *contents] = _CLIENT_DATA.split(before_end, maxsplit=1)
        anchor = _VML_ANCHOR.search(contents[0]) if contents else None
        if anchor is None or (_NOTE.search(contents[0]) and not _VISIBLE.search(contents[0])):
            continue
        numbers = [_number(number.decode()) for number in anchor[1].split(b",")]
        if len(numbers) == _VML_ANCHOR_NUMBERS:
            left, _, top, _, right, right_offset, bottom, bottom_offset = numbers
            areas.append(_area_of(left, top, right - (not right_offset), bottom - (not bottom_offset)))
    return areas


def _area_of(left: int, top: int, right: int, bottom: int) -> Area:
    """Make an area of columns and rows that both count from 0."""
    left, top = min(left, MAX_COLUMNS - 1), min(top, MAX_ROWS - 1)
    return Area(top + 1, left, min(max(top, bottom), MAX_ROWS - 1) + 1, min(max(left, right), MAX_COLUMNS - 1))


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0  # noqa: PLR2004 - of 64 bits
