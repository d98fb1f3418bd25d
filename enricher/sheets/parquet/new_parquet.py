"""A new parquet file from a table of any kind: its own columns as texts, the new ones typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from enricher.sheets.named_rows import NamedRows
from enricher.sheets.names import unique_names
from enricher.sheets.parquet.groups import RowGroup
from enricher.sheets.parquet.new_columns import NewColumns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from enricher.cells import Additions
    from enricher.sheets.grid import Grid

_GROUP_ROWS = 131_072


def write_new_parquet(
    target: Path,
    grids: Callable[[], Iterable[Grid]],
    header_row: int,
    additions: Additions,
    tick: Callable[[int], None],
) -> list[str]:
    """Write a table's data rows and the new columns as parquet, with page checksums.

    The table's own columns are texts whatever they hold: a column of a spreadsheet has no type, and a code must never
    become a double. Blank cells and rows are nulls, so that there are as many rows as data rows. `grids` is called
    twice; `additions.index` has one element a data row, and rows beyond its end get nulls. Returns what the user should
    know. Raises OSError.
    """
    rows = NamedRows.of(grids, header_row, len(additions.index))
    new = NewColumns(additions, unique_names(rows.names, additions.names))
    schema = pa.schema([*(pa.field(name, pa.string()) for name in rows.names), *new.fields])
    done = 0
    with target.open("wb") as out, pq.ParquetWriter(out, schema, write_page_checksum=True) as writer:
        group = RowGroup(writer, schema, tick)
        for count, columns in rows.data():
            own = [_without_blanks(column.text) for column in columns]
            group.add(pa.RecordBatch.from_arrays([*own, *new.columns(done, count)], schema=schema))
            done += count
            if group.rows >= _GROUP_ROWS:
                group.write()
        group.write()
    return rows.notes()


def _without_blanks(text: pa.StringArray) -> pa.StringArray:
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
