"""The two endpoints as types, whatever a server makes of them, and the key, which nothing carries out of here."""

from __future__ import annotations

import base64
import http.client as http_client
import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest

from enricher.clock import ManualClock, SystemClock
from enricher.errors import ConfigError
from enricher.lookup.address import check_proxy, check_url, host_of
from enricher.lookup.client import Client
from enricher.lookup.plan import Chunk
from enricher.lookup.replies import BadRequest, BucketEmpty, DayEmpty, Found, KeyRefused, LookupReply, NoReply
from enricher.model import CodeType, Domain, Levels

from .conftest import LEVELS, RESET, Hang, http

if TYPE_CHECKING:
    from collections.abc import Callable

    from enricher.sandbox import Sandbox

    from .conftest import Misbehaving, Step

CHUNK = Chunk(CodeType.ASIN, Domain.COM, ("B088H39PXX",))
KEY = "s3cret+key/=%"
FAR_KEYS = [KEY, "a b", "ü", "<s3cret&key>", "s3cret\udcff"]


def client(url: str, key: str = "sandbox", timeout_s: float = 5.0) -> Client:
    return Client(url, key, SystemClock(), timeout_s)


def lookup(server: Misbehaving, key: str = "sandbox", timeout_s: float = 5.0) -> LookupReply:
    with client(server.url, key, timeout_s) as asked:
        return asked.lookup(CHUNK)


def found(server: Misbehaving, key: str = "sandbox") -> Found:
    reply = lookup(server, key)
    assert isinstance(reply, Found)
    return reply


def titled(text: str, *headers: str, encoding: str = "utf-8") -> bytes:
    """A paid reply with one item, whose title stands in the JSON as it is given."""
    return http(200, f'{{"items": [{{"asin": "B088H39PXX", "title": {text}}}]}}'.encode(encoding), *headers)


def test_the_sandbox_is_understood(api: Sandbox) -> None:
    with client(api.url) as asked:
        levels = asked.account()
        reply = asked.lookup(CHUNK)
    assert isinstance(levels, Levels)
    assert (levels.bucket_capacity, levels.rate_per_min) == (100_000, 100_000)
    assert isinstance(reply, Found)
    assert (reply.consumed, reply.levels.bucket_left) == (1, 99_999)


def test_a_request_is_percent_encoded_with_the_key_last(misbehaving: Callable[..., Misbehaving]) -> None:
    server = misbehaving(http(200, b""))
    with client(server.url, "a&b=ü ?") as asked:
        asked.lookup(Chunk(CodeType.UPC, Domain.UK, ("012345678905", "098765432109")))
    path = "/products/lookup?upc=012345678905%2C098765432109&domain=uk&key=a%26b%3D%C3%BC+%3F"
    assert server.seen == [f"GET {path} HTTP/1.1"]


@pytest.mark.parametrize(
    ("key", "message"), [("wrong", "the API key is wrong"), ("sandbox-none", "no active subscription")]
)
def test_a_bad_key_is_said(api: Sandbox, key: str, message: str) -> None:
    with client(api.url, key) as asked:
        for reply in (asked.account(), asked.lookup(CHUNK)):
            assert isinstance(reply, KeyRefused)
            assert message in reply.message


