"""The parquet file: answers as a plain table that any parquet reader can use.

One row a product found, and one with no product for a code that was not found. Columns: `code_type`, `domain`, `code`
(the key), `outcome`, `fetched_at`, `item` (0, 1, ... among the products of one answer), then every documented field
under its own name and type, and `raw`: the JSON of whatever else the API said, so that nothing it said is lost. The
file's metadata holds, under `enricher`, a line like the journal's (CRC-32, space, JSON) with the format version, the
API's host and the outputs written from it; never the API key. Pages carry checksums, and reading verifies them:
without, two thirds of single flipped bits read back as wrong data.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from enricher.disk import sync_folder
from enricher.errors import StoreError
from enricher.keys import KeyArray, pack_texts
from enricher.model import ARROW_TYPES, FIELDS, Answer, CodeType, Domain, Field, Item, Products
from enricher.store.journal import FORMAT, check_header, from_line, to_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

BATCH_ROWS = 4_096  # with all fields some megabytes, several times over while they are rendered
_ROW_GROUP = 32_768
_INT64 = 2**63
_MOST_NUMBER = 1e300  # beyond it an integer fits no double
_HEADER = b"enricher"
_WAY_OUT = "Nothing was changed. Restore it from a backup, or choose another with --store FILE.parquet"
SCHEMA = pa.schema(
    [
        pa.field("code_type", pa.string(), nullable=False),
        pa.field("domain", pa.string(), nullable=False),
        pa.field("code", pa.string(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("fetched_at", pa.timestamp("ms", tz="UTC"), nullable=False),
        pa.field("item", pa.int16(), nullable=False),
        *(pa.field(field.name, ARROW_TYPES[field.kind]) for field in FIELDS.values()),
        pa.field("raw", pa.string()),
    ]
)


def to_table(answers: Sequence[Answer]) -> pa.Table:
    """Lay answers out as rows of SCHEMA, in order."""
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for answer in answers:
        for item_at, item in enumerate(answer.items or ({},)):
            row = _flatten(item)
            row.update(answer.key._asdict(), outcome=answer.outcome.value, fetched_at=answer.fetched_at, item=item_at)
            for name, values in columns.items():
                values.append(row.get(name))
    return pa.table(columns, schema=SCHEMA)


def _flatten(item: Item) -> dict[str, Any]:
    """Move the documented fields of the right type to their columns, and the rest to `raw`."""
    rest: Item = json.loads(json.dumps(item))
    row: dict[str, Any] = {}
    for field in FIELDS.values():
        *parents, last = field.path
        holder: Any = rest
        for name in parents:
            holder = holder.get(name) if isinstance(holder, dict) else None
        if not isinstance(holder, dict) or last not in holder:
            continue
        value, is_exact = _fit(holder[last], field)
        row[field.name] = value
        if is_exact:
            del holder[last]
            if parents and not holder:
                del rest[parents[0]]
    row["raw"] = json.dumps(rest, separators=(",", ":")) if rest else None
    return row


def _fit(value: Any, field: Field) -> tuple[Any, bool]:
    """Make a JSON value fit its column. Returns it (None if it can't be) and whether the column tells all of it."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is None:
        return None, True
    if field.kind == "text" and isinstance(value, str):
        text = _encodable(value)
        return text, text == value
    if field.kind == "number" and is_number and abs(value) < _MOST_NUMBER:
        return float(value), float(value) == value
    if field.kind == "integer" and isinstance(value, int) and is_number and -_INT64 <= value < _INT64:
        return value, True
    if field.kind == "boolean" and isinstance(value, bool):
        return value, True
    if field.kind == "list" and isinstance(value, list):
        texts = [_encodable(text) for text in value if isinstance(text, str)]
        return texts, texts == value
    return None, False


def _encodable(text: str) -> str:
    """Replace lone surrogates, which JSON can say and UTF-8 can't."""
    return text.encode("utf-8", "replace").decode("utf-8")


def keys_of(table: pa.Table) -> KeyArray:
    """Return the packed key of every row."""
    types, domains = (table.column(name).to_pandas().to_numpy(object) for name in ("code_type", "domain"))
    codes = table.column("code").to_pandas().to_numpy(object)
    keys = np.zeros(len(table), np.uint64)
    for code_type in CodeType:
        for domain in Domain:
            rows = np.flatnonzero((types == code_type.value) & (domains == domain.value))
            if len(rows):
                keys[rows] = pack_texts(code_type, domain, codes[rows])
    return keys


def fetched_ms(table: pa.Table) -> npt.NDArray[np.int64]:
    """Return when every row was fetched, in milliseconds since 1970 UTC."""
    values: npt.NDArray[np.int64] = table.column("fetched_at").cast(pa.int64()).to_numpy()
    return values


class Kept:
    """Rows of SCHEMA in memory, as Products."""

    def __init__(self, rows: pa.Table, batch_rows: int = BATCH_ROWS) -> None:
        self._rows = rows
        self._batch_rows = batch_rows

    def __len__(self) -> int:
        return len(self._rows)

    def table(self, columns: Sequence[str]) -> pa.Table:
        return self._rows.select(columns)

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self._rows.to_batches(self._batch_rows)


class File:
    """A resume file, open and verified: a snapshot, whatever takes its name later. Its rows are read when asked for.

    `outputs` are those it remembers (path -> SHA-256 hex digests). Raises StoreError where a checksum is wrong, or the
    file is no resume file or another service's.
    """

    def __init__(self, path: Path, host: str) -> None:
        self._name = path.name
        with self._told():
            self._parquet = pq.ParquetFile(path, page_checksum_verification=True)
        header = from_line((self._parquet.schema_arrow.metadata or {}).get(_HEADER, b""))
        if header is None:
            raise StoreError(f"{path.name} is damaged, or a parquet file but no resume file of enricher. {_WAY_OUT}")
        check_header(path, header, host)
        if self._parquet.schema_arrow.remove_metadata() != SCHEMA:
            raise StoreError(f"{path.name} has other columns than a resume file. {_WAY_OUT}")
        self.outputs: dict[str, list[str]] = header["outputs"]
        rows = sum(map(len, self.batches()))  # every page's checksum is seen before anything is taken from any
        if rows != header.get("rows", rows):
            raise StoreError(f"{path.name} is damaged: it holds {rows:,} of {header['rows']:,} rows. {_WAY_OUT}")

    def __len__(self) -> int:
        rows: int = self._parquet.metadata.num_rows
        return rows

    def table(self, columns: Sequence[str]) -> pa.Table:
        """Read some columns of all rows."""
        with self._told():
            return self._parquet.read(columns=[*columns]).replace_schema_metadata(None)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Read all rows in order, some thousands at a time."""
        with self._told():
            for batch in self._parquet.iter_batches(BATCH_ROWS):
                yield batch.replace_schema_metadata(None)

    def close(self) -> None:
        """Let go of the file; Windows replaces no file that is open."""
        self._parquet.close(force=True)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, pa.ArrowException) as error:
            raise StoreError(f"{self._name} is damaged or no resume file ({_short(error)}). {_WAY_OUT}") from None


def _short(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__


def write(
    path: Path,
    rows: Products,
    host: str,
    outputs: dict[str, list[str]],
    before_replacing: Callable[[], None] = lambda: None,
) -> None:
    """Write rows as a new file and let it take the name, whole or not at all. Raises OSError as the disk does."""
    header = {"format": FORMAT, "host": host, "outputs": outputs, "rows": len(rows)}
    partial = path.with_name(f".{path.name}.partial")
    schema = SCHEMA.with_metadata({_HEADER: to_line(header)})
    try:
        with partial.open("wb") as file:
            written = 0
            with pq.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True) as writer:
                for table in _row_groups(rows.batches()):
                    writer.write_table(table.cast(schema))
                    written += len(table)
            if written != len(rows):
                raise AssertionError(f"{written} of {len(rows)} rows were written to {path.name}")
            file.flush()
            os.fsync(file.fileno())
        before_replacing()
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)


def _row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Gather batches to row groups that are neither many nor more than memory should hold."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(map(len, waiting)) >= _ROW_GROUP:
            yield pa.Table.from_batches(waiting)
            waiting = []
    yield pa.Table.from_batches(waiting, SCHEMA)
