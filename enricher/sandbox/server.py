"""Running the sandbox: in a thread for tests and `--sandbox`, or in the foreground for `enricher sandbox`.

Owns the socket and the server's life. Knows nothing of what is served, and logs no request: the API key is in its URL.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
from typing import TYPE_CHECKING

import uvicorn

from enricher.clock import Clock, SystemClock
from enricher.errors import EnricherError
from enricher.sandbox.app import Slow, Tally, create_app
from enricher.sandbox.catalog import Catalog
from enricher.sandbox.ledger import KEYS, PRO, Ledger, Plan

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Mapping

    from starlette.types import ASGIApp

_LOOPBACK = "127.0.0.1"
_MAX_PORT = 65_535
_BACKLOG = 1024
_START_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 5
# Longer than the 10 s a client waits for ten tokens at 60 a minute. With uvicorn's 5 s every such client would find
# its connection closed, and now and then just while it sends: a request that was perhaps paid for.
_KEEP_ALIVE_S = 75


class Sandbox:
    """A running sandbox: where it is, and what was asked of it."""

    def __init__(self, url: str, catalog: Catalog, ledger: Ledger, tally: Tally) -> None:
        self.url = url
        """The base address, such as http://127.0.0.1:43210."""
        self.catalog = catalog
        self.ledger = ledger
        self._tally = tally

    @property
    def requests(self) -> Counter[str]:
        """How often each code was looked up and paid for, as it was written in the request."""
        return self._tally.codes()

    @property
    def refusals(self) -> Counter[int]:
        """How many requests were answered with each error status."""
        return self._tally.refusals()


@contextlib.contextmanager
def serve(
    catalog: Catalog | None = None,
    plans: Mapping[str, Plan | None] | None = None,
    clock: Clock | None = None,
    *,
    latency_s: float = 0.0,
) -> Iterator[Sandbox]:
    """Serve the API on a free loopback port for as long as the context lasts; it answers when the body begins.

    `catalog` is the shipped one by default, `plans` (API key -> plan, None: no subscription) are `KEYS`, `clock` the
    system's. Each reply to a lookup comes `latency_s` seconds after it is charged; others are answered meanwhile.
    Raises EnricherError when it can't start.
    """
    catalog = Catalog.shipped() if catalog is None else catalog
    ledger = Ledger(KEYS if plans is None else plans, clock or SystemClock())
    tally = Tally()
    # Bound here and handed over open: a port that is only looked up can be taken by another before it is used.
    listener = _listen(_LOOPBACK, 0)
    app: ASGIApp = create_app(catalog, ledger, tally)
    server = _Server(_config(Slow(app, latency_s) if latency_s else app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True)
    thread.start()
    try:
        if not server.ready.wait(_START_TIMEOUT_S):
            raise EnricherError(f"The sandbox did not start within {_START_TIMEOUT_S:.0f} seconds. Try again.")
        yield Sandbox(_url(listener), catalog, ledger, tally)
    finally:
        server.should_exit = True
        thread.join(_STOP_TIMEOUT_S * 2)


def run_foreground(  # noqa: PLR0913 - one for each flag of the command
    host: str = _LOOPBACK,
    port: int = 8787,
    catalog: Catalog | None = None,
    plan: Plan = PRO,
    *,
    clock: Clock | None = None,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the API until Ctrl-C; `on_ready` gets the base address once it answers.

    The key `sandbox` is on `plan`, the other keys are as in `KEYS`. Raises EnricherError when the address can't be
    used, and InputError when the shipped catalog can't be read.
    """
    listener = _listen(host, port)
    with listener:
        catalog = Catalog.shipped() if catalog is None else catalog
        ledger = Ledger(KEYS | {"sandbox": plan}, clock or SystemClock())
        server = _Server(_config(create_app(catalog, ledger, Tally())))
        if on_ready is not None:
            url = _url(listener)
            server.on_ready = lambda: on_ready(url)
        # uvicorn shuts down on the first Ctrl-C and then raises it again.
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.on_ready: Callable[[], None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()
        if self.on_ready is not None:
            self.on_ready()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        # Whatever is installed beside us, the sandbox behaves the same.
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_STOP_TIMEOUT_S,
    )


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= _MAX_PORT:  # getaddrinfo would take 99999 for 34463
        raise EnricherError(f"Port {port} does not exist: ports go from 0 to {_MAX_PORT}.")
    try:
        # asyncio turns Nagle's delay off only on sockets that name their protocol, as getaddrinfo does and
        # socket.create_server doesn't; without that every reply takes 44 ms instead of 1.
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with contextlib.ExitStack() as on_failure:
            listener = on_failure.enter_context(socket.socket(family, kind, protocol))
            if os.name == "posix":  # elsewhere the option lets two programs share the port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
            on_failure.pop_all()
            return listener
    except OSError as error:
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            raise EnricherError(f"Port {port} on {host} is in use or not allowed. Choose another port.") from error
        raise EnricherError(f"Can't listen on {host}, port {port}: {error}.") from error


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
