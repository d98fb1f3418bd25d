"""Answers as rows: one a product, and one without a product for a code that was not found. Knows no file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from enricher.model import ARROW_TYPES, FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from enricher.model import Answer, FieldKind, Item

ROW_GROUP = 32_768
"""Rows written together: neither many groups, nor more than memory should hold several times over."""
_INT64 = 2**63
_MOST_NUMBER = 1e300  # beyond it an integer fits no double
IDENTITY = ("code_type", "domain", "code", "outcome", "fetched_at", "item")
"""Whose a row is, of when, and what became of the lookup."""
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
"""The columns of the parquet file; `format` tells what they mean."""


def to_table(answers: Iterable[Answer]) -> pa.Table:
    """Lay answers out as rows of SCHEMA, in order."""
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for answer in answers:
        for item_at, item in enumerate(answer.items or ({},)):
            identity = (*answer.key, answer.outcome.value, answer.fetched_at, item_at)
            for name, value in zip(IDENTITY, identity, strict=True):
                columns[name].append(value)
            _lay_out(item, columns)
    return pa.table(columns, schema=SCHEMA)


def _lay_out(item: Item, columns: dict[str, list[Any]]) -> None:
    """Append the documented fields of the right type to their columns, and the rest to `raw`."""
    rest = dict(item)
    for name, parent, last, fit in _PLACES:
        holder: Any = rest if parent is None else rest.get(parent)
        if parent is not None and isinstance(holder, dict) and holder is item[parent]:
            rest[parent] = holder = holder.copy()  # the caller's own is left as it is
        if not isinstance(holder, dict) or last not in holder:
            columns[name].append(None)
            continue
        value, is_exact = (None, True) if holder[last] is None else fit(holder[last])
        columns[name].append(value)
        if is_exact:
            del holder[last]
            if parent is not None and not holder:
                del rest[parent]
    columns["raw"].append(json.dumps(rest, separators=(",", ":")) if rest else None)


def _fit_text(value: Any) -> tuple[str | None, bool]:
    if not isinstance(value, str):
        return None, False
    if value.isascii():
        return value, True
    text = _encodable(value)
    return text, text == value


def _fit_number(value: Any) -> tuple[float | None, bool]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _MOST_NUMBER:
        return None, False
    return float(value), float(value) == value


def _fit_integer(value: Any) -> tuple[int | None, bool]:
    fits = isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64
    return (value, True) if fits else (None, False)


def _fit_boolean(value: Any) -> tuple[bool | None, bool]:
    return (value, True) if isinstance(value, bool) else (None, False)


def _fit_list(value: Any) -> tuple[list[str] | None, bool]:
    if not isinstance(value, list):
        return None, False
    texts = [_encodable(text) for text in value if isinstance(text, str)]
    return texts, texts == value


def _encodable(text: str) -> str:
    """Replace lone surrogates, which JSON can say and UTF-8 can't, by U+FFFD."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


_FITS: dict[FieldKind, Callable[[Any], tuple[Any, bool]]] = {
    "text": _fit_text,
    "number": _fit_number,
    "integer": _fit_integer,
    "boolean": _fit_boolean,
    "list": _fit_list,
}
"""Make a JSON value fit its column: returns it (None if it can't be) and whether the column tells all of it."""
_PLACES = [
    (field.name, field.path[0] if len(field.path) > 1 else None, field.path[-1], _FITS[field.kind])
    for field in FIELDS.values()
]


def gathered(batches: Iterable[pa.RecordBatch], rows: int = ROW_GROUP) -> Iterator[pa.Table]:
    """Put batches together until they are at least so many rows; the last ones may be fewer."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += len(batch)
        if count >= rows:
            yield pa.Table.from_batches(waiting)
            waiting, count = [], 0
    if waiting:
        yield pa.Table.from_batches(waiting)


class Kept:
    """Rows of SCHEMA in memory, as Products."""

    def __init__(self, rows: pa.Table, batch_rows: int = 4_096) -> None:
        self._rows = rows
        self._batch_rows = batch_rows

    def __len__(self) -> int:
        return len(self._rows)

    def table(self, columns: Sequence[str]) -> pa.Table:
        return self._rows.select(columns)

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self._rows.to_batches(self._batch_rows)