FAULTS: dict[str, tuple[Step, LookupReply]] = {
    "html": (http(500, b"<html>oops</html>"), NoReply.lost("the service answered 500")),
    "bad gateway": (http(502, b"<html>oops</html>"), NoReply.lost("the service answered 502")),
    "unavailable": (http(503, b"<html>", "Retry-After: 7"), NoReply.busy("the service answered 503", 7.0)),
    "reset before the reply": (RESET, NoReply.lost("the connection broke")),
    "reset in mid-body": (http(200, b'{"i', length=99) + RESET, NoReply.lost("the connection broke in mid-reply")),
    "cut short": (http(200, b'{"items": [', length=500), NoReply.lost("the connection broke in mid-reply")),
    "silence": (Hang(), NoReply.lost("no answer in time")),
    "no HTTP": (b"garbage", NoReply.lost("the reply is garbled")),
    "large": (http(200, b" " * (9 * 1024 * 1024)), NoReply.lost("the reply is larger than 8 MiB")),
    "malformed code": (http(400, {"error": "malformed"}), BadRequest("malformed")),
    "day": (http(429, {"error": "The daily requests limit has been reached."}), DayEmpty()),
    "bucket": (
        http(429, {"error": "Not enough tokens in the bucket. Restore rate: 60 / min"}, "Retry-After: 7"),
        BucketEmpty(60.0, 7.0),
    ),
    "slow down": (http(429, b""), NoReply.busy("the service asked to slow down (429)", None)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_told_apart(misbehaving: Callable[..., Misbehaving], fault: str) -> None:
    step, expected = FAULTS[fault]
    assert lookup(misbehaving(step), timeout_s=0.3 if fault == "silence" else 5.0) == expected


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_the_key_not_sent_on(misbehaving: Callable[..., Misbehaving], status: int) -> None:
    elsewhere = misbehaving(http(200, b"{}"))
    reply = lookup(misbehaving(http(status, b"", f"Location: {elsewhere.url}/?key={KEY}")), KEY)
    assert isinstance(reply, NoReply)
    assert (reply.maybe_charged, reply.most_tries) == (False, 1)
    assert "redirect" in reply.message
    assert not elsewhere.connections


def test_a_request_that_did_not_leave_charges_nothing_and_says_so() -> None:
    with client("http://127.0.0.1:1") as asked:
        assert asked.lookup(CHUNK) == asked.account() == NoReply.unsent("the connection was refused")
    with client("https://a..b") as asked:
        assert asked.lookup(CHUNK) == NoReply.unsent("its name is not known")


# --- bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"<html>",
        b'{"items": {}}',
        b'{"items": 7}',
        b'{"items": "B088H39PXX"}',
        b'{"items": [{"asin": "B088H3',
        b"\xff\xfe",
        b"[" * 9999,
        b'{"items":' + b"[" * 9999 + b"]" * 9999 + b"}",
    ],
)
def test_a_reply_that_is_no_lookup_may_have_been_charged(misbehaving: Callable[..., Misbehaving], body: bytes) -> None:
    reply = lookup(misbehaving(http(200, body)))
    assert isinstance(reply, NoReply)
    assert reply.maybe_charged


def test_lone_surrogates_and_unknown_fields_come_through(misbehaving: Callable[..., Misbehaving]) -> None:
    item = {"asin": "B088H39PXX", "title": "x\ud800", "new": {"a": 1}}
    reply = found(misbehaving(http(200, {**LEVELS, "items": [item], "more": 1})))
    assert (reply.items, reply.is_garbled) == ((item,), False)


@pytest.mark.parametrize(
    "odd",
    [
        '"bucketSize": 118.5',
        '"bucketSize": null',
        '"bucketSize": 1e999',
        f'"bucketSize": {"9" * 5000}',
        '"dailyTokensLeft": "many"',
        '"dailyTokensLeft": NaN',
        '"dailyTokensLeft": -Infinity',
        '"consumedTokens": true',
        '"msBeforeNextDailyToken": -1',
    ],
)
def test_a_paid_reply_is_kept_whatever_stands_beside_its_items(
    misbehaving: Callable[..., Misbehaving], odd: str
) -> None:
    reply = found(misbehaving(http(200, f'{{"items": [{{"asin": "B088H39PXX"}}, null, 7], {odd}}}'.encode())))
    assert (reply.items, reply.oddities, reply.consumed) == (({"asin": "B088H39PXX"},), 2, 1)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("NaN", None),
        ("-Infinity", None),
        ("1e999", None),
        ("-1e999", None),
        ("9" * 40, int("9" * 40)),
        ("9" * 41, None),
        ("-" + "9" * 5000, None),
        ("0." + "9" * 5000, 1.0),
        ("22.79", 22.79),
        ('"two\nlines\tand more"', "two\nlines\tand more"),
    ],
)
def test_values_that_nobody_can_use_are_missing_and_the_reply_is_kept(
    misbehaving: Callable[..., Misbehaving], said: str, read: object
) -> None:
    assert found(misbehaving(titled(said))).items[0]["title"] == read


