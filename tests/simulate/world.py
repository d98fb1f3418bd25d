"""Virtual time: what happens when, and what the machine's clocks say of it."""

from __future__ import annotations

import heapq
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.simulate.server import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class World:
    """The queue of what is to come. Time is true time, in microseconds since 1970; it is the service's time, too."""

    def __init__(self, start_us: int) -> None:
        self.now_us = start_us
        self.start_us = start_us
        self.asleep_us = 0
        """How long the machine has slept: its monotonic clock stood still so long."""
        self.sleeps: list[tuple[int, int]] = []
        """From when to when."""
        self.wall_off_us = 0
        self.drift = 0.0
        """The machine's seconds are shorter than true ones by this share."""
        self.disturbed = 0
        """Counts stops, sleeps and jumps: a wait is cut short by them, as a tick of the loop would do."""
        self.trace: list[tuple[int, str, object]] = []
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._numbered = 0
        self._is_asleep = False

    def at(self, when_us: int, act: Callable[[], None]) -> None:
        """Have something happen later."""
        self._numbered += 1
        heapq.heappush(self._queue, (max(when_us, self.now_us), self._numbered, act))

    def next_us(self) -> int | None:
        """Return when the next thing happens."""
        return self._queue[0][0] if self._queue else None

    def step(self) -> None:
        """Let the next thing happen."""
        when_us, _, act = heapq.heappop(self._queue)
        self.now_us = max(self.now_us, when_us)
        act()

    def advance(self, until_us: int) -> None:
        """Let time pass."""
        while self._queue and self._queue[0][0] <= until_us:
            self.step()
        self.now_us = max(self.now_us, until_us)

    def sleep_machine(self, duration_us: int) -> None:
        """Stop the machine, not the world."""
        if self._is_asleep:
            return
        self.note("the machine sleeps for s", duration_us / SECOND)
        since_us, self._is_asleep = self.now_us, True
        self.advance(since_us + duration_us)
        self._is_asleep = False
        self.sleeps.append((since_us, self.now_us))
        self.asleep_us += duration_us
        self.disturbed += 1

    def jump(self, by_us: int) -> None:
        """Set the calendar clock forward or back."""
        self.note("the clock jumps by s", by_us / SECOND)
        self.wall_off_us += by_us
        self.disturbed += 1

    def note(self, what: str, detail: object = None) -> None:
        """Write down what happened, for a replay to be compared and a failure to be read."""
        self.trace.append((self.now_us, what, detail))

    def lines(self, last: int | None = None) -> list[str]:
        """Return the trace as text: seconds since the start, and what happened."""
        notes = self.trace if last is None else self.trace[-last:]
        return [
            f"{(at_us - self.start_us) / SECOND:14.6f}  {what}{'' if detail is None else f' {detail}'}"
            for at_us, what, detail in notes
        ]


class MachineClock:
    """The clocks of the machine that the program runs on."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self._world.now_us + self._world.wall_off_us)

    def monotonic_s(self) -> float:
        world = self._world
        return (world.now_us - world.start_us - world.asleep_us) * (1 + world.drift) / SECOND

    def sleep(self, duration_s: float) -> None:
        raise AssertionError(f"the loop sleeps by the clock for {duration_s} s instead of listening to the network")
