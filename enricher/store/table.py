"""The parquet file: answers as a plain table that any parquet reader can use.

One row a product found, and one with no product for a code that was not found. Columns: `code_type`, `domain`, `code`
(the key), `outcome`, `fetched_at`, `item` (0, 1, ... among the products of one answer), then every documented field
under its own name and type, and `raw`: the JSON of whatever else the API said, so that nothing it said is lost. The
file's metadata holds, under `enricher`, a line like the journal's (CRC-32, space, JSON) with the format version, the
API's host and the outputs written from it; never the API key. Pages carry checksums, and reading verifies them:
without, two thirds of single flipped bits read back as wrong data.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from enricher.errors import StoreError
from enricher.keys import KeyArray, pack_texts
from enricher.model import ARROW_TYPES, FIELDS, Answer, CodeType, Domain, Field, Item
from enricher.store.journal import FORMAT, check_header, from_line, sync_folder, to_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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


def read(path: Path, host: str) -> tuple[pa.Table, dict[str, list[str]]]:
    """Read a resume file. Returns its rows and the outputs it remembers (path -> SHA-256 hex digests).

    Raises StoreError where a checksum is wrong, the file is no resume file, or is another service's.
    """
    try:
        table = pq.read_table(path, page_checksum_verification=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise StoreError(f"{path.name} is damaged or no resume file ({_short(error)}). {_WAY_OUT}") from None
    header = from_line((table.schema.metadata or {}).get(_HEADER, b""))
    if header is None:
        raise StoreError(f"{path.name} is damaged, or a parquet file but no resume file of enricher. {_WAY_OUT}")
    check_header(path, header, host)
    if table.schema.remove_metadata() != SCHEMA:
        raise StoreError(f"{path.name} has other columns than a resume file. {_WAY_OUT}")
    return table.replace_schema_metadata(None), header["outputs"]


def _short(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__


def write(path: Path, table: pa.Table, host: str, outputs: dict[str, list[str]]) -> None:
    """Replace the file at `path`, whole or not at all. Raises OSError as the disk does."""
    header = {"format": FORMAT, "host": host, "outputs": outputs}
    table = table.replace_schema_metadata({_HEADER: to_line(header)})
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            pq.write_table(table, file, compression="zstd", write_page_checksum=True)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)