def test_what_is_nested_too_deep_for_others_is_missing_and_the_reply_is_kept(
    misbehaving: Callable[..., Misbehaving],
) -> None:
    reply = found(misbehaving(titled("[" * 300 + "]" * 300)))
    assert reply.items[0]["asin"] == "B088H39PXX"
    assert 30 < json.dumps(reply.items).count("[") < 80


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("charset", ["", "utf-8", "ISO-8859-1", "klingon", "zlib"])
def test_a_reply_is_utf_8_whatever_its_header_says(
    misbehaving: Callable[..., Misbehaving], charset: str, encoding: str
) -> None:
    header = f"Content-Type: application/json; charset={charset}"
    reply = found(misbehaving(titled('"Müsli für Å"', header, encoding=encoding)))
    assert (reply.items[0]["title"], reply.is_garbled) == ("Müsli für Å", False)


@pytest.mark.parametrize("headers", [[], ["Content-Type: application/json; charset=latin-1"]])
def test_bytes_that_are_no_text_are_marked_and_the_reply_is_kept(
    misbehaving: Callable[..., Misbehaving], headers: list[str]
) -> None:
    reply = found(misbehaving(titled('"Müsli"', *headers, encoding="latin-1")))
    assert (reply.items[0]["title"], reply.is_garbled) == ("M\ufffdsli", True)


# --- Retry-After ------------------------------------------------------------------------------------------------------

DATE = "Date: Sun, 01 Mar 2026 11:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ([], None),
        (["Retry-After: 0"], 0.0),
        (["Retry-After: 1.5"], 1.5),
        (["Retry-After:  30 "], 30.0),
        (["Retry-After: Sun, 01 Mar 2026 12:00:30 GMT"], 30.0),
        (["Retry-After: Sun, 01 Mar 2026 11:00:30 GMT", DATE], 30.0),
        (["Retry-After: Sunday, 01-Mar-26 12:00:30 GMT"], 30.0),
        (["Retry-After: Sun, 01 Mar 2026 12:00:30 +0100", DATE], 30.0),
        (["Retry-After: Sun, 01 Mar 2026 11:00:30 GMT", "Date: yesterday"], 0.0),
        (["Retry-After: Sun, 01 Mar 2020 12:00:00 GMT"], 0.0),
        (["Retry-After: Sun, 01 Mar 99999 12:00:00 GMT"], None),
        (["Retry-After: Sun, 99 Mar 2026 12:00:00 GMT"], None),
        (["Retry-After: -5"], None),
        (["Retry-After: 1e999"], None),
        (["Retry-After: nan"], None),
        (["Retry-After: 12345678901"], None),
        (["Retry-After: \xb2"], None),
        (["Retry-After: soon"], None),
        (["Retry-After:"], None),
    ],
)
def test_the_time_to_come_back_is_understood_or_ignored(
    misbehaving: Callable[..., Misbehaving], clock: ManualClock, headers: list[str], wait_s: float | None
) -> None:
    assert clock.now() == datetime(2026, 3, 1, 12, tzinfo=UTC)
    with Client(misbehaving(http(503, b"", *headers)).url, "sandbox", clock) as asked:
        assert asked.lookup(CHUNK) == NoReply.busy("the service answered 503", wait_s)


# --- the key ----------------------------------------------------------------------------------------------------------


def javascript(text: str) -> str:
    """What encodeURIComponent makes of a text."""
    return quote(text, safe="!'()*", errors="surrogateescape")


def forms(key: str) -> list[str]:
    raw = key.encode("utf-8", "surrogateescape")
    percent = [encode(raw) for encode in (quote, quote_plus)] + [quote(raw, safe=""), javascript(key)]
    plain = [key, key.upper(), *percent, *[form.lower() for form in percent], quote(percent[0])]
    if len(raw) < 8:
        return plain
    urls = [bytes(before) + b"/products/lookup?key=" + raw + b"&domain=com" for before in range(3)]
    coded = [encode(text).decode() for encode in (base64.b64encode, base64.urlsafe_b64encode) for text in (raw, *urls)]
    return plain + coded + [form.rstrip("=") for form in coded]


