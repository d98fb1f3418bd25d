"""The first question of a run, against a server that has its troubles and a clock that is moved."""

from __future__ import annotations

import random
import time
import traceback
from typing import TYPE_CHECKING

import pytest

from enricher.errors import ApiError, ApiKeyError
from enricher.lookup.account import ask_levels
from enricher.lookup.client import Client

from .conftest import ACCOUNT, RESET, Hang, http, take_step

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from enricher.clock import ManualClock
    from enricher.model import Levels

    from .conftest import Misbehaving, Step

KEY = "s3cret-key"
GOOD = http(200, ACCOUNT)


class Script:
    """A step that takes the next of its own each time, and the last one again and again."""

    def __init__(self, *steps: Step) -> None:
        self._steps = steps
        self.asked = 0

    def __call__(self, connection: socket.socket) -> None:
        self.asked += 1
        take_step(connection, self._steps[min(self.asked, len(self._steps)) - 1])


def ask(url: str, clock: ManualClock, timeout_s: float = 5.0) -> Levels:
    with Client(url, KEY, clock, timeout_s) as client:
        return ask_levels(client, clock, random.Random(7))  # noqa: S311 - waits, not secrets


@pytest.fixture
def serve(misbehaving: Callable[..., Misbehaving]) -> Callable[..., tuple[str, Script]]:
    def start(*steps: Step) -> tuple[str, Script]:
        server, script = misbehaving(), Script(*steps)
        server.account = script
        return server.url, script

    return start


def test_a_good_answer_is_asked_for_once(serve: Callable[..., tuple[str, Script]], clock: ManualClock) -> None:
    url, script = serve(GOOD)
    assert ask(url, clock).bucket_capacity == 120
    assert (script.asked, clock.monotonic_s()) == (1, 0)


@pytest.mark.parametrize(
    "step", [RESET, http(500, b"<html>"), http(502, b""), http(503, b""), http(429, b""), http(200, b"x", length=9)]
)
def test_trouble_that_passes_is_waited_out(
    serve: Callable[..., tuple[str, Script]], clock: ManualClock, step: Step
) -> None:
    url, script = serve(step, step, GOOD)
    assert ask(url, clock).bucket_capacity == 120
    assert script.asked == 3
    assert 0 < clock.monotonic_s() <= 1.5


def test_silence_is_waited_out_too(serve: Callable[..., tuple[str, Script]], clock: ManualClock) -> None:
    url, script = serve(Hang(), GOOD)
    started_s = time.monotonic()
    assert ask(url, clock, timeout_s=0.1).bucket_capacity == 120
    assert script.asked == 2
    assert time.monotonic() - started_s < 1


def test_trouble_that_stays_ends_after_five_tries(serve: Callable[..., tuple[str, Script]], clock: ManualClock) -> None:
    url, script = serve(http(500, b"<html>"))
    with pytest.raises(ApiError, match=rf"^{url} did not tell the tokens left: the service answered 500\. Run again"):
        ask(url, clock)
    assert script.asked == 5
    assert clock.monotonic_s() <= 7.5


def test_a_service_that_is_not_there_is_told(clock: ManualClock) -> None:
    with pytest.raises(ApiError, match=r"^http://127.0.0.1:1 can't be reached: the connection was refused\. Check"):
        ask("http://127.0.0.1:1", clock)
    assert 0 < clock.monotonic_s() <= 7.5


@pytest.mark.parametrize(("said_s", "asked", "waited_s"), [(2, 5, 8), (25, 3, 50), (30, 3, 60), (31, 1, 0)])
def test_the_time_to_come_back_is_honoured_for_a_minute_in_all(
    serve: Callable[..., tuple[str, Script]], clock: ManualClock, said_s: int, asked: int, waited_s: int
) -> None:
    url, script = serve(http(503, b"", f"Retry-After: {said_s}"))
    with pytest.raises(ApiError):
        ask(url, clock)
    assert (script.asked, clock.monotonic_s()) == (asked, waited_s)


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (http(404, b"<html>"), "the service answered 404"),
        (http(200, b"<html>"), "it answered something else than token levels"),
        (http(200, {**ACCOUNT, "tokensPerMinute": "sixty"}), "no usable tokensPerMinute"),
        (http(302, b"", "Location: https://login.example"), "a redirect, which is not followed"),
    ],
)
def test_an_answer_that_will_stay_the_same_is_not_asked_for_again(
    serve: Callable[..., tuple[str, Script]], clock: ManualClock, step: Step, told: str
) -> None:
    url, script = serve(step)
    with pytest.raises(ApiError, match=told):
        ask(url, clock)
    assert script.asked == 1


@pytest.mark.parametrize(
    ("status", "told"), [(401, "the API key is wrong"), (403, "the API key has no active subscription")]
)
def test_a_key_that_is_refused_is_told_at_once(
    serve: Callable[..., tuple[str, Script]], clock: ManualClock, status: int, told: str
) -> None:
    url, script = serve(http(status, {"error": f"?key={KEY}"}))
    with pytest.raises(ApiKeyError, match=told):
        ask(url, clock)
    assert script.asked == 1


@pytest.mark.parametrize("step", [RESET, http(401, b""), http(400, {"error": f"?key={KEY}"}), b"garbage"])
def test_no_error_carries_the_key_or_the_error_of_a_library(
    serve: Callable[..., tuple[str, Script]], clock: ManualClock, step: Step
) -> None:
    with pytest.raises(ApiError) as refusal:
        ask(serve(step)[0], clock)
    assert (refusal.value.__context__, refusal.value.__cause__) == (None, None)
    assert KEY not in "".join(traceback.format_exception(refusal.value))
