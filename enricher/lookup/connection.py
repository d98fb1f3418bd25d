"""HTTP/1.1 GETs over one connection, by the standard library's http.client, and each one's answer or fault as a value.

No library that does more, since money hangs on what those hide: whether the request left this machine, one deadline for
all of it however slowly the reply drips, no retry and no redirect, and no text, log line or exception with the URL in
it, which holds the API key. Proxies and passwords of the environment are not looked at.
"""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from enricher import __version__
from enricher.lookup.address import check_proxy, check_url, is_loopback
from enricher.lookup.wire import Route, TooLargeError, UnreachableError, Wire, ascii_host, dial, trust

if TYPE_CHECKING:
    from email.message import Message

_MAX_BODY_BYTES = 8 * 1024 * 1024
_MAX_REPLY_BYTES = _MAX_BODY_BYTES + 256 * 1024
"""With its head and what chunks add."""
_BLOCK_BYTES = 64 * 1024
_CONNECT_S = 10.0
_IDLE_S = 2.0
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP reply, whole and with its content decoded; of an error, what could be had of its body."""

    status: int
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no answer, in words. `was_sent`: the request, or some of it, may have left this machine."""

    reason: str
    was_sent: bool


class Connection:
    """A way to one server, opened when it is needed. For one thread. Raises ConfigError as the checks of `address`.

    A server of this machine is asked without the proxy.
    """

    def __init__(self, url: str, proxy: str | None = None) -> None:
        parts, via = urlsplit(check_url(url)), urlsplit(check_proxy(proxy)) if proxy else None
        host = parts.hostname or ""
        is_secure = parts.scheme == "https"
        self._route = Route(
            host,
            parts.port or (443 if is_secure else 80),
            trust() if is_secure else None,
            (via.hostname or "", via.port or 0) if via and not is_loopback(host) else None,
        )
        self._path = quote(parts.path, safe="/%")
        self._port_said = f":{parts.port}" if parts.port else ""
        self._wire: Wire | None = None
        self._used_s = 0.0

    def get(self, target: str, timeout_s: float) -> Answer | Fault:
        """Ask for a path with its query, percent-encoded, below the server's address; all within `timeout_s`."""
        deadline_s = time.monotonic() + timeout_s
        try:
            wire = self._take_wire() or dial(self._route, min(deadline_s, time.monotonic() + _CONNECT_S))
        except UnreachableError as error:
            return Fault(str(error), was_sent=False)
        is_whole = False
        try:
            outcome, is_whole = _exchange(wire, self._head(target), deadline_s)
        finally:
            if is_whole:
                self._wire, self._used_s = wire, time.monotonic()
            else:
                wire.hang_up()
        return outcome

    def close(self) -> None:
        """Close what is open; the next `get` opens it again."""
        if self._wire:
            self._wire.hang_up()
            self._wire = None

    def _take_wire(self) -> Wire | None:
        """Return the open connection if it is fit for another request."""
        # One that was idle for some seconds may be closed by the server just while we send, and then nobody knows
        # whether the request was charged. A fresh one costs a round trip.
        if self._wire and time.monotonic() - self._used_s <= _IDLE_S and self._wire.is_quiet():
            wire, self._wire = self._wire, None
            return wire
        self.close()
        return None

    def _head(self, target: str) -> bytes:
        lines = (
            f"GET {self._path}{target} HTTP/1.1",
            f"Host: {ascii_host(self._route.host)}{self._port_said}",
            f"User-Agent: enricher/{__version__}",
            "Accept: application/json",
            "Accept-Encoding: gzip",
        )
        return "\r\n".join((*lines, "", "")).encode("ascii")


def _exchange(wire: Wire, request: bytes, deadline_s: float) -> tuple[Answer | Fault, bool]:
    """Send a request and read its reply; say whether the connection can take another one."""
    response: HTTPResponse | None = None
    try:
        wire.send(request, deadline_s, _MAX_REPLY_BYTES)
        response = wire.begin_reply("GET")
        body = _decoded(_read_body(response), response.headers.get("Content-Encoding", ""))
        return Answer(response.status, response.headers, body), not response.will_close
    except TimeoutError:
        reason = "no answer in time"
    except TooLargeError:
        reason = "the reply is larger than 8 MiB"
    except (IncompleteRead, OSError) as error:
        has_begun = response is not None and not isinstance(error, RemoteDisconnected)
        reason = "the connection broke in mid-reply" if has_begun else "the connection broke"
    except (HTTPException, ValueError, zlib.error):
        reason = "the reply is garbled"
    finally:
        if response is not None:
            response.close()  # left to its finalizer, a Ctrl-C that comes just then is swallowed
    if response is not None and response.status >= HTTPStatus.MULTIPLE_CHOICES:
        # Its status is what counts: a 429 whose text is lost was not charged all the same.
        return Answer(response.status, response.headers, b""), False
    return Fault(reason, was_sent=True), False


def _read_body(response: HTTPResponse) -> bytes:
    body = bytearray()
    while piece := response.read(_BLOCK_BYTES):
        body += piece
        if len(body) > _MAX_BODY_BYTES:
            raise TooLargeError
    if response.length:  # http.client says nothing when a body ends before the length it was announced with
        raise IncompleteRead(b"")
    return bytes(body)


def _decoded(body: bytes, encoding: str) -> bytes:
    """Undo a Content-Encoding. Raises TooLargeError, and ValueError or zlib.error for what can't be undone."""
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"} or not body:
        return body
    if encoding not in {"gzip", "x-gzip"}:
        raise ValueError  # it was not asked for
    inflate = zlib.decompressobj(_GZIP)
    text = inflate.decompress(body, _MAX_BODY_BYTES + 1)
    if len(text) > _MAX_BODY_BYTES:
        raise TooLargeError
    if not inflate.eof:
        raise ValueError
    return text
