"""Time as a thing that is passed in, so that a test moves it and nobody waits."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the rest of the program may know about time."""

    def now(self) -> datetime:
        """Return the moment on the calendar, aware, in UTC. It may jump."""

    def monotonic_s(self) -> float:
        """Return seconds since some start; never goes back."""

    def sleep(self, duration_s: float) -> None:
        """Let `duration_s` seconds pass."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return time.monotonic()

    def sleep(self, duration_s: float) -> None:
        time.sleep(max(0.0, duration_s))


class ManualClock:
    """A clock that stands still until somebody sleeps: whole days pass in microseconds.

    >>> clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    >>> clock.sleep(3600)
    >>> clock.now().hour
    1
    """

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._elapsed_s = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic_s(self) -> float:
        return self._elapsed_s

    def sleep(self, duration_s: float) -> None:
        self._elapsed_s += max(0.0, duration_s)
