"""The server's life: where it listens, how it stops, what it refuses to write down."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import requests

from enricher.errors import EnricherError
from enricher.sandbox import Catalog, Sandbox, run_foreground, serve

from .conftest import TRIO_UPC

if TYPE_CHECKING:
    from collections.abc import Callable

FOREGROUND = """
from enricher.sandbox import BASIC, Catalog, run_foreground
run_foreground(port=0, catalog=Catalog(), plan=BASIC, on_ready=lambda url: print(url, flush=True))
print("stopped")
"""


def test_each_sandbox_has_a_port_of_its_own() -> None:
    with serve(Catalog()) as first, serve(Catalog()) as second:
        assert first.url != second.url
        assert first.url.startswith("http://127.0.0.1:")
        for sandbox in (first, second):
            assert requests.get(f"{sandbox.url}/account/tokens?key=sandbox", timeout=10).status_code == 200


def test_it_stops_quickly_even_with_a_connection_left_open() -> None:
    with requests.Session() as session:
        with serve(Catalog()) as sandbox:
            session.get(f"{sandbox.url}/account/tokens?key=sandbox", timeout=10)
            started_s = time.monotonic()
        assert time.monotonic() - started_s < 2

        with pytest.raises(requests.ConnectionError):
            requests.get(sandbox.url, timeout=10)


def test_slow_replies_are_charged_at_once_and_hold_up_nobody(catalog: Catalog) -> None:
    with serve(catalog, latency_s=0.5) as slow, ThreadPoolExecutor(4) as clients:
        started_s = time.monotonic()

        def ask(path: str) -> tuple[int, float]:
            reply = requests.get(f"{slow.url}/{path}", timeout=10)
            return reply.status_code, time.monotonic() - started_s

        lookups = [clients.submit(ask, f"products/lookup?key=sandbox&upc={TRIO_UPC}") for _ in range(3)]
        refused = clients.submit(ask, "products/lookup?key=wrong&upc=1")
        while slow.ledger.spent("sandbox") < 3:
            time.sleep(0.01)
        assert ask("account/tokens?key=sandbox")[0] == 200
        assert not any(lookup.done() for lookup in lookups)
        ended = [one.result() for one in [*lookups, refused]]
    assert [status for status, _ in ended] == [200, 200, 200, 401]
    assert all(0.5 <= waited_s < 1.5 for _, waited_s in ended), "one after another they take 2 s"


def test_no_log_line_holds_the_key_or_the_url(
    sandbox: Sandbox,
    ask: Callable[..., requests.Response],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG, logger="uvicorn")
    ask("/products/lookup", asin="B088H39PXX")
    ask("/products/lookup", asin="bad")

    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("urllib3")]
    assert not [line for line in ours if "key=" in line or "/products" in line]
    assert "".join(capfd.readouterr()) == ""
    assert sandbox.requests == {"B088H39PXX": 1}


def test_a_port_in_use_is_said_in_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EnricherError, match=f"Port {port} on 127.0.0.1 is in use .* Choose another port."):
            run_foreground(port=port, catalog=Catalog())


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [("127.0.0.1", 99_999, "Port 99999 does not exist"), ("192.0.2.1", 0, "Can't listen on 192.0.2.1")],
)
def test_an_address_that_can_not_be_is_refused(host: str, port: int, words: str) -> None:
    with pytest.raises(EnricherError, match=words):
        run_foreground(host, port, Catalog())


@pytest.mark.skipif(os.name != "posix", reason="a child's Ctrl-C can't be pressed elsewhere")
def test_in_the_foreground_it_serves_until_ctrl_c_and_leaves_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FOREGROUND], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        reply = requests.get(f"{url}/account/tokens?key=sandbox", timeout=10).json()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)

    assert reply["minutelyBucketCapacity"] == 60
    assert (out, err, child.returncode) == ("stopped\n", "", 0)
