"""What a parquet file's metadata says of its columns to pandas and Spark, with the new ones added.

Owns those two dialects; whatever else is in the metadata is kept as it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PANDAS = b"pandas"
_SPARK = b"org.apache.spark.sql.parquet.row.metadata"
_PANDAS_TYPES = {
    pa.string(): ("unicode", "object"),
    pa.int64(): ("int64", "int64"),
    pa.float64(): ("float64", "float64"),
    pa.bool_(): ("bool", "bool"),
}
_SPARK_TYPES = {pa.string(): "string", pa.int64(): "long", pa.float64(): "double", pa.bool_(): "boolean"}
_TEXT_NAMES = {"unicode", "string", "empty"}
_NAMES_ARE_TEXT = {
    "name": None,
    "field_name": None,
    "pandas_type": "unicode",
    "numpy_type": "object",
    "metadata": {"encoding": "UTF-8"},
}


def with_new_columns(metadata: dict[bytes, bytes] | None, fields: Sequence[pa.Field]) -> dict[bytes, bytes] | None:
    """Return a schema's metadata that knows the new columns, too. What can't be understood stays as it is."""
    edited = dict(metadata or {})
    edits: tuple[tuple[bytes, Callable[[Any, Sequence[pa.Field]], None]], ...] = (
        (_PANDAS, _tell_pandas),
        (_SPARK, _tell_spark),
    )
    for key, tell in edits:
        if key in edited:
            try:
                described = json.loads(edited[key])
                tell(described, fields)
                edited[key] = json.dumps(described, ensure_ascii=False).encode()
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                continue  # none of ours to repair
    return edited or None


def _tell_pandas(described: Any, fields: Sequence[pa.Field]) -> None:
    """Add the columns; where names were numbers or pairs, make them texts: pandas would choke on the new ones."""
    for field in fields:
        pandas_type, numpy_type = _PANDAS_TYPES[field.type]
        described["columns"].append(
            {
                "name": field.name,
                "field_name": field.name,
                "pandas_type": pandas_type,
                "numpy_type": numpy_type,
                "metadata": None,
            }
        )
    levels = described.get("column_indexes") or []
    if len(levels) > 1 or any(level["pandas_type"] not in _TEXT_NAMES for level in levels):
        described["column_indexes"] = [_NAMES_ARE_TEXT]


def _tell_spark(described: Any, fields: Sequence[pa.Field]) -> None:
    """Add the columns: Spark shows no others than these."""
    for field in fields:
        described["fields"].append(
            {"name": field.name, "type": _SPARK_TYPES[field.type], "nullable": True, "metadata": {}}
        )
