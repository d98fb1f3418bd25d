"""What a person sees while it runs: bars on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import contextlib
import math
import shutil
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from enricher import lookup
from enricher.clock import Clock, SystemClock
from enricher.pipeline import Observer
from enricher.report import count, duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enricher.cli.stopping import Stop
    from enricher.config import LookupSettings
    from enricher.model import Levels

_WIDE = "{desc:<11}{percentage:3.0f}% |{bar:20}| {n:,}/{total:,} {unit}{postfix}"
_WIDE_TAKES = len("Looking up  99% || ") + 20
_NARROW = "{desc} {n:,}/{total:,} {unit}{postfix}"
_NARROW_TAKES = len("Looking up ")
_READING = "{desc} |{bar:20}| {percentage:3.0f}%"
_WIDE_COLUMNS = 110
_LINE_EVERY_S = 30.0
_SHORT_WAIT_S, _LONG_WAIT_S = 2.0, 90.0
_LINE_OF_WAIT_EVERY_S = 3600.0
_DELAY_S = 0.5
"""A bar that is done sooner only flickers."""
_DRAW_EVERY_S = 0.1
_FEW_S = 10
_HOUR_S = 3600
_WHY = {"bucket": "", "day": " for the daily reset", "fault": " to try again"}


class Progress(Observer):
    """Follows the lookups (codes done, tokens left, time left by the quota's arithmetic) and shows nothing.

    Tells `stop`, if there is one, while requests may be under way. `reserve` tokens of each day are not the run's, and
    it goes on after the daily reset only if it `waits`.
    """

    def __init__(
        self, stop: Stop | None = None, settings: LookupSettings | None = None, clock: Clock | None = None
    ) -> None:
        self._stop, self._clock = stop, clock or SystemClock()
        self._reserve = settings.reserve_tokens if settings else 0
        self._waits = settings is not None and settings.on_quota == "wait"
        self._codes = self._done = 0
        self._levels: Levels | None = None
        self._told_s = 0.0  # when the levels were, by the clock: a wait may end before its time
        self._waiting: lookup.Waiting | None = None
        self._wait_s = 0.0  # the whole of it, as it looked at its longest

    def reading(self, rows: int, share: float) -> None:  # noqa: ARG002 - Observer's
        if self._stop is not None:
            self._stop.reading()

    def looking_up(self, codes: int, levels: Levels) -> None:
        self._codes += codes  # it is said again where rows whose code was not found have another one
        self._learn(levels)
        if self._stop is not None:
            self._stop.lookups_begin()

    def writing(self, rows: int) -> None:  # noqa: ARG002 - Observer's
        if self._stop is not None:
            self._stop.lookups_end()

    def close(self) -> None:
        """Leave the terminal as the next line expects it."""

    def event(self, event: lookup.Event) -> None:
        self._waiting = event if isinstance(event, lookup.Waiting) else None
        self._wait_s = max(self._wait_s, event.left_s) if isinstance(event, lookup.Waiting) else 0.0
        match event:
            case lookup.Reply():
                self._done += len(event.answers)
                self._learn(event.levels)
            case lookup.Failure():
                self._done += len(event.keys)
            case _:
                pass

    def _learn(self, levels: Levels) -> None:
        self._levels, self._told_s = levels, self._clock.monotonic_s()

    def _state(self) -> list[str]:
        """Say in a few words what is being waited for and how far the quota reaches, the most important first."""
        if self._levels is None:
            return []
        codes = self._codes - self._done
        plan = lookup.schedule(codes, self._levels, self._reserve)
        ends_early = not self._waits and plan.before_stop < codes
        if ends_early:
            plan = lookup.schedule(plan.before_stop, self._levels, self._reserve)
        parts = []
        left_s = plan.duration_s - (self._clock.monotonic_s() - self._told_s)
        if 1 <= left_s < math.inf:
            parts.append(f"the day's tokens last {span(left_s)}" if ends_early else f"{span(left_s)} to go")
        parts.append(count(self._levels.daily_left, "token") + " left")
        waiting = self._waiting
        if waiting is None or waiting.left_s <= waiting.sleep_s or self._wait_s < _SHORT_WAIT_S:
            return parts  # a wait that is over before the next word of it, or so short that it would only flicker
        return [*self._wait(waiting), *parts] if waiting.left_s >= _LONG_WAIT_S else [*parts, *self._wait(waiting)]

    def _wait(self, waiting: lookup.Waiting) -> list[str]:
        """Say how long is waited and for what; of a long wait also when it ends, by the reader's clock."""
        text = f"waiting {self._span(waiting.left_s)}{_WHY[waiting.reason]}"
        if waiting.left_s < _LONG_WAIT_S:
            return [text]
        end = (self._clock.now() + timedelta(seconds=waiting.left_s + 30)).astimezone()  # to the nearest minute
        return [text, f"{end:%A %H:%M}" if waiting.reason == "day" else f"until {end:%H:%M}"]

    def _span(self, seconds: float) -> str:
        return span(seconds)


class Bars(Progress):
    """A bar for each stage, on standard error."""

    def __init__(
        self, stop: Stop | None = None, settings: LookupSettings | None = None, clock: Clock | None = None
    ) -> None:
        super().__init__(stop, settings, clock)
        self._bar: tqdm[Any] | None = None
        self._drawn_s = -math.inf
        self._drawn: tuple[object, ...] = ()

    def reading(self, rows: int, share: float) -> None:
        super().reading(rows, share)
        if self._bar is None:
            self._open("Reading", 100, "%", delay=_DELAY_S, bar_format=_READING)
        if self._bar is not None:
            self._bar.set_description_str(f"Reading {count(rows, 'row')}", refresh=False)
            self._bar.update(round(share * 100) - self._bar.n)

    def looking_up(self, codes: int, levels: Levels) -> None:
        goes_on = self._codes > 0
        super().looking_up(codes, levels)
        if self._bar is None or not goes_on:
            self._open("Looking up", codes, "codes")
        self._draw()

    def event(self, event: lookup.Event) -> None:
        super().event(event)
        self._draw()

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

    def _draw(self) -> None:
        """Show the lookups as they stand, some times a second at most: events may come by the hundred."""
        now_s = self._clock.monotonic_s()
        if self._bar is None or now_s < self._drawn_s + _DRAW_EVERY_S:
            return
        self._drawn_s = now_s
        bar, parts = self._bar, self._state()
        state = self._done, self._codes, *parts
        if state == self._drawn:
            return
        self._drawn = state
        bar.n, bar.total, bar.unit = self._done, self._codes, "code" if self._codes == 1 else "codes"
        columns = shutil.get_terminal_size().columns
        room = columns - len(f"{self._done:,}/{self._codes:,} codes") - 1
        bar.ncols = columns - 1
        is_wide = columns >= _WIDE_COLUMNS and len(f", {parts[0]}" if parts else "") <= room - _WIDE_TAKES
        bar.bar_format = _WIDE if is_wide else _NARROW
        bar.set_postfix_str(_fitting(parts, room - (_WIDE_TAKES if is_wide else _NARROW_TAKES)), refresh=False)
        bar.refresh()

    def _span(self, seconds: float) -> str:
        """Write a wait so that it is seen to pass, also one of hours."""
        whole = math.ceil(seconds)
        return f"{whole // _HOUR_S} h {whole // 60 % 60} min {whole % 60} s" if whole >= _HOUR_S else span(seconds)

    def _open(self, name: str, total: int, unit: str, *, delay: float = 0.0, bar_format: str = "") -> None:
        self.close()
        columns = shutil.get_terminal_size().columns
        self._bar = tqdm(
            total=total,
            desc=name,
            unit=unit,
            delay=delay,
            bar_format=bar_format or (_WIDE if columns >= _WIDE_COLUMNS else _NARROW),
            leave=False,
            ncols=columns - 1,  # tqdm itself shows nothing where the terminal does not tell its width
            file=Screen(),
        )


class Lines(Progress):
    """A plain line for each stage, and one now and then, for logs."""

    def __init__(
        self, stop: Stop | None = None, settings: LookupSettings | None = None, clock: Clock | None = None
    ) -> None:
        super().__init__(stop, settings, clock)
        self._next_s = self._clock.monotonic_s() + _LINE_EVERY_S
        self._long_wait = ""  # what is waited for

    def reading(self, rows: int, share: float) -> None:
        super().reading(rows, share)
        self._now_and_then(f"reading: {count(rows, 'row')}, {share:.0%} of the file")

    def looking_up(self, codes: int, levels: Levels) -> None:
        more = ", of rows whose code was not found" if self._codes else ""
        super().looking_up(codes, levels)
        self._say(f"looking up {count(codes, 'more code' if more else 'code')}{more}; {', '.join(self._state())}")

    def event(self, event: lookup.Event) -> None:
        super().event(event)
        done = f"{self._done:,} of {count(self._codes, 'code')} done"
        if isinstance(event, lookup.Waiting):
            if event.left_s >= _LONG_WAIT_S and event.reason != self._long_wait:
                self._long_wait, self._next_s = event.reason, -math.inf
            if self._long_wait:
                self._now_and_then(f"{done}; {', '.join(self._wait(event))}", _LINE_OF_WAIT_EVERY_S)
                return
        elif self._long_wait:
            self._long_wait, self._next_s = "", self._clock.monotonic_s() + _LINE_EVERY_S
        if self._is_due():  # what is to say takes some arithmetic, and events come by the hundred
            self._say(f"{done}; {', '.join(self._state())}")

    def writing(self, rows: int) -> None:
        super().writing(rows)
        self._say(f"writing {count(rows, 'row')}")

    def _is_due(self) -> bool:
        return self._clock.monotonic_s() >= self._next_s

    def _now_and_then(self, text: str, every_s: float = _LINE_EVERY_S) -> None:
        if self._is_due():
            self._say(text, every_s)

    def _say(self, text: str, every_s: float = _LINE_EVERY_S) -> None:
        self._next_s = self._clock.monotonic_s() + every_s
        screen = Screen()
        screen.write(f"enricher: {text}\n")
        screen.flush()


class Screen:
    """Standard error, which may go away in mid-run (a closed window, a reader that ended): the lookups go on then."""

    def write(self, text: str) -> None:
        """Write as far as there is somebody to read."""
        with contextlib.suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        """Let it be seen."""
        with contextlib.suppress(OSError):
            sys.stderr.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)


def span(seconds: float) -> str:
    """Write a time to come for people, in whole seconds.

    >>> span(2.3), span(75)
    ('3 s', '1 min 15 s')
    """
    return f"{max(1, math.ceil(seconds))} s" if seconds < _FEW_S else duration(math.ceil(seconds))


def _fitting(parts: Sequence[str], room: int) -> str:
    """Join as many of the parts as there is room for; the first is cut by the bar."""
    while len(parts) > 1 and len(f", {', '.join(parts)}") > room:
        parts = parts[:-1]
    return ", ".join(parts)
