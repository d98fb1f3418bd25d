"""A server that misbehaves on purpose, over real sockets."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVELS = {"dailyTokensLeft": 9990, "bucketSize": 110, "msBeforeNextDailyToken": 1000, "consumedTokens": 1}
ACCOUNT = {
    "dailyTokensLeft": 10_000,
    "dailyTokensLimit": 10_000,
    "minutelyTokensLeft": 120,
    "minutelyBucketCapacity": 120,
    "tokensPerMinute": 60,
    "msBeforeNextDailyReset": 1000,
}


def http(
    status: int, body: bytes | dict[str, Any], *headers: str, length: int | None = None, keep: bool = False
) -> bytes:
    """One HTTP response; `length` lies about the body's. With `keep` the connection stays open."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status} X",
        f"Content-Length: {len(data) if length is None else length}",
        *([] if keep else [CLOSE.decode()]),
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


CLOSE = b"Connection: close"

RESET = b"reset"
"""A step that resets the connection without a reply."""


@dataclass(frozen=True)
class Drip:
    """A step that sends a response a few bytes at a time, with pauses."""

    data: bytes
    pause_s: float = 0.02
    piece: int = 1


@dataclass(frozen=True)
class Hang:
    """A step that sends something, or nothing, and then is silent until the client goes away."""

    data: bytes = b""


Step: TypeAlias = bytes | Drip | Hang | Callable[[socket.socket], None]


class Misbehaving:
    """Answers the Nth lookup with the Nth step of its script (the last one again and again); accounts are fine.

    Serves several connections at once, and one after another's requests on those that stay open. `seen` are the lines
    of the lookups, `requests` all requests whole, `connections` how many were made.
    """

    def __init__(self, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        port = listener.getsockname()[1]
        self.port: int = port
        self.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        self.script: list[Step] = []
        self.account: dict[str, Any] | Step = ACCOUNT
        self.seen: list[str] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.answered = threading.Condition()
        self._listener = listener
        self._tls = tls

    def run(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed: the test is over
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self._tls is None:
                self._serve(connection)
            else:
                with self._tls.wrap_socket(connection, server_side=True) as secured:
                    self._serve(secured)

    def _serve(self, connection: socket.socket) -> None:
        is_open = True
        while is_open:
            request = b""
            while b"\r\n\r\n" not in request:
                piece = connection.recv(65536)
                if not piece:
                    return
                request += piece
            is_open = take_step(connection, self._step(request))

    def _step(self, request: bytes) -> Step:
        line = request.split(b"\r\n", 1)[0].decode()
        with self.answered:
            self.requests.append(request)
            if "/account/tokens" in line:
                return http(200, self.account) if isinstance(self.account, dict) else self.account
            self.seen.append(line)
            self.answered.notify_all()
            return self.script[min(len(self.seen), len(self.script)) - 1]

    def wait_for(self, lookups: int) -> None:
        """Wait until so many lookups have come in."""
        with self.answered:
            assert self.answered.wait_for(lambda: len(self.seen) >= lookups, timeout=10)


def take_step(connection: socket.socket, step: Step) -> bool:
    """Do to the client what the step says; True: the connection stays open."""
    match step:
        case bytes() if step.endswith(RESET):
            connection.sendall(step.removesuffix(RESET))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        case bytes():
            connection.sendall(step)
            return CLOSE not in step and step.startswith(b"HTTP/1.1 ")
        case Drip():
            for start in range(0, len(step.data), step.piece):
                connection.sendall(step.data[start : start + step.piece])
                time.sleep(step.pause_s)
        case Hang():
            connection.sendall(step.data)
            connection.recv(1)
        case _:
            step(connection)
    return False


@pytest.fixture
def misbehaving() -> Iterator[Callable[..., Misbehaving]]:
    """Start a server with a script of responses; over TLS if it is given a server's context."""
    with contextlib.ExitStack() as stack:

        def start(*script: Step, tls: ssl.SSLContext | None = None) -> Misbehaving:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            server = Misbehaving(listener, tls)
            server.script = list(script)
            threading.Thread(target=server.run, daemon=True).start()
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            return server

        yield start


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority that no machine knows."""
    return trustme.CA()


@pytest.fixture
def certified(authority: trustme.CA) -> Callable[[str], ssl.SSLContext]:
    """Make a TLS server's context for a host, certified by that authority."""

    def context(host: str) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(made)
        return made

    return context