@pytest.mark.parametrize("key", FAR_KEYS)
def test_a_server_that_repeats_the_address_does_not_get_the_key_into_a_message(
    misbehaving: Callable[..., Misbehaving], key: str
) -> None:
    server = misbehaving(*[http(400, {"error": f"bad ?key={form}&domain=com"}) for form in forms(key)])
    with client(server.url, key) as asked:
        for form in forms(key):
            reply = asked.lookup(CHUNK)
            assert isinstance(reply, BadRequest)
            assert "..." in reply.message, form
            assert form.rstrip("=") not in reply.message


def test_a_server_that_repeats_the_key_among_its_data_does_not_get_it_into_the_store(
    misbehaving: Callable[..., Misbehaving],
) -> None:
    item: dict[str, Any] = {
        "asin": "B088H39PXX",
        "bsr": 95,
        "images": [f"https://x/?key={quote_plus(KEY)}"],
        KEY: [KEY],
    }
    reply = found(misbehaving(http(200, {**LEVELS, "items": [item]})), KEY)
    assert reply.items == ({"asin": "B088H39PXX", "bsr": 95, "images": ["https://x/?key=..."], "...": ["..."]},)


def test_a_short_key_may_be_a_word_of_a_title(misbehaving: Callable[..., Misbehaving]) -> None:
    assert found(misbehaving(titled('"Sandbox with cover"'))).items[0]["title"] == "Sandbox with cover"


TROUBLE: list[Step] = [
    RESET,
    http(500, b"x"),
    http(401, {"error": "x"}),
    http(302, b"", f"Location: /?key={KEY}"),
    http(400, {"error": f"?key={KEY}"}),
    http(200, b"x", length=9),
    http(200, b"x", "Content-Encoding: gzip"),
    b"HTTP/1.1 key=" + KEY.encode() + b"\r\n\r\n",
    Hang(),
]


@pytest.mark.parametrize("step", TROUBLE)
def test_no_reply_and_no_log_of_any_library_carries_the_key(
    misbehaving: Callable[..., Misbehaving],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    step: Step,
) -> None:
    for name in ("", "urllib3", "requests", "http", "http.client", "ssl", "asyncio", *logging.root.manager.loggerDict):
        caplog.set_level(1, name)
    monkeypatch.setattr(http_client.HTTPConnection, "debuglevel", 1)
    with client(misbehaving(step).url, KEY, 0.3) as asked:
        told = repr((asked.lookup(CHUNK), asked.account()))
    for text in (told, caplog.text, *capfd.readouterr()):
        assert "s3cret" not in text


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://api.asinscope.com",
        "http://localhost.example",
        "ftp://x",
        "api.asinscope.com",
        "https://u:p@x.com",
        "https://x.com/?key=1",
        "https://x.com/#key",
        "https://x.com:s3cret",
        "https://[s3cret",
    ],
)
def test_an_address_that_would_leak_the_key_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        check_url(url)
    assert "s3cret" not in str(refusal.value)
    assert refusal.value.__context__ is None


@pytest.mark.parametrize(
    "url",
    [
        "https://proxy.example:3128",
        "socks5://proxy.example:1080",
        "http://proxy.example",
        "http://:3128",
        "http://me:s3cret@proxy.example:3128",
        "http://proxy.example:3128/path",
        "http://proxy.example:3128/?x",
        "http://proxy.example:port",
        "proxy.example:3128",
    ],
)
def test_a_proxy_that_would_not_be_used_as_meant_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="the proxy address") as refusal:
        Client("https://api.asinscope.com", KEY, SystemClock(), proxy=url)
    assert "s3cret" not in str(refusal.value)


def test_a_plain_proxy_address_is_taken() -> None:
    assert check_proxy(" http://proxy.example:3128/ ") == "http://proxy.example:3128"


def test_every_server_of_this_machine_has_one_name() -> None:
    assert host_of("http://127.0.0.1:8787") == host_of("http://[::1]:1/") == host_of("http://localhost") == "localhost"
    assert host_of("https://api.asinscope.com") == "api.asinscope.com"
