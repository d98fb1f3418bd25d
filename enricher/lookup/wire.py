"""The way to a server: its address, TCP, a proxy's tunnel, TLS; then bytes, each read with the time that is left.

Nothing of a request is sent by `dial`: what fails there was never charged. Knows no API and no key.
"""

from __future__ import annotations

import errno
import io
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Literal, cast

import certifi

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK_BYTES = 64 * 1024
_LEAST_S = 0.001
"""A time-out of 0 would mean something else to a socket: don't wait at all."""
_NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, getattr(errno, "EHOSTDOWN", None)})


class UnreachableError(Exception):
    """There is no connection; its text says why, in words for users."""


class TooLargeError(Exception):
    """The server sent more than was allowed."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a connection goes: a server, by TLS unless `tls` is None, through the tunnel of a proxy if there is one."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    proxy: tuple[str, int] | None = None


@cache  # reading the roots takes some 40 ms
def trust() -> ssl.SSLContext:
    """Return what TLS servers are trusted by: this machine's roots (or SSL_CERT_FILE's) and certifi's."""
    # Not ssl.create_default_context: it writes the secrets of connections, and so the key, where SSLKEYLOGFILE says.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which verifies certificates and host names
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs()
    context.load_verify_locations(certifi.where())
    return context


class Wire(io.BufferedReader):
    """An open connection. What is read counts towards a limit and ends at a deadline, both set by `send`."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._timed = _TimedSocket(sock)
        super().__init__(self._timed, _BLOCK_BYTES)

    def send(self, data: bytes, deadline_s: float, limit_bytes: int) -> None:
        """Send all of `data`. What is read after it may take until `deadline_s` (time.monotonic) and `limit_bytes`.

        Reading raises TimeoutError and TooLargeError beyond them, and OSError for a connection that breaks.
        """
        self._timed.deadline_s, self._timed.allowance_bytes = deadline_s, limit_bytes
        self._sock.settimeout(max(_LEAST_S, deadline_s - time.monotonic()))
        self._sock.sendall(data)

    def begin_reply(self, method: Literal["GET", "CONNECT"]) -> HTTPResponse:
        """Read the head of the reply to a request. Raises as reading does, and HTTPException and ValueError."""
        while True:
            response = HTTPResponse(cast("socket.socket", self), method=method)  # it only ever calls makefile
            response.begin()
            if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
                raise HTTPException
            if response.status >= HTTPStatus.OK:  # else a word in between, such as 103 (RFC 9110, section 15.2)
                return response

    def is_quiet(self) -> bool:
        """Tell whether the server has said nothing since its last reply, and not closed: fit for another request."""
        self._timed.deadline_s = None
        try:
            return not self.peek(1) and not self._timed.has_ended
        except (OSError, TooLargeError):
            return False

    def makefile(self, _mode: str) -> Wire:
        """Stand in for a socket where http.client wants to read from one."""
        return self

    def close(self) -> None:
        """Do nothing: http.client closes what it has read a reply from, and the next one comes out of the same.

        Nor at the interpreter's end: a thread that still reads holds the buffer's lock, and closing would wait for it.
        """

    def hang_up(self) -> None:
        """Close the connection."""
        self._sock.close()


class _TimedSocket(io.RawIOBase):
    """Reads from a socket until a deadline (None: only what is here already), and not more than is allowed."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.deadline_s: float | None = None
        self.allowance_bytes = 0
        self.has_ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        if self.deadline_s is None:
            self._sock.settimeout(0)
        elif (left_s := self.deadline_s - time.monotonic()) > 0:
            self._sock.settimeout(left_s)
        else:
            raise TimeoutError
        try:
            count = self._sock.recv_into(buffer)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        self.has_ended = not count
        self.allowance_bytes -= count
        if self.allowance_bytes < 0:
            raise TooLargeError
        return count


