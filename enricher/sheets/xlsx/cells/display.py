"""Numbers as text: the full decimal, and the date or time a format makes of it.

Owns the two date systems of Excel and its missing 29 February. Knows no file.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from enricher.sheets.xlsx.cells.styles import DateKind

_EXACT = 10**15
_EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 - a cell's date has no time zone
_EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001
_LEAP_BUG = 60  # the serial of 29 February 1900, a day that Lotus 1-2-3 invented and Excel kept
_LAST_SERIAL = 2_958_466  # the day after 31 December 9999
_DAY_MS = 86_400_000


def decimal_text(raw: str) -> str:
    """Write a number of a sheet in full decimal digits; what is no finite number comes back as it is.

    >>> decimal_text("1.2345678905E10"), decimal_text("5.0"), decimal_text("0.10000000000000001")
    ('12345678905', '5', '0.1')
    """
    if raw.isascii() and raw.isdigit():  # nearly all codes; longer than a double is exact, too
        return raw.lstrip("0") or "0"
    try:
        value = float(raw)
    except ValueError:
        return raw.strip()
    if not math.isfinite(value):
        return raw.strip()
    if value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    # Files hold 17 digits; the shortest text of the same double is what a person typed.
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def date_text(number: str, kind: DateKind, *, date1904: bool) -> str:
    """Write a date serial as ISO 8601, an elapsed time as hours; a number that is no date comes back as it is.

    >>> date_text("44927", "date", date1904=False), date_text("44927.5", "date", date1904=False)
    ('2023-01-01', '2023-01-01T12:00:00')
    >>> date_text("60", "date", date1904=False), date_text("0.25", "time", date1904=False)
    ('1900-02-29', '06:00:00')
    """
    try:
        serial = float(number)
    except ValueError:
        return number
    if not 0 <= serial < _LAST_SERIAL:
        return number
    days, ms = divmod(round(serial * _DAY_MS), _DAY_MS)
    clock = _clock_text(ms + days * _DAY_MS if kind == "elapsed" else ms)
    if kind == "elapsed" or (kind == "time" and days == 0):
        return clock
    if date1904:
        day = (_EPOCH_1904 + timedelta(days=days)).date().isoformat()
    elif days == _LEAP_BUG:
        day = "1900-02-29"
    else:
        day = (_EPOCH_1900 + timedelta(days=days + (days < _LEAP_BUG))).date().isoformat()
    return f"{day}T{clock}" if ms else day


def _clock_text(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}" + (f".{ms:03}" if ms else "")
