"""Arrow's values as the texts a person would see in a sheet, and the kind of each.

Owns how every type of a parquet column is put into words. Knows no file.
"""

from __future__ import annotations

import json
import math
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enricher.cells import Cells
from enricher.sheets.grid import CellKind, GridColumn

if TYPE_CHECKING:
    from collections.abc import Callable

_EXACT = 1e15  # beyond it a double has no digit of its own for every whole number
_FRACTION = r"(\.\d*?)0*$"
_MILLISECONDS = r"(\.(?:\d{3})*?)(?:000)*$"
_MIDNIGHT = "T00:00:00"
_DAY = r"^\d{4}-\d\d-\d\d"


def column_of(values: pa.Array) -> GridColumn:
    """Put one column of a batch into words: as many texts as values, null where there is nothing.

    Texts are as they are, numbers in full decimal digits, lists and structs compact JSON, times with a zone in UTC,
    bytes UTF-8 or else hexadecimal. NaN is how frames of doubles spell nothing.

    >>> column_of(pa.array([12345678905.0, 0.1, None])).text.to_pylist()
    ['12345678905', '0.1', None]
    """
    if isinstance(values.type, pa.BaseExtensionType):
        values = _plain_storage(values)
    if pa.types.is_dictionary(values.type):
        words = column_of(values.dictionary)
        kinds = None
        if words.kinds is not None and len(words.kinds):
            kinds = words.kinds[values.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.intp)]
        return GridColumn(words.text.take(values.indices), kinds)
    for belongs, words_of in _WORDS:
        if belongs(values.type):
            try:
                return words_of(values)
            except pa.ArrowNotImplementedError:  # a cast that this release of Arrow lacks
                break
    return _objects(values)


def cells_of(values: pa.Array) -> Cells:
    """Return the same as cells to read codes from."""
    words = column_of(values)
    count = len(values)
    numeric = np.zeros(count, np.bool_)
    if words.kinds is not None:
        numeric = (words.kinds == CellKind.NUMBER) & words.text.is_valid().to_numpy(zero_copy_only=False)
    return Cells(words.text, numeric, np.zeros(count, np.uint8))


# --- texts and bytes --------------------------------------------------------------------------------------------


def _strings(values: pa.Array) -> GridColumn:
    text = values.cast(pa.string())
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:  # some writers call any bytes text
        raw = values.cast(pa.binary()).to_pylist()
        text = pa.array([None if value is None else value.decode("utf-8", "replace") for value in raw], pa.string())
    return GridColumn(text)


def _bytes(values: pa.Array) -> GridColumn:
    try:
        return GridColumn(values.cast(pa.binary()).cast(pa.string()))
    except pa.ArrowInvalid:
        return GridColumn(pa.array([_byte_text(value) for value in values.to_pylist()], pa.string()))


