"""Figures, spans and moments as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta

_HALF_A_MINUTE = timedelta(seconds=30)
_SIZES = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")


def count(number: int, thing: str) -> str:
    """Write a number of things.

    >>> count(1, "row"), count(2_000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Write a time span for people.

    >>> duration(0.4), duration(75), duration(9000), duration(200000), duration(float("inf"))
    ('0.4 s', '1 min 15 s', '2 h 30 min', '2 days 7 h', 'for ever')
    """
    if seconds == float("inf"):
        return "for ever"
    if seconds < 10:  # noqa: PLR2004 - tenths matter below ten seconds
        return f"{seconds:.1f} s"
    minutes, whole = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} days {hours} h" if days > 1 else f"1 day {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole} s" if minutes else f"{whole} s"


def moment(at: datetime, now: datetime) -> str:
    """Write a moment for people, both in the reader's time zone, with the year only where it is another one.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 11, 26, 9, 40, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC))
    'Thursday 26 November, 09:40'
    """
    at = to_minute(at)
    return f"{date(at, now)}, {at:%H:%M}"


def to_minute(at: datetime) -> datetime:
    """Return the nearest minute: a midnight counted from another clock is not the day before."""
    return (at + _HALF_A_MINUTE).replace(second=0, microsecond=0)


def date(at: datetime, now: datetime) -> str:
    """Write a day for people, with the year only where it is another one."""
    return f"{at:%A} {at.day} {at:%B}" + ("" if at.year == now.year else f" {at.year}")


def size(size_bytes: int) -> str:
    """Write the size of a file for people.

    >>> size(980), size(1_200_000)
    ('980 bytes', '1.2 MB')
    """
    scaled, unit = float(size_bytes), 0
    while scaled >= 999.5 and unit < len(_SIZES) - 1:  # noqa: PLR2004 - it would be written as 1,000
        scaled, unit = scaled / 1000, unit + 1
    return f"{scaled:.3g} {_SIZES[unit]}"
