"""Values as JSON: whole columns at a time, so that a distinct value costs no Python. Knows no file."""

from __future__ import annotations

from json.encoder import encode_basestring
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from enricher.sheets.grid import CellKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enricher.sheets.grid import GridColumn

_LARGE = pa.large_string()  # many long texts side by side are more than a plain array holds
_MUST_ESCAPE = r'["\\\x00-\x1f]'
_JSON_NUMBER = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"
_NULL = pa.scalar("null", _LARGE)


def tokens_of_values(values: pa.Array) -> pa.LargeStringArray:
    """Write new values (string, int64, double, bool): null for null, NaN and the infinities."""
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return _texts(values.cast(_LARGE))
    if pa.types.is_boolean(values.type):
        return pc.if_else(values, pa.scalar("true", _LARGE), pa.scalar("false", _LARGE)).fill_null(_NULL)
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_finite(values), values, pa.scalar(None, values.type))
    return values.cast(_LARGE).fill_null(_NULL)


def tokens_of_cells(column: GridColumn) -> pa.LargeStringArray:
    """Write cells: numbers by their own digits, booleans as such, the rest as texts, a blank one as null."""
    text = column.text.cast(_LARGE)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, _LARGE), text)
    if column.kinds is None:
        return _texts(text)
    is_number = pc.match_substring_regex(text, _JSON_NUMBER).fill_null(False)
    is_number = pc.and_(is_number, pa.array(column.kinds == CellKind.NUMBER))  # 007 and inf are none in JSON
    is_boolean = pa.array(column.kinds == CellKind.BOOLEAN)
    is_plain = pc.or_(is_number, is_boolean)
    texts = _texts(pc.if_else(is_plain, pa.scalar(None, _LARGE), text))
    plain = pc.if_else(is_boolean, pc.ascii_lower(text), text).fill_null(_NULL)
    return pc.if_else(is_plain, plain, texts)


def joined(names: Sequence[str], tokens: Sequence[pa.LargeStringArray]) -> pa.LargeStringArray:
    """Write members, with commas between them: as many texts as rows."""
    parts: list[pa.LargeStringArray | pa.Scalar] = []
    for at, (name, values) in enumerate(zip(names, tokens, strict=True)):
        parts += [pa.scalar(f"{',' if at else ''}{encode_basestring(name)}:", _LARGE), values]
    return pc.binary_join_element_wise(*parts, pa.scalar("", _LARGE))


def _texts(text: pa.LargeStringArray) -> pa.LargeStringArray:
    quote = pa.scalar('"', _LARGE)
    quoted = pc.binary_join_element_wise(quote, text, quote, pa.scalar("", _LARGE))
    odd = pc.match_substring_regex(text, _MUST_ESCAPE).fill_null(False)
    if pc.any(odd).as_py():
        escaped = [encode_basestring(value) for value in text.filter(odd).to_pylist()]
        quoted = pc.replace_with_mask(quoted, odd, pa.array(escaped, _LARGE))
    return quoted.fill_null(_NULL)
