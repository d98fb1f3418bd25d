"""Where the new columns go and what else must change with them, decided before a byte is written.

Owns the rules of placing and every refusal that protects the sheet. No I/O: facts of a scan in, a plain plan out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from enricher.errors import InputError
from enricher.sheets.names import unique_names
from enricher.sheets.xlsx.cells.references import MAX_COLUMNS, Area, letters_of
from enricher.sheets.xlsx.opc.refusals import AS_CSV, or_new_workbook
from enricher.sheets.xlsx.write.drawings import note_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enricher.sheets.xlsx.cells.facts import Cell, Facts
    from enricher.sheets.xlsx.read.parts import Table

_WIDTHS = (("title", 48), ("note", 40), ("image", 30), ("category", 26), ("list", 26))
_TEXT_WIDTH = 18
_NUMBER_WIDTH = 13
_HEADER_MARGIN = 3


@dataclass(frozen=True, slots=True)
class Placement:
    """The plan of a splice. None among the areas, the table and the widths means: leave as it is.

    `widths` are those of the new columns, to follow the sheet's own; where these are in the way, `opened_widths` are
    for `with_columns_shown` instead.
    """

    header_row: int
    last_row: int
    first_column: int
    names: tuple[str, ...]
    header_style: str | None
    dimension: Area
    widths: tuple[int, ...] | None
    opened_widths: tuple[int, ...] | None
    table: Table | None
    table_area: Area | None
    filter_area: Area | None
    notes: tuple[str, ...]


def decide(
    facts: Facts, tables: Sequence[Table], schema: pa.Schema, where: str, floating: Sequence[Area] = ()
) -> Placement:
    """Place the columns of `schema` on a sheet of which these facts are known. Raises InputError.

    `floating` is what pictures and charts stand over; they stay where they are, and a note tells of them.
    """
    header = facts.header or []
    if facts.header_row and facts.header is None:
        raise InputError(
            f"{where}: row {facts.header_row} was named as the header, and the sheet has nothing there. "
            "Name the row that holds the titles with --header-row, or use --no-header."
        )
    rows = Area(facts.header_row or 1, 0, max(facts.last_row, facts.header_row, 1), MAX_COLUMNS - 1)
    own = next((table for table in tables if facts.header_row and table.has_header_at(facts.header_row)), None)
    occupied = [table.area.right for table in tables if table.area.meets(rows)]
    first = 1 + max([facts.content_right, *occupied])
    taken = [cell[1] for cell in header] + list(own.columns if own else ())
    names = tuple(unique_names(taken, schema.names))
    last = first + len(names) - 1
    if last >= MAX_COLUMNS:
        raise InputError(
            f"{where}: {len(names)} new columns from {letters_of(min(first, MAX_COLUMNS - 1))} on would go past XFD, "
            f"the last column of a worksheet. Remove what stands far to the right and retry, or {AS_CSV}."
        )
    area = rows._replace(left=first, right=last)
    _refuse_merged(facts.merged, area, where)
    notes = []
    widened = None
    if own is not None:
        touches = own.area.right + 1 == first
        if touches and own.plain:
            widened = own
            _refuse_merged(facts.merged, own.area._replace(left=first, right=last), where)  # it may reach further down
        elif touches:
            notes.append(f"The table '{own.name}' was not widened: its columns belong to a query or an XML map")
        else:
            notes.append(f"The table '{own.name}' was not widened: there is other content to its right")
    covered = note_on(floating, area)
    if covered is not None:
        notes.append(covered)
    widths = _widths(schema)
    they_follow = all(right < first for _, right, _ in facts.widths)
    old_filter = facts.filter_area
    filtered = old_filter is not None and old_filter.top == facts.header_row and old_filter.right + 1 == first
    return Placement(
        header_row=facts.header_row,
        last_row=facts.last_row,
        first_column=first,
        names=names,
        header_style=_last_style(header),
        dimension=_dimension(facts, area),
        widths=widths if they_follow else None,
        opened_widths=None if they_follow else widths,
        table=widened,
        table_area=widened.area._replace(right=last) if widened else None,
        filter_area=old_filter._replace(right=last) if old_filter and filtered else None,
        notes=tuple(notes),
    )


def width_of(name: str, kind: pa.DataType) -> int:
    """Return a column width, in characters, that suits what the column holds."""
    is_text = not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))
    by_content = next((width for word, width in _WIDTHS if word in name), _TEXT_WIDTH) if is_text else _NUMBER_WIDTH
    return max(by_content, len(name) + _HEADER_MARGIN)


def _widths(schema: pa.Schema) -> tuple[int, ...]:
    return tuple(width_of(column.name, column.type) for column in schema)


def _last_style(header: Sequence[Cell]) -> str | None:
    """Return the style of the last header cell that has a text; "0" is the style of a cell that names none."""
    last = max(header, default=None)
    return str(last[3]) if last is not None and last[3] else None


def _dimension(facts: Facts, area: Area) -> Area:
    left = min(facts.cells_left, area.left)
    return Area(facts.top or area.top, left, facts.bottom or area.bottom, max(facts.cells_right, area.right))


def _refuse_merged(merged: Sequence[Area], area: Area, where: str) -> None:
    hit = next((merge for merge in merged if merge.meets(area)), None)
    if hit is not None:
        raise InputError(
            f"{where}: the merged cells {hit} reach into the columns {letters_of(area.left)} to "
            f"{letters_of(area.right)}, where the new columns go. {or_new_workbook('Unmerge them and retry')}"
        )
