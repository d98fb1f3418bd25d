"""The `cols` of a sheet part where they are in the way: hidden ranges opened, widths put between the user's own.

Owns the bytes before the rows and no other. Where new widths can simply follow the old ones, the splice adds them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING
from xml.parsers import expat

from enricher.sheets.xlsx.opc.markup import (
    NAMESPACES,
    TRUE_WORDS,
    Edit,
    damaged,
    edited,
    new_parser,
    number_in,
    prefix_of,
    tag_at,
    with_attribute,
)
from enricher.sheets.xlsx.opc.refusals import unsound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_MAX_HEAD_BYTES = 16 << 20
_COL_DEPTH = 2


@dataclass(frozen=True, slots=True)
class _Col:
    """A `<col>`: the columns it is about (0 is the first), and where it stands."""

    left: int
    right: int
    hidden: bool
    start: int


@dataclass(slots=True)
class _Head:
    """What stands before the rows; `cols_end` is the offset of `</cols>`, -1 where there is none."""

    cols: list[_Col] = field(default_factory=list)
    cols_end: int = -1
    complete: bool = False


def with_columns_shown(chunks: Iterable[bytes], first: int, widths: Sequence[int], where: str) -> Iterator[bytes]:
    """Hand on a sheet part in which the columns from `first` on are shown, with these widths in characters.

    A hidden range is split around them, with all its attributes; a width of the user's stays. Raises InputError.
    """
    pieces = iter(chunks)
    data, head = _read_head(pieces, where)
    return chain([edited(data, _edits(data, head, first, widths))], pieces)


def _read_head(pieces: Iterator[bytes], where: str) -> tuple[bytes, _Head]:
    head = _Head()
    parser = new_parser(where)
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        namespace, _, local = name.rpartition(" ")
        if local == "col" and depth == _COL_DEPTH and namespace in NAMESPACES:
            left = number_in(attributes, "min", 1, where) - 1
            right = number_in(attributes, "max", left + 1, where) - 1
            head.cols.append(_Col(left, right, attributes.get("hidden") in TRUE_WORDS, parser.CurrentByteIndex))
        elif local == "sheetData" and depth == 1:
            head.complete = True
        depth += 1

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        if depth == 1 and name.endswith(" cols") and not head.complete:
            head.cols_end = parser.CurrentByteIndex

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    data = b""
    try:
        for piece in pieces:
            data += piece
            parser.Parse(piece, False)
            if head.complete:
                break
            if len(data) > _MAX_HEAD_BYTES:
                raise unsound(where, f"there are more than {_MAX_HEAD_BYTES >> 20} MB before the first row")
    except expat.ExpatError as error:
        raise damaged(where, error) from None
    return data, head


def _edits(data: bytes, head: _Head, first: int, widths: Sequence[int]) -> list[Edit]:
    if head.cols_end < 0:
        return []
    last = first + len(widths) - 1
    prefix = prefix_of(data[head.cols_end :])
    free = {
        first
        + place: f'<{prefix}col min="{first + place + 1}" max="{first + place + 1}" width="{width}" customWidth="1"/>'
        for place, width in enumerate(widths)
    }
    edits: list[Edit] = []
    for col in head.cols:
        inside = [column for column in range(max(first, col.left), min(last, col.right) + 1) if column in free]
        if not inside:
            continue
        new = "".join(free.pop(column) for column in inside).encode()
        if col.hidden:
            edits.append(_split(data, col, (first, last), new))
    between: dict[int, str] = {}
    for column, tag in free.items():
        before = next((col.start for col in head.cols if col.left > column), head.cols_end)
        between[before] = between.get(before, "") + tag
    return edits + [(before, before, tags.encode()) for before, tags in between.items()]


def _split(data: bytes, col: _Col, new_range: tuple[int, int], new: bytes) -> Edit:
    """Put the new columns in the place of their share of a hidden range."""
    tag = tag_at(data, col.start)
    end = col.start + len(tag) if tag.endswith(b"/>") else data.index(b">", col.start + len(tag)) + 1
    whole = data[col.start : end]
    first, last = new_range
    if col.left < first:
        new = with_attribute(whole, "max", str(first)) + new
    if col.right > last:
        new += with_attribute(whole, "min", str(last + 2))
    return col.start, end, new
