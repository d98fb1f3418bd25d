"""New JSON lines from a table of any kind: an object a row, with the same names in every one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enricher.sheets.jsonl.members import NewMembers
from enricher.sheets.jsonl.tokens import joined, tokens_of_cells
from enricher.sheets.named_rows import NamedRows
from enricher.sheets.names import unique_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from enricher.cells import Additions
    from enricher.sheets.grid import Grid

_OPENING, _COMMA, _CLOSING, _NOTHING = (pa.scalar(mark, pa.large_string()) for mark in ("{", ",", "}\n", ""))


def write_new_jsonl(
    target: Path,
    grids: Callable[[], Iterable[Grid]],
    header_row: int,
    additions: Additions,
    tick: Callable[[int], None],
) -> list[str]:
    """Write a table's data rows and the new columns as JSON lines in UTF-8.

    Numbers are numbers by their own digits, booleans such, dates ISO texts, blank cells null; a blank row is an object
    of nulls, so that there are as many lines as data rows. `grids` is called twice; `additions.index` has one element a
    data row, and rows beyond its end get nulls. Returns what the user should know. Raises OSError.
    """
    rows = NamedRows.of(grids, header_row, len(additions.index))
    members = NewMembers(additions, unique_names(rows.names, additions.names))
    done = 0
    with target.open("wb") as out:
        for count, columns in rows.data():
            index = np.full(count, -1, np.int32)
            known = additions.index[done : done + count]
            index[: len(known)] = known
            new = members.texts_or_nulls(index)
            if columns:
                own = joined(rows.names, [tokens_of_cells(column) for column in columns])
                new = pc.binary_join_element_wise(own, new, _COMMA)
            lines = pc.binary_join_element_wise(_OPENING, new, _CLOSING, _NOTHING)
            out.writelines(lines.cast(pa.large_binary()).to_pylist())
            done += count
            tick(count)
    return rows.notes()
