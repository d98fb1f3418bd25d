"""What a person sees while it runs: bars on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from enricher import lookup
from enricher.pipeline import Observer
from enricher.report import duration

if TYPE_CHECKING:
    from enricher.cli.stopping import Stop
    from enricher.model import Levels

_WIDE = "{desc:<11}{percentage:3.0f}% |{bar:20}| {n:,}/{total:,} {unit}{postfix}"
_NARROW = "{desc} {n:,}/{total:,} {unit}{postfix}"
_READING = "{desc} |{bar:20}| {percentage:3.0f}%"
_WIDE_COLUMNS = 110
_LINE_EVERY_S = 30.0
_DELAY_S = 0.5
"""A bar that is done sooner only flickers."""


class Progress(Observer):
    """Follows the lookups (codes done, tokens left, time left by the quota's arithmetic) and shows nothing.

    Tells `stop`, if there is one, when a request may be in flight.
    """

    def __init__(self, stop: Stop | None = None) -> None:
        self._stop = stop
        self._codes = self._done = 0
        self._levels: Levels | None = None
        self._waited_s = 0.0  # since the levels were told

    def looking_up(self, codes: int, levels: Levels) -> None:
        self._codes += codes  # it is said again where rows whose code was not found have another one
        self._levels = levels
        if self._stop is not None:
            self._stop.patient = True

    def writing(self, rows: int) -> None:  # noqa: ARG002 - Observer's
        if self._stop is not None:
            self._stop.patient = False

    def close(self) -> None:
        """Leave the terminal as the next line expects it."""

    def event(self, event: lookup.Event) -> None:
        match event:
            case lookup.Waiting():
                self._waited_s += event.sleep_s
            case lookup.Reply():
                self._waited_s = 0.0
                self._done += len(event.answers)
                self._levels = event.levels
            case lookup.Failure():
                self._done += len(event.keys)
            case _:
                pass

    def _state(self, event: lookup.Event | None = None) -> str:
        """Say in a few words how far the quota reaches and what is being waited for."""
        if self._levels is None:
            return ""
        parts = [f"{self._levels.daily_left:,} tokens left"]
        plan = lookup.schedule(self._codes - self._done, self._levels)
        left_s = plan.duration_s - self._waited_s
        if len(plan.tokens_by_day) > 1:
            parts.append(f"{len(plan.tokens_by_day)} days to go")
        elif left_s >= 1:
            parts.append(f"{duration(left_s)} to go")
        if isinstance(event, lookup.Waiting):
            why = {"bucket": "", "day": " for the daily reset", "fault": " to try again"}[event.reason]
            parts.append(f"waiting {duration(event.left_s)}{why}")
        return ", ".join(parts)


class Bars(Progress):
    """A bar for each stage, on standard error."""

    def __init__(self, stop: Stop | None = None) -> None:
        super().__init__(stop)
        self._bar: tqdm[Any] | None = None

    def reading(self, rows: int, share: float) -> None:
        if self._bar is None:
            self._open("Reading", 100, "%", delay=_DELAY_S, bar_format=_READING)
        if self._bar is not None:
            self._bar.set_description_str(f"Reading {rows:,} rows", refresh=False)
            self._bar.update(round(share * 100) - self._bar.n)

    def looking_up(self, codes: int, levels: Levels) -> None:
        goes_on = self._codes > 0
        super().looking_up(codes, levels)
        if self._bar is not None and goes_on:
            self._bar.total = self._codes
            self._bar.refresh()
        else:
            self._open("Looking up", codes, "codes")

    def event(self, event: lookup.Event) -> None:
        super().event(event)
        if self._bar is not None:
            self._bar.set_postfix_str(self._state(event), refresh=False)
            self._bar.update(self._done - self._bar.n)
            self._bar.refresh()

    def writing(self, rows: int) -> None:
        super().writing(rows)
        self._open("Writing", rows, "rows", delay=_DELAY_S)

    def wrote(self, rows: int) -> None:
        if self._bar is not None:
            self._bar.update(rows)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _open(self, name: str, total: int, unit: str, *, delay: float = 0.0, bar_format: str = "") -> None:
        self.close()
        wide = shutil.get_terminal_size().columns >= _WIDE_COLUMNS
        self._bar = tqdm(
            total=total,
            desc=name,
            unit=unit,
            delay=delay,
            bar_format=bar_format or (_WIDE if wide else _NARROW),
            leave=False,
            file=sys.stderr,
        )


class Lines(Progress):
    """A plain line for each stage, and one now and then, for logs."""

    def __init__(self, stop: Stop | None = None) -> None:
        super().__init__(stop)
        self._next_s = time.monotonic() + _LINE_EVERY_S

    def reading(self, rows: int, share: float) -> None:
        self._now_and_then(f"reading: {rows:,} rows, {share:.0%} of the file")

    def looking_up(self, codes: int, levels: Levels) -> None:
        what = "more codes, of rows whose code was not found" if self._codes else "codes"
        super().looking_up(codes, levels)
        self._say(f"looking up {codes:,} {what}; {self._state()}")

    def event(self, event: lookup.Event) -> None:
        super().event(event)
        self._now_and_then(f"{self._done:,} of {self._codes:,} codes done; {self._state(event)}")

    def writing(self, rows: int) -> None:
        super().writing(rows)
        self._say(f"writing {rows:,} rows")

    def _now_and_then(self, text: str) -> None:
        if time.monotonic() >= self._next_s:
            self._say(text)

    def _say(self, text: str) -> None:
        self._next_s = time.monotonic() + _LINE_EVERY_S
        sys.stderr.write(f"enricher: {text}\n")
        sys.stderr.flush()
