"""What calamine gives for a cell, as text and kind. Owns how each type is written; knows no sheet."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from enricher.sheets.foreign.spool import Column, text_array
from enricher.sheets.grid import CellKind
from enricher.sheets.xlsx.cells.display import decimal_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXACT = 1e15
_ELAPSED = re.compile(r"PT(\d+)H(\d{2})M(\d{2})(?:[.,]\d+)?S")


def column_of(values: Sequence[Any]) -> Column:
    """Write the cells of a column; "" is a blank one.

    >>> column = column_of([12345678905.0, True, "B00X", ""])
    >>> column.text.to_pylist(), column.kinds.tolist()
    (['12345678905', 'TRUE', 'B00X', ''], [1, 2, 0, 0])
    """
    if all(type(value) is str for value in values) and not any(map(_is_elapsed, values)):
        return Column(text_array(values))
    cells = [seen(value) for value in values]
    kinds = np.fromiter((kind for _, kind in cells), np.uint8, len(cells))
    return Column(text_array([text for text, _ in cells]), kinds)


def seen(value: object) -> tuple[str, CellKind]:
    """Write a cell.

    >>> seen(1.5), seen(False), seen(timedelta(hours=30, minutes=1))
    (('1.5', <CellKind.NUMBER: 1>), ('FALSE', <CellKind.BOOLEAN: 2>), ('30:01:00', <CellKind.TIME: 4>))
    >>> seen(datetime(2024, 2, 29, 13, 5)), seen(datetime(2024, 2, 29))
    (('2024-02-29T13:05:00', <CellKind.DATE: 3>), ('2024-02-29', <CellKind.DATE: 3>))
    """
    match value:
        case bool():
            return ("TRUE" if value else "FALSE"), CellKind.BOOLEAN
        case float() if value.is_integer() and abs(value) < _EXACT:
            return str(int(value)), CellKind.NUMBER
        case float() | int():
            return decimal_text(repr(value)), CellKind.NUMBER
        case datetime():
            at_midnight = value.time() == time()
            return (value.date().isoformat() if at_midnight else _iso(value)), CellKind.DATE
        case date():
            return value.isoformat(), CellKind.DATE
        case time():
            return _iso(value), CellKind.TIME
        case timedelta():
            return _hours(value), CellKind.TIME
    text = str(value)
    match_ = _ELAPSED.fullmatch(text) if text.startswith("PT") else None
    # OpenDocument writes an elapsed time so, and calamine hands it on as it is.
    return (":".join([match_[1].zfill(2), match_[2], match_[3]]), CellKind.TIME) if match_ else (text, CellKind.TEXT)


def _is_elapsed(text: str) -> bool:
    return text.startswith("PT") and _ELAPSED.fullmatch(text) is not None


def _iso(moment: datetime | time) -> str:
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def _hours(elapsed: timedelta) -> str:
    ms = round(elapsed / timedelta(milliseconds=1))
    sign, ms = ("-", -ms) if ms < 0 else ("", ms)
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours:02}:{minutes:02}:{seconds:02}" + (f".{ms:03}" if ms else "")
