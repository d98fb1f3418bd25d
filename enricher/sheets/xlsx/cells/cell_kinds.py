"""Cells of a table of any kind as those of a new workbook: numbers, booleans, dates and times as such.

Owns which styles such a workbook has, and how a date becomes a number. Knows no row and no file.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enricher.sheets.grid import CellKind
from enricher.sheets.xlsx.cells.encoder import Encoded, tails_of

if TYPE_CHECKING:
    from enricher.sheets.grid import GridColumn

BOLD, _DAY, _MOMENT, _CLOCK = "1", "2", "3", "4"
FORMATS = {_DAY: "yyyy-mm-dd", _MOMENT: "yyyy-mm-dd hh:mm:ss", _CLOCK: "[h]:mm:ss"}
"""Number formats by style, the styles numbered as they are used: the first is plain, the second bold."""
_EXACT_DIGITS = 15
_NUMBER = re.compile(r"-?0*([0-9]+)(\.[0-9]+|[eE][+-]?[0-9]+|\.[0-9]+[eE][+-]?[0-9]+)?")
_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
_FROM_SERIAL = 61
"""The serial of 1 March 1900: earlier days are counted differently because of Excel's 29 February 1900 (display.py)."""
_DAY_S = 86_400


def nothing_of(rows: int) -> Encoded:
    """Return a column without a cell."""
    return Encoded(pa.nulls(rows, pa.string()), [])


def tails_by_kind(column: GridColumn) -> Encoded:
    """Encode a column of a table, each cell as what it is; same rows, same order."""
    encoded = tails_of(column.text)
    if column.kinds is None or not column.kinds.any():
        return encoded
    tails = encoded.tails
    for kind, make in _MAKERS.items():
        places = np.flatnonzero(column.kinds == kind)
        if len(places):
            made = pa.array([make(text) for text in column.text.take(pa.array(places)).to_pylist()], pa.string())
            is_kind = pa.array(column.kinds == kind)
            kept = tails.filter(is_kind)
            tails = pc.replace_with_mask(tails, is_kind, pc.coalesce(made, kept))
    return Encoded(tails, encoded.cut)


def _number(text: str | None) -> str | None:
    match = _NUMBER.fullmatch(text or "")
    if match is None or (match[2] is None and len(match[1]) > _EXACT_DIGITS):
        return None  # Excel would round so long an integer
    return f"><v>{text}</v></c>"


def _boolean(text: str | None) -> str | None:
    return f' t="b"><v>{int(text == "TRUE")}</v></c>' if text else None


def _date(text: str | None) -> str | None:
    try:
        moment = datetime.fromisoformat(text or "").replace(tzinfo=UTC)
    except ValueError:
        return None
    serial = (moment - _EPOCH) / timedelta(days=1)
    style = _DAY if serial.is_integer() else _MOMENT
    return f' s="{style}"><v>{serial:.15g}</v></c>' if serial >= _FROM_SERIAL else None


def _time(text: str | None) -> str | None:
    if not text:
        return None
    hours, minutes, seconds = text.split(":")
    serial = (int(hours) * 3600 + int(minutes) * 60 + float(seconds)) / _DAY_S
    return f' s="{_CLOCK}"><v>{serial:.15g}</v></c>'


_MAKERS = {
    CellKind.NUMBER: _number,
    CellKind.BOOLEAN: _boolean,
    CellKind.DATE: _date,
    CellKind.TIME: _time,
}
"""What each kind's text becomes; None: it stays a text."""
