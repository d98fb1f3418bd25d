"""What a network and a server can do to one request, over real sockets: always a value in words, always in time."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from enricher.lookup.connection import Answer, Connection, Fault
from enricher.lookup.wire import trust

from .conftest import RESET, Drip, Hang, http, take_step

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import trustme

    from .conftest import Misbehaving, Step

MIB = 1024 * 1024
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SHORT_S = 0.25
TARGET = "/products/lookup?asin=B088H39PXX&key=s3cret-key"


def get(url: str, timeout_s: float = 5.0, proxy: str | None = None) -> Answer | Fault:
    with contextlib.closing(Connection(url, proxy)) as connection:
        return connection.get(TARGET, timeout_s)


def body(answer: Answer | Fault) -> bytes:
    assert isinstance(answer, Answer)
    return answer.body


@pytest.fixture
def trusted(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The authority of the tests is one of this machine's."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    trust.cache_clear()
    yield
    trust.cache_clear()


# --- before the request: never charged --------------------------------------------------------------------------------


def test_a_closed_port_is_told() -> None:
    assert get("http://127.0.0.1:1") == Fault("the connection was refused", was_sent=False)


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".example"])
def test_a_name_that_can_not_be_one_is_told(host: str) -> None:
    assert get(f"https://{host}") == Fault("its name is not known", was_sent=False)


def test_a_name_that_nobody_knows_is_told() -> None:
    slow = Fault("no connection in time", was_sent=False)  # where no name server answers
    assert get("https://api.asinscope.invalid") in {Fault("its name is not known", was_sent=False), slow}


def test_a_name_server_that_does_not_answer_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: done.wait(10) and [])
    started_s = time.monotonic()
    assert get("https://api.asinscope.com", SHORT_S) == Fault("no connection in time", was_sent=False)
    assert time.monotonic() - started_s < 1
    done.set()


def test_a_server_that_does_not_shake_hands_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # the system connects, and nobody is there
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        assert get(url, SHORT_S) == Fault("no connection in time", was_sent=False)


def test_a_server_without_tls_gets_no_request(misbehaving: Callable[..., Misbehaving]) -> None:
    server = misbehaving(http(200, b"x"))
    server_url = server.url.replace("http:", "https:")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk_in_the_open() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(http(400, b"plain http, please"))

        threading.Thread(target=talk_in_the_open, daemon=True).start()
        server_url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        assert get(server_url) == Fault("no secure connection could be made", was_sent=False)


# --- after it: maybe charged ------------------------------------------------------------------------------------------

BOMB = gzip.compress(bytes(64 * MIB))
FAULTS: dict[str, tuple[Step, str]] = {
    "reset before the reply": (RESET, "the connection broke"),
    "closed before the reply": (b"", "the connection broke"),
    "reset in the head": (b"HTTP/1.1 200 OK\r\nContent-" + RESET, "the connection broke"),
    "reset in the body": (http(200, b'{"items": [', length=500) + RESET, "the connection broke in mid-reply"),
    "shorter than announced": (http(200, b'{"items": [', length=500), "the connection broke in mid-reply"),
    "cut between chunks": (CHUNKED + b"3\r\nabc\r\n", "the connection broke in mid-reply"),
    "cut in a chunk": (CHUNKED + b"30\r\nabc", "the connection broke in mid-reply"),
    "a chunk of no size": (CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n", "the connection broke in mid-reply"),
    "silence": (Hang(), "no answer in time"),
    "silence in the head": (Hang(b"HTTP/1.1 200 OK\r\nContent-"), "no answer in time"),
    "silence in the body": (Hang(http(200, b"abc", length=500, keep=True)), "no answer in time"),
    "a dripping head": (Drip(http(200, b"x", f"X-Pad: {'x' * 1000}")), "no answer in time"),
    "a dripping body": (Drip(http(200, b"x" * 1000), piece=50), "no answer in time"),
    "dripping chunks": (Drip(CHUNKED + b"1\r\nx\r\n" * 1000 + b"0\r\n\r\n", piece=20), "no answer in time"),
    "no HTTP": (b"\x00\xff\x16\x03garbage\r\n\r\n", "the reply is garbled"),
    "HTTP/0.9": (b"<html>hello</html>", "the reply is garbled"),
    "a status that is no number": (b"HTTP/1.1 abc OK\r\n\r\n", "the reply is garbled"),
    "a status of one digit": (b"HTTP/1.1 2 OK\r\n\r\n", "the reply is garbled"),
    "HTTP of another age": (b"HTTP/3.0 200 OK\r\n\r\n", "the reply is garbled"),
    "a long header": (http(200, b"x", f"X-Pad: {'x' * 70_000}"), "the reply is garbled"),
    "many headers": (http(200, b"x", *["X-Pad: x"] * 200), "the reply is garbled"),
    "another protocol": (http(101, b"", "Upgrade: x"), "the reply is garbled"),
    "an early hint, and no more": (http(103, b""), "the connection broke"),
    "an encoding nobody asked for": (http(200, b"x", "Content-Encoding: br"), "the reply is garbled"),
    "gzip that is none": (http(200, b"nonsense", "Content-Encoding: gzip"), "the reply is garbled"),
    "gzip cut short": (http(200, gzip.compress(b"x" * 99)[:-4], "Content-Encoding: gzip"), "the reply is garbled"),
    "gzip with a flipped bit": (
        http(200, gzip.compress(b"x" * 99)[:-8] + b"12345678", "Content-Encoding: gzip"),
        "the reply is garbled",
    ),
    "a gzip bomb": (http(200, BOMB, "Content-Encoding: gzip"), "the reply is larger than 8 MiB"),
    "a large body": (http(200, bytes(8 * MIB + 1)), "the reply is larger than 8 MiB"),
    "a large body without end": (HEAD + b"\r\n" + bytes(9 * MIB), "the reply is larger than 8 MiB"),
    "a large chunk": (CHUNKED + b"900000\r\n" + bytes(9 * MIB), "the reply is larger than 8 MiB"),
    "a chunk of less than nothing": (CHUNKED + b"-1\r\n" + bytes(9 * MIB), "the reply is larger than 8 MiB"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_after_the_request_is_a_value_in_words(misbehaving: Callable[..., Misbehaving], fault: str) -> None:
    step, reason = FAULTS[fault]
    timeout_s = SHORT_S if "in time" in reason else 5.0
    started_s = time.monotonic()
    server = misbehaving(step)
    assert get(server.url, timeout_s) == Fault(reason, was_sent=True)
    assert time.monotonic() - started_s < 2
    assert len(server.seen) == 1  # nothing below us asked again


def test_a_bomb_does_not_go_off(misbehaving: Callable[..., Misbehaving]) -> None:
    server = misbehaving(http(200, BOMB, "Content-Encoding: gzip"))
    tracemalloc.start()
    get(server.url)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 20 * MIB


@pytest.mark.parametrize(
    "step",
    [
        http(429, b"x", length=99),
        http(429, b"x", "Content-Encoding: br"),
        http(429, b"x", length=99) + RESET,
        Hang(http(429, b"x", length=99)),
        http(429, bytes(9 * MIB)),
    ],
)
def test_a_refusal_counts_although_its_text_is_lost(misbehaving: Callable[..., Misbehaving], step: Step) -> None:
    answer = get(misbehaving(step).url, SHORT_S if isinstance(step, Hang) else 5.0)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (429, b"")


# --- answers ----------------------------------------------------------------------------------------------------------


TEXT = b'{"items": []}' * 99


@pytest.mark.parametrize(
    "response",
    [
        http(200, TEXT),
        http(200, TEXT, keep=True),
        HEAD + b"\r\n" + TEXT,
        CHUNKED
        + b"a;ext=1\r\n"
        + TEXT[:10]
        + b"\r\n%x\r\n" % (len(TEXT) - 10)
        + TEXT[10:]
        + b"\r\n0\r\nX-T: 1\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + http(200, TEXT),
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + http(200, TEXT),
        b"HTTP/1.0 200 OK\r\n\r\n" + TEXT,
        b"HTTP/1.1 200\r\nConnection: close\r\n\r\n" + TEXT,
        http(200, gzip.compress(TEXT), "Content-Encoding: gzip"),
        http(200, gzip.compress(TEXT), "Content-Encoding: X-GZip"),
        http(200, TEXT, "Content-Encoding: identity"),
        Drip(http(200, TEXT), pause_s=0.001, piece=100),
    ],
)
def test_what_is_said_in_other_ways_is_understood(misbehaving: Callable[..., Misbehaving], response: Step) -> None:
    assert body(get(misbehaving(response).url)) == TEXT


def test_eight_mib_are_not_too_much(misbehaving: Callable[..., Misbehaving]) -> None:
    assert len(body(get(misbehaving(http(200, bytes(8 * MIB))).url))) == 8 * MIB


def test_the_request_says_who_asks_and_nothing_else(misbehaving: Callable[..., Misbehaving]) -> None:
    server = misbehaving(http(200, b""))
    get(server.url + "/api/v1/")
    lines = server.requests[0].decode().split("\r\n")
    assert lines[0] == f"GET /api/v1{TARGET} HTTP/1.1"
    names = [line.split(":")[0] for line in lines[1:-2]]
    assert names == ["Host", "User-Agent", "Accept", "Accept-Encoding"]
    assert lines[1] == f"Host: 127.0.0.1:{server.port}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(misbehaving: Callable[..., Misbehaving], status: int) -> None:
    elsewhere = misbehaving(http(200, TEXT))
    answer = get(misbehaving(http(status, b"", f"Location: {elsewhere.url}{TARGET}")).url)
    assert isinstance(answer, Answer)
    assert answer.status == status
    assert not elsewhere.connections


# --- one connection, many requests ------------------------------------------------------------------------------------


def get_twice(server: Misbehaving, between: Callable[[], object] = lambda: None) -> None:
    with contextlib.closing(Connection(server.url)) as connection:
        for _ in range(2):
            assert body(connection.get(TARGET, 5.0)) == TEXT
            between()
    assert len(server.seen) == 2


def test_a_connection_is_used_again(misbehaving: Callable[..., Misbehaving]) -> None:
    server = misbehaving(http(200, TEXT, keep=True))
    get_twice(server)
    assert server.connections == 1


def test_one_that_was_idle_for_long_is_not(
    misbehaving: Callable[..., Misbehaving], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enricher.lookup.connection._IDLE_S", 0.01)
    server = misbehaving(http(200, TEXT, keep=True))
    get_twice(server, lambda: time.sleep(0.02))
    assert server.connections == 2


@pytest.mark.parametrize(
    "more",
    [b"", RESET, http(200, b"the answer to something else", keep=True), b"x"],
    ids=["closed", "reset", "one answer too many", "leftovers"],
)
def test_one_on_which_the_server_did_more_than_answer_is_not(
    misbehaving: Callable[..., Misbehaving], more: bytes
) -> None:
    done = threading.Event()

    def answer_and_more(connection: socket.socket) -> None:
        take_step(connection, http(200, TEXT, keep=True) + more)
        if more in {b"", RESET}:
            connection.close()
        done.set()
        time.sleep(0.05)  # where it is not closed, it stays so while the client looks

    server = misbehaving(answer_and_more)
    get_twice(server, lambda: done.wait(5))
    assert server.connections == 2


def test_one_that_broke_is_not(misbehaving: Callable[..., Misbehaving]) -> None:
    server = misbehaving(Hang(http(200, b"x", length=9, keep=True)), http(200, TEXT, keep=True))
    with contextlib.closing(Connection(server.url)) as connection:
        assert connection.get(TARGET, SHORT_S) == Fault("no answer in time", was_sent=True)
        assert body(connection.get(TARGET, 5.0)) == TEXT


# --- TLS and proxies --------------------------------------------------------------------------------------------------


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(
    misbehaving: Callable[..., Misbehaving], certified: Callable[[str], ssl.SSLContext]
) -> None:
    server = misbehaving(http(200, TEXT), tls=certified("localhost"))
    assert get(server.url) == Fault("its certificate is not valid", was_sent=False)
    assert (server.connections, server.requests) == (1, [])


@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_host_is_refused_too(
    misbehaving: Callable[..., Misbehaving], certified: Callable[[str], ssl.SSLContext]
) -> None:
    server = misbehaving(http(200, TEXT), tls=certified("elsewhere.example"))
    assert get(server.url) == Fault("its certificate is not valid", was_sent=False)
    assert not server.requests


@pytest.mark.usefixtures("trusted")
def test_a_certificate_that_this_machine_trusts_is_accepted(
    misbehaving: Callable[..., Misbehaving], certified: Callable[[str], ssl.SSLContext]
) -> None:
    server = misbehaving(http(200, TEXT, keep=True), tls=certified("localhost"))
    get_twice(server)
    assert server.connections == 1


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    "fault",
    ["reset before the reply", "reset in the body", "shorter than announced", "silence in the body", "a dripping head"],
)
def test_faults_are_the_same_under_tls(
    misbehaving: Callable[..., Misbehaving], certified: Callable[[str], ssl.SSLContext], fault: str
) -> None:
    step, reason = FAULTS[fault]
    server = misbehaving(step, tls=certified("localhost"))
    assert get(server.url, SHORT_S if "in time" in reason else 5.0) == Fault(reason, was_sent=True)


@pytest.mark.usefixtures("trusted")
def test_no_secrets_of_a_connection_are_written_down(
    misbehaving: Callable[..., Misbehaving],
    certified: Callable[[str], ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    server = misbehaving(http(200, TEXT), tls=certified("localhost"))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "secrets"))
    assert body(get(server.url)) == TEXT
    assert not (tmp_path / "secrets").exists()


def tunnel(target: Misbehaving, passed: list[bytes]) -> Callable[[socket.socket], None]:
    """A proxy's step: pass everything on to a server, whatever name was asked for, and keep what was passed."""

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                passed.append(piece)
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)

    def step(client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", target.port)) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(server, client), daemon=True)
            back.start()
            pump(client, server)
            back.join(5)

    return step


@pytest.mark.usefixtures("trusted")
def test_a_configured_proxy_passes_on_what_it_can_not_read(
    misbehaving: Callable[..., Misbehaving], certified: Callable[[str], ssl.SSLContext]
) -> None:
    server = misbehaving(http(200, TEXT), tls=certified("api.asinscope.example"))
    passed: list[bytes] = []
    proxy = misbehaving(tunnel(server, passed))
    assert body(get("https://api.asinscope.example", proxy=proxy.url)) == TEXT
    assert proxy.seen == ["CONNECT api.asinscope.example:443 HTTP/1.1"]
    assert passed
    assert b"s3cret" not in b"".join([*proxy.requests, *passed])
    assert b"Host: api.asinscope.example\r\n" in server.requests[0]


@pytest.mark.usefixtures("trusted")
def test_the_certificate_is_checked_through_a_proxy_too(
    misbehaving: Callable[..., Misbehaving], certified: Callable[[str], ssl.SSLContext]
) -> None:
    server = misbehaving(http(200, TEXT), tls=certified("localhost"))
    proxy = misbehaving(tunnel(server, []))
    answer = get("https://api.asinscope.example", proxy=proxy.url)
    assert answer == Fault("its certificate is not valid", was_sent=False)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (http(407, b"who are you?"), "the proxy can't be used: it answered 407"),
        (http(302, b"", "Location: http://login.example"), "the proxy can't be used: it answered 302"),
        (b"garbage", "the proxy can't be used: the reply is garbled"),
        (b"", "the proxy can't be used: the connection broke"),
        (Hang(), "the proxy can't be used: no connection in time"),
    ],
)
def test_a_proxy_that_refuses_is_told(misbehaving: Callable[..., Misbehaving], step: Step, reason: str) -> None:
    proxy = misbehaving(step)
    assert get("https://api.asinscope.example", SHORT_S, proxy.url) == Fault(reason, was_sent=False)
    assert b"s3cret" not in b"".join(proxy.requests)


def test_a_proxy_that_is_not_there_is_told() -> None:
    reason = "the proxy can't be used: the connection was refused"
    assert get("https://api.asinscope.example", proxy="http://127.0.0.1:1") == Fault(reason, was_sent=False)


def test_a_server_of_this_machine_is_asked_without_the_proxy(misbehaving: Callable[..., Misbehaving]) -> None:
    assert body(get(misbehaving(http(200, TEXT)).url, proxy="http://127.0.0.1:1")) == TEXT


def test_the_environment_names_no_proxy_and_no_password(
    misbehaving: Callable[..., Misbehaving], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server, proxy = misbehaving(http(200, TEXT)), misbehaving(http(500, b"proxy"))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv(name.upper(), proxy.url)
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password s3cret\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    assert body(get(server.url)) == TEXT
    assert isinstance(get("https://api.asinscope.invalid"), Fault)
    assert not proxy.connections
    assert b"Authorization" not in server.requests[0]
