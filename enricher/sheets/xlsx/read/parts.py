"""The small parts that must know of new columns: tables, and the hidden name of a sheet's filter.

Owns how each is read and edited in place, byte by byte. Knows no row.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from enricher.sheets.xlsx.cells.encoder import escaped_text
from enricher.sheets.xlsx.cells.references import Area, letters_of, parse_area
from enricher.sheets.xlsx.cells.strings import unescaped
from enricher.sheets.xlsx.opc.markup import (
    edited,
    elements,
    escaped,
    escaped_attribute,
    number_in,
    prefix_of,
    retagged,
    tag_at,
)
from enricher.sheets.xlsx.opc.refusals import unsound

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_ID = 2**32 - 1
_FILTER_NAME = "_xlnm._FilterDatabase"
_NAMED_AREA = re.compile(r"(.*!)(\$?[A-Z]{1,3}\$?\d+(?::\$?[A-Z]{1,3}\$?\d+)?)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Table:
    """A table (ListObject) on a sheet; `plain` is false for query and XML tables: their columns are their source's."""

    part: str
    name: str
    area: Area
    header_rows: int
    totals_rows: int
    plain: bool
    columns: tuple[str, ...]

    @property
    def last_data_row(self) -> int:
        """The last row that is data: the totals are none."""
        return self.area.bottom - self.totals_rows

    def has_header_at(self, row: int) -> bool:
        """Tell whether the table's header is that row of the sheet."""
        return self.header_rows > 0 and self.area.top == row

    def covers(self, columns: Sequence[int]) -> bool:
        """Tell whether all these columns of the sheet are the table's."""
        return all(self.area.left <= column <= self.area.right for column in columns)


def read_table(part: str, data: bytes, where: str) -> Table | None:
    """Read a table part; None if its place can't be read. Raises InputError."""
    found = elements(data, where)
    attributes = found[0].attributes
    area = parse_area(attributes.get("ref", ""))
    if found[0].name != "table" or area is None:
        return None
    names = tuple(unescaped(element.attributes.get("name", "")) for element in found if element.name == "tableColumn")
    return Table(
        part,
        attributes.get("displayName") or attributes.get("name", ""),
        area,
        number_in(attributes, "headerRowCount", 1, where),
        number_in(attributes, "totalsRowCount", 0, where),
        attributes.get("tableType", "worksheet") == "worksheet",
        names,
    )


def widened_table(data: bytes, area: Area, names: Sequence[str], where: str) -> bytes:
    """Return a table part with columns added at the right: ref, filter, count, columns. Raises InputError."""
    found = elements(data, where)
    columns = next((element for element in found if element.name == "tableColumns" and element.depth == 1), None)
    if columns is None or columns.start == columns.end:
        raise unsound(where, "a table of the sheet has no columns")
    own = [element for element in found if element.name == "tableColumn"]
    prefix = prefix_of(tag_at(data, columns.start))
    used = {number_in(element.attributes, "id", 0, where) for element in own}
    first = 1 + max(used, default=0)
    if first + len(names) > _MAX_ID:
        first = 1
    free = (number for number in itertools.count(first) if number not in used)
    new = "".join(
        f'<{prefix}tableColumn id="{number}" name="{_column_name(name)}"/>'
        for number, name in zip(free, names, strict=False)
    )
    edits = [
        retagged(data, found[0], "ref", str(area)),
        retagged(data, columns, "count", str(len(own) + len(names))),
        (columns.end, columns.end, new.encode()),
    ]
    for element in found:
        if element.name == "autoFilter" and element.depth == 1:
            old = parse_area(element.attributes.get("ref", ""))
            if old is not None:  # the filter leaves out the totals
                edits.append(retagged(data, element, "ref", str(old._replace(right=area.right))))
    return edited(data, edits)


def widened_filter_name(data: bytes, sheet_index: int, old: Area, new: Area, where: str) -> bytes | None:
    """Return workbook.xml with the sheet's filter name on the new area; None if it doesn't name the old one."""
    for element in elements(data, where):
        if (
            element.name == "definedName"
            and element.attributes.get("name") == _FILTER_NAME
            and element.attributes.get("localSheetId") == str(sheet_index)
        ):
            match = _NAMED_AREA.fullmatch(element.text.strip())
            if match and parse_area(match[2]) == old:
                absolute = f"${letters_of(new.left)}${new.top}:${letters_of(new.right)}${new.bottom}"
                start = element.start + len(tag_at(data, element.start))
                return edited(data, [(start, element.end, escaped(match[1] + absolute).encode())])
    return None


def _column_name(name: str) -> str:
    # As the header cell has it, but for what an attribute can't: newlines become spaces there unless escaped.
    text, _ = escaped_text(name)
    return escaped_attribute(text).replace("\n", "_x000a_").replace("\t", "_x0009_")
