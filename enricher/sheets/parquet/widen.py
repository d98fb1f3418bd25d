"""The same parquet file with new columns: types, metadata, row groups and compression as they were.

Owns what a copy must not lose. Values pass through Arrow untouched; only the metadata that lists columns is edited.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from enricher.errors import InputError
from enricher.sheets.names import unique_names
from enricher.sheets.parquet.file import blamed_on
from enricher.sheets.parquet.groups import RowGroup
from enricher.sheets.parquet.metadata import with_new_columns
from enricher.sheets.parquet.new_columns import NewColumns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from enricher.cells import Additions
    from enricher.sheets.parquet.file import ParquetTable

_OLD_LIST = ".list.item"
_NO_ANNOTATION = "NONE"


def write_wider(table: ParquetTable, target: Path, additions: Additions, tick: Callable[[int], None]) -> list[str]:
    """Copy a table to `target` with the new columns at the right; every row in its place, nothing else changed.

    Returns what the user should know. Raises InputError where the file changed or turns out damaged, OSError.
    """
    if len(additions.index) != table.rows:
        raise ValueError(f"{len(additions.index)} answers for {table.rows} rows")
    new = NewColumns(additions, unique_names(table.names, additions.names))
    metadata = with_new_columns(table.schema.metadata, new.fields)
    schema = pa.schema([*table.schema, *new.fields], metadata)
    with blamed_on(table.path.name):  # a name in there may be no text
        options = _options(table, new.names)
    done = 0
    # Through a file of Python's own: Arrow's errors of a full disk have no errno.
    with target.open("wb") as out, pq.ParquetWriter(out, schema, **options) as writer:
        group, number = RowGroup(writer, schema, tick), 0
        for at, batch in table.batches():
            if at != number:
                group.write()
                number = at
            added = new.columns(done, len(batch))
            group.add(pa.RecordBatch.from_arrays([*batch.columns, *added], schema=schema))
            done += len(batch)
        group.write()
    table.check_unchanged()
    if done != len(additions.index):
        raise InputError(f"{table.path.name} is damaged: it holds {done:,} rows and says {table.rows:,}")
    with blamed_on(table.path.name):
        return _changed_types(table, target)


def _options(table: ParquetTable, new_names: Sequence[str]) -> dict[str, Any]:
    """Return the writer's settings that make the copy like the original, as far as a file tells."""
    options: dict[str, Any] = {"write_page_checksum": True}
    if not table.groups:
        return options
    group = table.groups[0]
    chunks = [group.column(at) for at in range(group.num_columns)]
    codecs = {chunk.path_in_schema: _codec(chunk.compression) for chunk in chunks}
    most = Counter(codecs.values()).most_common(1)[0][0]
    has_nested = any(pa.types.is_nested(field.type) for field in table.schema)
    is_mixed = len(set(codecs.values())) > 1 and not has_nested  # inside lists the writer has names of its own
    options["compression"] = codecs | dict.fromkeys(new_names, most) if is_mixed else most
    options["use_dictionary"] = any(chunk.has_dictionary_page for chunk in chunks)
    options["write_page_index"] = any(chunk.has_column_index for chunk in chunks)
    options["sorting_columns"] = group.sorting_columns or None
    options["use_compliant_nested_type"] = not any(_OLD_LIST in chunk.path_in_schema for chunk in chunks)
    # The old form of times, which some readers know alone; the setting is one for all columns.
    times = sum(pa.types.is_timestamp(field.type) for field in table.schema)
    options["use_deprecated_int96_timestamps"] = 0 < times == len(_old_times(table))
    return options


def _codec(name: str) -> str:
    return "none" if name == "UNCOMPRESSED" or not pa.Codec.is_available(name.lower()) else name.lower()


def _changed_types(table: ParquetTable, target: Path) -> list[str]:
    """Name the columns whose type lost an annotation on the way: Arrow does not know all that there are."""
    notes = []
    old = _old_times(table)
    if old:
        notes.append(f"{', '.join(old)}: times in parquet's old form INT96 are kept to the microsecond")
    written = pq.read_metadata(target)
    pairs = [(table.metadata.schema.column(at), written.schema.column(at)) for at in range(table.metadata.num_columns)]
    changed = [
        before.path
        for before, after in pairs
        if before.logical_type.type not in {after.logical_type.type, _NO_ANNOTATION}
    ]
    if changed:
        notes.append(f"the values of {', '.join(changed)} are as they were, but parquet's name for their type is lost")
    return notes


def _old_times(table: ParquetTable) -> list[str]:
    leaves = [table.metadata.schema.column(at) for at in range(table.metadata.num_columns)]
    return [leaf.path for leaf in leaves if leaf.physical_type == "INT96"]
