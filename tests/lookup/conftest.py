"""A server that misbehaves on purpose, over real sockets."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEVELS = {"dailyTokensLeft": 9990, "bucketSize": 110, "msBeforeNextDailyToken": 1000, "consumedTokens": 1}
ACCOUNT = {
    "dailyTokensLeft": 10_000,
    "dailyTokensLimit": 10_000,
    "minutelyTokensLeft": 120,
    "minutelyBucketCapacity": 120,
    "tokensPerMinute": 60,
    "msBeforeNextDailyReset": 1000,
}


def http(status: int, body: bytes | dict[str, Any], *headers: str, length: int | None = None) -> bytes:
    """One HTTP response; `length` lies about the body's."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status} X",
        f"Content-Length: {len(data) if length is None else length}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


RESET = b"reset"
"""A step that resets the connection without a reply."""


class Misbehaving:
    """Answers the Nth lookup with the Nth step of its script (the last one again and again); accounts are fine."""

    def __init__(self, listener: socket.socket) -> None:
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.script: list[bytes] = []
        self.account: dict[str, Any] = ACCOUNT
        self.seen: list[str] = []
        self._listener = listener

    def run(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed: the test is over
            while True:
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(ConnectionError):
                    self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            piece = connection.recv(65536)
            if not piece:
                return
            request += piece
        line = request.split(b"\r\n", 1)[0].decode()
        if "/account/tokens" in line:
            connection.sendall(http(200, self.account))
            return
        self.seen.append(line)
        step = self.script[min(len(self.seen), len(self.script)) - 1]
        if step.endswith(RESET):
            connection.sendall(step.removesuffix(RESET))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.sendall(step)


@pytest.fixture
def misbehaving() -> Iterator[Callable[..., Misbehaving]]:
    """Start a server with a script of responses."""
    with contextlib.ExitStack() as stack:

        def start(*script: bytes) -> Misbehaving:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            server = Misbehaving(listener)
            server.script = list(script)
            threading.Thread(target=server.run, daemon=True).start()
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            return server

        yield start
