"""A new CSV from a table of another kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enricher.sheets.csv.dialect import Dialect
from enricher.sheets.csv.render import Renderer
from enricher.sheets.csv.texts import BYTES, contents, joined
from enricher.sheets.grid import Extent, to_last_row
from enricher.sheets.names import unique_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from enricher.cells import Additions
    from enricher.sheets.grid import Grid, GridColumn

_BOM = b"\xef\xbb\xbf"
_LINE_END = b"\r\n"


def write_new_csv(  # noqa: PLR0913, PLR0917 - what is written, where, and who hears of it
    target: Path,
    delimiter: str,
    grids: Callable[[], Iterable[Grid]],
    header_row: int,
    additions: Additions,
    tick: Callable[[int], None],
) -> list[str]:
    """Write a table and the new columns as UTF-8 with a BOM, which spreadsheets know it by.

    `grids` is called twice: how many fields a record has is known only after the widest row. Rows above the header
    are kept as they are. Returns what the user should know. Raises OSError.
    """
    extent = Extent.of(grids())
    dialect = Dialect("utf-8", has_bom=True, delimiter=delimiter, quoting=True, line_end="\r\n", decimal=".")
    renderer = Renderer(dialect, additions, target.parent)
    done = 0
    with target.open("wb") as out:
        out.write(_BOM)
        for grid in to_last_row(grids(), extent):
            above = int(np.searchsorted(grid.numbers, header_row))
            has_header = above < len(grid) and grid.numbers[above] == header_row
            first = above + has_header
            index = np.full(len(grid), -1, np.int32)
            known = additions.index[done : done + len(grid) - first]
            index[first : first + len(known)] = known
            done += len(known)
            added = renderer.take(index, grid.numbers > header_row)
            if has_header:
                names = renderer.header(unique_names(grid.texts_of(above), additions.names))
                is_header = pa.array(np.arange(len(grid)) == above)
                added = pc.if_else(is_header, pa.scalar(names.encode(), BYTES), added)
            out.write(_joined([_quoted(column, delimiter) for column in grid.columns], extent.width, delimiter, added))
            tick(len(grid) - first)
    return renderer.warnings()


def _quoted(column: GridColumn, delimiter: str) -> pa.StringArray:
    """Put in quotes what would otherwise be taken for structure."""
    text = pc.fill_null(column.text, "")
    has_marks = pc.match_substring_regex(text, f'[{delimiter}"\r\n]')
    if not pc.any(has_marks).as_py():
        return text
    quoted = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
    return pc.if_else(has_marks, quoted, text)


def _joined(columns: list[pa.StringArray], width: int, delimiter: str, added: pa.LargeBinaryArray) -> memoryview:
    """Join the fields of every row, and what is added behind them, to records one after another."""
    mark = delimiter.encode()
    fields: list[pa.LargeBinaryArray | bytes] = []
    for column in columns:
        fields += [column.cast(pa.large_string()).cast(BYTES), mark]
    _, data = contents(joined(*fields[:-1], mark * (width - max(1, len(columns))), added, _LINE_END))
    return data.data
