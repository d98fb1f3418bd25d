"""Several requests at once over real sockets, taken in one thread."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from enricher.clock import ManualClock, SystemClock
from enricher.lookup.client import Client
from enricher.lookup.network import Arrival
from enricher.lookup.plan import Chunk
from enricher.lookup.replies import Found, NoReply
from enricher.lookup.workers import Workers
from enricher.model import CodeType, Domain, Levels

from .conftest import LEVELS, Hang, http, take_step

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from enricher.lookup.network import Network

    from .conftest import Misbehaving

CHUNKS = [Chunk(CodeType.ASIN, Domain.COM, (f"B0{number:08}",)) for number in range(20)]
FOUND = http(200, {**LEVELS, "items": []}, keep=True)


def workers(server: Misbehaving, count: int = 4, clock: ManualClock | None = None, timeout_s: float = 5.0) -> Workers:
    timer = clock or SystemClock()
    return Workers(lambda: Client(server.url, "sandbox", timer, timeout_s), count, timer)


def taken(network: Network, count: int) -> list[Arrival]:
    arrivals = [network.take(5.0) for _ in range(count)]
    return [arrival for arrival in arrivals if arrival]


class Together:
    """A step that answers only when so many requests are under way at once."""

    def __init__(self, count: int) -> None:
        self._barrier = threading.Barrier(count)

    def __call__(self, connection: socket.socket) -> None:
        self._barrier.wait(5)
        take_step(connection, FOUND)


def test_requests_are_under_way_at_once_and_each_reply_names_its_chunk(
    misbehaving: Callable[..., Misbehaving],
) -> None:
    with workers(misbehaving(Together(4))) as network:
        for chunk in CHUNKS[:4]:
            network.lookup(chunk)
        arrivals = taken(network, 4)
    assert {arrival.chunk for arrival in arrivals} == set(CHUNKS[:4])
    assert all(isinstance(arrival.reply, Found) for arrival in arrivals)


def test_the_levels_are_asked_for_beside_the_lookups(misbehaving: Callable[..., Misbehaving]) -> None:
    with workers(misbehaving(Hang()), count=2) as network:
        network.lookup(CHUNKS[0])
        network.lookup(CHUNKS[1])
        network.account()
        (arrival,) = taken(network, 1)
    assert arrival.chunk is None
    assert isinstance(arrival.reply, Levels)


def test_connections_are_used_again_and_there_are_no_more_than_are_needed(
    misbehaving: Callable[..., Misbehaving],
) -> None:
    server = misbehaving(FOUND)
    with workers(server) as network:
        for chunk in CHUNKS:
            network.lookup(chunk)
            assert [arrival.chunk for arrival in taken(network, 1)] == [chunk]
    assert server.connections == 1


def test_there_are_never_more_connections_than_workers_and_one(misbehaving: Callable[..., Misbehaving]) -> None:
    server = misbehaving(FOUND)
    with workers(server, count=2) as network:
        for chunk in CHUNKS:
            network.lookup(chunk)
        assert {arrival.chunk for arrival in taken(network, 20)} == set(CHUNKS)
    assert server.connections <= 3


def test_with_nothing_under_way_time_passes_by_the_clock(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    with workers(misbehaving(FOUND), clock=clock) as network:
        assert network.take(3600.0) is None
        assert network.take(-1.0) is None
    assert clock.monotonic_s() == 3600


def test_with_something_under_way_a_clock_that_is_moved_stands_still(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock
) -> None:
    with workers(misbehaving(FOUND), clock=clock) as network:
        network.lookup(CHUNKS[0])
        assert network.take(math.inf) is not None
    assert clock.monotonic_s() == 0


def test_a_wait_ends_although_nothing_came(misbehaving: Callable[..., Misbehaving]) -> None:
    with workers(misbehaving(Hang())) as network:
        network.lookup(CHUNKS[0])
        assert network.take(0.0) is None
        assert network.take(0.05) is None


@pytest.mark.skipif(os.name == "nt", reason="there, signals wait for the lock")
def test_a_signal_interrupts_the_wait(misbehaving: Callable[..., Misbehaving]) -> None:
    server = misbehaving(Hang())
    started_s = time.monotonic()
    with workers(server) as network:
        network.lookup(CHUNKS[0])
        server.wait_for(1)
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            network.take(5.0)
    assert time.monotonic() - started_s < 2


def test_leaving_does_not_wait_for_what_is_under_way(misbehaving: Callable[..., Misbehaving]) -> None:
    server = misbehaving(Hang())
    with workers(server) as network:
        network.lookup(CHUNKS[0])
        server.wait_for(1)
        left_s = time.monotonic()
    assert time.monotonic() - left_s < 1


def test_leaving_closes_what_is_idle(misbehaving: Callable[..., Misbehaving]) -> None:
    closed = threading.Event()

    def answer_and_wait(connection: socket.socket) -> None:
        take_step(connection, FOUND)
        connection.settimeout(5)
        if not connection.recv(1):
            closed.set()

    with workers(misbehaving(answer_and_wait)) as network:
        network.lookup(CHUNKS[0])
        taken(network, 1)
        assert not closed.is_set()
    assert closed.wait(2)


def test_a_request_under_way_ends_at_its_own_deadline(misbehaving: Callable[..., Misbehaving]) -> None:
    with workers(misbehaving(Hang()), timeout_s=0.1) as network:
        network.lookup(CHUNKS[0])
        assert taken(network, 1) == [Arrival(CHUNKS[0], NoReply.lost("no answer in time"))]


def test_a_mistake_of_ours_comes_out_where_the_run_goes_on() -> None:
    def connect() -> Client:
        raise ZeroDivisionError

    with Workers(connect, 4, SystemClock()) as network:
        network.lookup(CHUNKS[0])
        with pytest.raises(ZeroDivisionError):
            network.take(5.0)
