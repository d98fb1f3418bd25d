"""Requests at once, each in a thread with a client of its own. Carries out `network.Network`; decides nothing."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Self

from enricher.lookup.network import Arrival

if TYPE_CHECKING:
    from collections.abc import Callable

    from enricher.clock import Clock
    from enricher.lookup.client import Client
    from enricher.lookup.plan import Chunk

_END = object()
"""What a thread is sent home with."""


class Workers:
    """Up to `count` lookups and one question for the levels under way at once. Use as a context manager.

    Leaving it closes what is idle, and does not wait for requests still under way: their replies are lost.
    """

    def __init__(self, connect: Callable[[], Client], count: int, clock: Clock) -> None:
        self._connect, self._most_threads, self._clock = connect, count + 1, clock
        self._orders: SimpleQueue[Chunk | object | None] = SimpleQueue()
        self._arrivals: SimpleQueue[Arrival | BaseException] = SimpleQueue()
        self._threads = self._under_way = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for _thread in range(self._threads):
            self._orders.put(_END)

    def lookup(self, chunk: Chunk) -> None:
        self._order(chunk)

    def account(self) -> None:
        self._order(None)

    def take(self, wait_s: float) -> Arrival | None:
        """Return the next arrival as `Network.take` says. Raises what went wrong in a thread: a mistake of ours."""
        wait_s = min(max(0.0, wait_s), threading.TIMEOUT_MAX)
        if not self._under_way:
            self._clock.sleep(wait_s)
            return None
        try:
            arrival = self._arrivals.get(timeout=wait_s)  # real time: a clock that is moved stands still meanwhile
        except Empty:
            return None
        self._under_way -= 1
        if isinstance(arrival, BaseException):
            raise arrival
        return arrival

    def _order(self, chunk: Chunk | None) -> None:
        self._under_way += 1
        self._orders.put(chunk)
        if self._threads < min(self._under_way, self._most_threads):
            # A daemon, as the program must be able to end while a request is still under way.
            threading.Thread(target=self._work, name=f"lookup-{self._threads}", daemon=True).start()
            self._threads += 1

    def _work(self) -> None:
        try:
            with self._connect() as client:
                while (order := self._orders.get()) is not _END:
                    chunk: Chunk | None = order  # type: ignore[assignment]
                    self._arrivals.put(Arrival(chunk, client.account() if chunk is None else client.lookup(chunk)))
        except BaseException as error:  # noqa: BLE001 - it is raised where the run goes on
            self._arrivals.put(error)