def dial(route: Route, deadline_s: float) -> Wire:
    """Open a connection until `deadline_s` (time.monotonic). Raises UnreachableError, which carries no other error."""
    sock: socket.socket | None = None
    whom = ""
    try:
        if route.proxy:
            whom = "the proxy can't be used: "
            sock = _connect(*route.proxy, deadline_s)
            _open_tunnel(sock, route, deadline_s)
            whom = ""
        else:
            sock = _connect(route.host, route.port, deadline_s)
        if route.tls:
            sock = _secure(sock, route.tls, route.host, deadline_s)
        return Wire(sock)
    except (OSError, HTTPException, ValueError, TooLargeError) as error:
        reason = whom + _reason(error)
    except UnreachableError as error:
        reason = whom + str(error)
    except BaseException:
        if sock:
            sock.close()
        raise
    if sock:
        sock.close()
    raise UnreachableError(reason)


def _connect(host: str, port: int, deadline_s: float) -> socket.socket:
    """Connect to the first address of a host that takes it. Raises OSError."""
    addresses = _addresses(host, port, deadline_s)
    failure: OSError = socket.gaierror(f"no address of {host}")
    for at, (family, kind, protocol, _, address) in enumerate(addresses):
        share_s = (deadline_s - time.monotonic()) / (len(addresses) - at)  # a dead address leaves time for the next
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(max(_LEAST_S, share_s))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a request waits for no acknowledgement
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


def _addresses(host: str, port: int, deadline_s: float) -> list[tuple[Any, ...]]:
    """Look a host's name up, which Python can only do without a time limit: so in a thread that may be left alone."""
    answer: SimpleQueue[list[tuple[Any, ...]] | OSError | ValueError] = SimpleQueue()

    def resolve() -> None:
        try:
            answer.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            answer.put(error)

    threading.Thread(target=resolve, name="resolve", daemon=True).start()
    try:
        found = answer.get(timeout=max(_LEAST_S, deadline_s - time.monotonic()))
    except Empty:
        raise TimeoutError from None
    if isinstance(found, Exception):
        raise found
    return found


def _open_tunnel(sock: socket.socket, route: Route, deadline_s: float) -> None:
    """Have a proxy pass on what we send. Raises UnreachableError where it refuses."""
    name = ascii_host(route.host)
    request = f"CONNECT {name}:{route.port} HTTP/1.1\r\nHost: {name}:{route.port}\r\n\r\n"
    wire = Wire(sock)
    wire.send(request.encode("ascii"), deadline_s, _BLOCK_BYTES)
    status = wire.begin_reply("CONNECT").status
    if status not in range(200, 300):
        raise UnreachableError(f"it answered {status}")


def _secure(sock: socket.socket, context: ssl.SSLContext, host: str, deadline_s: float) -> socket.socket:
    """Return the socket under TLS. Closes it and raises OSError or ValueError where that fails."""
    secured = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    try:
        secured.settimeout(max(_LEAST_S, deadline_s - time.monotonic()))
        secured.do_handshake()
    except BaseException:
        secured.close()
        raise
    return secured


def ascii_host(host: str) -> str:
    """Return a host as HTTP writes it: international names as IDNA, an IPv6 address in brackets.

    >>> ascii_host("bücher.example"), ascii_host("::1")
    ('xn--bcher-kva.example', '[::1]')
    """
    return f"[{host}]" if ":" in host else host if host.isascii() else host.encode("idna").decode()


def _reason(error: Exception) -> str:
    """Put a failure to connect in words of our own, by its class."""
    match error:
        case socket.gaierror() | UnicodeError():
            return "its name is not known"
        case ssl.SSLCertVerificationError():
            return "its certificate is not valid"
        case ssl.SSLError():
            return "no secure connection could be made"
        case TimeoutError():
            return "no connection in time"
        case ConnectionRefusedError():
            return "the connection was refused"
        case ConnectionError():
            return "the connection broke"
        case OSError() if error.errno in _NO_WAY:
            return "the network has no way to it"
        case HTTPException() | TooLargeError():
            return "the reply is garbled"
    return "no connection could be made"