def _byte_text(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


# --- numbers ----------------------------------------------------------------------------------------------------


def _integers(values: pa.Array) -> GridColumn:
    return _all(values.cast(pa.string()), CellKind.NUMBER)


def _floats(values: pa.Array) -> GridColumn:
    values = values.cast(pa.float32()) if pa.types.is_float16(values.type) else values
    finite = pc.is_finite(values).fill_null(False)
    is_whole = pc.and_(finite, pc.equal(values, pc.trunc(values)))
    is_whole = pc.and_(is_whole, pc.less(pc.abs(values), pa.scalar(_EXACT, values.type))).fill_null(False)
    digits = pc.if_else(is_whole, values, pa.scalar(0, values.type)).cast(pa.int64()).cast(pa.string())
    if not pc.all(pc.or_(is_whole, values.is_null())).as_py():
        digits = pc.if_else(is_whole, digits, _without_exponent(values.cast(pa.string())))
    text = pc.if_else(values.is_null(nan_is_null=True), pa.scalar(None, pa.string()), digits)
    kinds = np.where(finite.to_numpy(zero_copy_only=False), CellKind.NUMBER, CellKind.TEXT)
    return GridColumn(text, kinds.astype(np.uint8))


def _decimals(values: pa.Array) -> GridColumn:
    text = _without_exponent(values.cast(pa.string()))
    if values.type.scale > 0:
        text = pc.utf8_rtrim(pc.replace_substring_regex(text, _FRACTION, r"\1"), ".")
    return _all(text, CellKind.NUMBER)


def _without_exponent(text: pa.StringArray) -> pa.StringArray:
    odd = pc.match_substring(text, "e", ignore_case=True).fill_null(False)
    if not pc.any(odd).as_py():
        return text
    full = [format(Decimal(number), "f") for number in text.filter(odd).to_pylist()]
    return pc.replace_with_mask(text, odd, pa.array(full, pa.string()))


def _booleans(values: pa.Array) -> GridColumn:
    return _all(pc.if_else(values, "TRUE", "FALSE"), CellKind.BOOLEAN)


# --- times ------------------------------------------------------------------------------------------------------


def _dates(values: pa.Array) -> GridColumn:
    return _dated(values.cast(pa.date32()).cast(pa.string()))


def _timestamps(values: pa.Array) -> GridColumn:
    zone = values.type.tz
    text = values.cast(pa.timestamp(values.type.unit)).cast(pa.string())  # in UTC: no database of zones is needed
    text = pc.replace_substring(text, " ", "T", max_replacements=1)
    text = _short_fraction(text)
    if zone is not None:  # an instant is no date of a sheet's calendar, so it stays a text
        return GridColumn(pc.binary_join_element_wise(text, "Z", ""))
    is_day = pc.ends_with(text, _MIDNIGHT)
    return _dated(pc.if_else(is_day, pc.utf8_slice_codeunits(text, 0, -len(_MIDNIGHT)), text))


def _times(values: pa.Array) -> GridColumn:
    return _all(_short_fraction(values.cast(pa.string())), CellKind.TIME)


def _durations(values: pa.Array) -> GridColumn:
    ticks_in_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[values.type.unit]
    texts = [_elapsed(ticks, ticks_in_second) for ticks in values.cast(pa.int64()).to_pylist()]
    kinds = [CellKind.TEXT if text is None or text.startswith("-") else CellKind.TIME for text in texts]
    return GridColumn(_short_fraction(pa.array(texts, pa.string())), np.array(kinds, np.uint8))


def _elapsed(ticks: int | None, ticks_in_second: int) -> str | None:
    if ticks is None:
        return None
    seconds, rest = divmod(abs(ticks), ticks_in_second)
    minutes, seconds = divmod(seconds, 60)
    fraction = f".{rest:0{len(str(ticks_in_second)) - 1}}" if ticks_in_second > 1 else ""
    return f"{'-' if ticks < 0 else ''}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{fraction}"


def _short_fraction(text: pa.StringArray) -> pa.StringArray:
    """Leave as many groups of three digits of a second as say anything."""
    if not pc.any(pc.match_substring(text, ".")).as_py():
        return text
    return pc.utf8_rtrim(pc.replace_substring_regex(text, _MILLISECONDS, r"\1"), ".")


def _dated(text: pa.StringArray) -> GridColumn:
    """A year that no calendar of a sheet has makes a text."""
    is_date = pc.match_substring_regex(text, _DAY).fill_null(False).to_numpy(zero_copy_only=False)
    return GridColumn(text, np.where(is_date, CellKind.DATE, CellKind.TEXT).astype(np.uint8))


# --- the rest ---------------------------------------------------------------------------------------------------


def _nothing(values: pa.Array) -> GridColumn:
    return GridColumn(pa.nulls(len(values), pa.string()))


def _objects(values: pa.Array) -> GridColumn:
    """One by one: lists, structs, maps, and whatever types are still to be invented."""
    objects = [_object(value) for value in values]
    texts = [None if value is None else _object_text(value) for value in objects]
    kinds = np.array([CellKind.NUMBER if isinstance(value, Decimal) else CellKind.TEXT for value in objects], np.uint8)
    return GridColumn(pa.array(texts, pa.string()), kinds if kinds.any() else None)


def _object(value: pa.Scalar) -> Any:
    try:
        return value.as_py()
    except (ValueError, OverflowError):  # bytes called text, or a time that Python's calendar lacks
        return "\ufffd"


def _object_text(value: Any) -> str:
    plain = _json_value(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _json_value(value: Any) -> Any:
    """Make a value one that JSON has; a number that it can't say is null."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return _byte_text(value)
    if isinstance(value, dict):
        return {str(name): _json_value(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(element) for element in value]
    return value.isoformat() if isinstance(value, datetime | date | time) else str(value)


def _plain_storage(values: pa.Array) -> pa.Array:
    if values.type.extension_name == "arrow.uuid":
        return pa.array([None if value is None else str(value) for value in values.to_pylist()], pa.string())
    return values.storage


def _all(text: pa.StringArray, kind: CellKind) -> GridColumn:
    return GridColumn(text, np.full(len(text), kind, np.uint8))


def _is_text(of: pa.DataType) -> bool:
    return bool(pa.types.is_string(of) or pa.types.is_large_string(of) or pa.types.is_string_view(of))


def _is_bytes(of: pa.DataType) -> bool:
    plain = pa.types.is_binary(of) or pa.types.is_large_binary(of)
    return bool(plain or pa.types.is_fixed_size_binary(of) or pa.types.is_binary_view(of))


_WORDS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], GridColumn]], ...] = (
    (_is_text, _strings),
    (pa.types.is_integer, _integers),
    (pa.types.is_floating, _floats),
    (pa.types.is_boolean, _booleans),
    (pa.types.is_date, _dates),
    (pa.types.is_timestamp, _timestamps),
    (pa.types.is_decimal, _decimals),
    (pa.types.is_time, _times),
    (pa.types.is_duration, _durations),
    (_is_bytes, _bytes),
    (pa.types.is_null, _nothing),
)
