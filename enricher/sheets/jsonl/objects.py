"""Objects of JSON as columns of texts: the digits of a number stay the ones that were written.

Owns what a value's text is, and which objects are refused. Knows no file.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enricher.sheets.grid import CellKind, GridColumn

if TYPE_CHECKING:
    from collections.abc import Sequence

Members = dict[str, Any]
"""An object's members; a number is a Number, every other value what `json` makes of it."""

_MOST_EXPONENT = 40
"""Beyond it a number is no quantity of anything, and a few bytes of file would stand for hundreds of digits."""
_KNOWN_NUMBERS = 10_000
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]+)$")


class Number(str):
    """A number as it was written."""

    __slots__ = ()


class _Nothing:
    """NaN and the infinities, which some writers put where JSON has no word."""


class ObjectError(ValueError):
    """A text is no JSON object, or one that can't be used; the message completes "line 7: "."""


def members_of(body: bytes) -> Members:
    """Parse one object, without blanks around it. Raises ObjectError."""
    try:
        text = body.decode()
        members, end = _DECODER.raw_decode(text)
    except ObjectError:
        raise
    except UnicodeDecodeError as error:
        raise ObjectError(f"a byte of it is no UTF-8 text (at byte {error.start + 1})") from None
    except json.JSONDecodeError as error:
        raise ObjectError(f"this is no JSON object ({error.msg} at character {error.pos + 1})") from None
    except RecursionError:
        raise ObjectError("its lists are nested too deep to be read") from None
    if end < len(text):
        raise ObjectError(f"something follows its JSON (at character {end + 1})")
    if not isinstance(members, dict):
        raise ObjectError("this is JSON, but no object in braces with a name for each value")
    return members


def column_of(values: Sequence[Any]) -> GridColumn:
    """Put the values of one name into words, null where there is none. Raises ObjectError for what is nested too deep.

    >>> column = column_of([Number("12345678905"), "B01", True, None, Number("1.50E1")])
    >>> column.text.to_pylist(), column.kinds.tolist()
    (['12345678905', 'B01', 'TRUE', None, '15'], [1, 0, 2, 0, 1])
    """
    types = set(map(type, values))
    if types <= _TEXTS:
        return GridColumn(_array(values))
    if types <= _NUMBERS:
        text = _array(values)
        if not pc.any(pc.match_substring(text, "e", ignore_case=True)).as_py():
            return GridColumn(text, np.full(len(values), CellKind.NUMBER, np.uint8))
    if types <= _BOOLEANS:
        text = pc.if_else(pa.array(values, pa.bool_()), "TRUE", "FALSE")
        return GridColumn(text, np.full(len(values), CellKind.BOOLEAN, np.uint8))
    try:
        cells = [_cell(value) for value in values]
    except RecursionError:
        raise ObjectError("its lists are nested too deep to be read") from None
    texts, kinds = zip(*cells, strict=True)
    return GridColumn(_array(texts), np.array(kinds, np.uint8))


_TEXTS = {str, type(None)}
_NUMBERS = {Number, type(None)}
_BOOLEANS = {bool, type(None)}


def _cell(value: Any) -> tuple[str | None, CellKind]:
    if value is None or isinstance(value, _Nothing):
        return None, CellKind.TEXT
    if isinstance(value, Number):
        return _number_cell(value)
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE"), CellKind.BOOLEAN
    return (value if isinstance(value, str) else _compact(value)), CellKind.TEXT


def _number_cell(raw: Number) -> tuple[str, CellKind]:
    """Write a number without its exponent; one that no sheet can show in digits is a text."""
    exponent = _EXPONENT.search(raw)
    if exponent is None:
        return raw, CellKind.NUMBER
    if len(exponent[1]) > len(str(_MOST_EXPONENT)) + 1 or abs(int(exponent[1])) > _MOST_EXPONENT:
        return raw, CellKind.TEXT
    text = format(Decimal(raw), "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text), CellKind.NUMBER


def _compact(value: Any) -> str:
    """Write a nested value as JSON without blanks, its numbers as they were."""
    if isinstance(value, dict):
        return "{" + ",".join([f"{encode_basestring(name)}:{_compact(member)}" for name, member in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + ",".join([_compact(element) for element in value]) + "]"
    if isinstance(value, Number):
        return value
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null"


def _array(texts: Sequence[str | None]) -> pa.StringArray:
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:  # half a character, which JSON can say and UTF-8 can't
        return pa.array([None if text is None else whole(text) for text in texts], pa.string())


def whole(text: str) -> str:
    """Replace lone surrogates."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _members(pairs: list[tuple[str, Any]]) -> Members:
    members = dict(pairs)
    if len(members) != len(pairs):
        for name, value in pairs:
            if members[name] != value:  # readers differ about which one counts, so none is taken
                raise ObjectError(f"it has {name!r} twice, with different values. Take one out and run again")
    return members


class _Numbers(dict[str, Number]):
    """Numbers by their text: short ones come again and again, and one object serves for all of them."""

    def __missing__(self, raw: str) -> Number:
        number = Number(raw)
        if len(self) < _KNOWN_NUMBERS:
            self[raw] = number
        return number


_number = _Numbers().__getitem__
_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_number, parse_float=_number, parse_constant=lambda _: _Nothing()
)
