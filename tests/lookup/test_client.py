from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

from enricher.clock import SystemClock
from enricher.errors import ApiError, ApiKeyError, ConfigError
from enricher.lookup import Chunk, Client, host_of
from enricher.lookup.client import check_url
from enricher.lookup.replies import BadRequest, BucketEmpty, DayEmpty, Found, NoReply
from enricher.model import CodeType, Domain

from .conftest import LEVELS, RESET, http

if TYPE_CHECKING:
    from collections.abc import Callable

    from enricher.sandbox import Sandbox

    from .conftest import Misbehaving

CHUNK = Chunk(CodeType.ASIN, Domain.COM, ("B088H39PXX",))
KEY = "s3cret+key/=%"


def client(url: str, key: str = "sandbox", timeout_s: float = 5.0) -> Client:
    return Client(url, key, SystemClock(), timeout_s)


def test_the_sandbox_is_understood(api: Sandbox) -> None:
    with client(api.url) as asked:
        levels = asked.account()
        reply = asked.lookup(CHUNK)
    assert (levels.bucket_capacity, levels.rate_per_min) == (100_000, 100_000)
    assert isinstance(reply, Found)
    assert (reply.consumed, reply.levels.bucket_left) == (1, 99_999)


@pytest.mark.parametrize(
    ("key", "message"), [("wrong", "the API key is wrong"), ("sandbox-none", "no active subscription")]
)
def test_a_bad_key_is_said(api: Sandbox, key: str, message: str) -> None:
    with client(api.url, key) as asked, pytest.raises(ApiKeyError, match=message):
        asked.account()


FAULTS = {
    "html": (http(500, b"<html>oops</html>"), NoReply("the service answered 500", maybe_charged=True)),
    "redirect": (
        http(302, b"", "Location: http://127.0.0.1:1/"),
        NoReply("the service answered 302", maybe_charged=False),
    ),
    "reset before the reply": (RESET, NoReply("the connection broke", maybe_charged=True)),
    "cut short": (
        http(200, b'{"items": [', length=500),
        NoReply("the connection broke in mid-reply", maybe_charged=True),
    ),
    "malformed code": (http(400, {"error": "malformed"}), BadRequest("malformed")),
    "day": (http(429, {"error": "The daily requests limit has been reached."}), DayEmpty()),
    "bucket": (
        http(429, {"error": "Not enough tokens in the bucket. Restore rate: 60 / min"}, "Retry-After: 7"),
        BucketEmpty(60.0, 7.0),
    ),
    "slow down": (http(429, b""), NoReply("the service asked to slow down (429)", maybe_charged=False)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_told_apart(misbehaving: Callable[..., Misbehaving], fault: str) -> None:
    response, expected = FAULTS[fault]
    with client(misbehaving(response).url) as asked:
        assert asked.lookup(CHUNK) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'{"items": {}}',
        b'{"items": 7}',
        b"\xff\xfe",
        b"[" * 9999,
    ],
)
def test_a_reply_that_is_no_lookup_may_have_been_charged(misbehaving: Callable[..., Misbehaving], body: bytes) -> None:
    with client(misbehaving(http(200, body)).url) as asked:
        reply = asked.lookup(CHUNK)
    assert isinstance(reply, NoReply)
    assert reply.maybe_charged


def test_a_reply_over_8_mib_is_refused(misbehaving: Callable[..., Misbehaving]) -> None:
    with client(misbehaving(http(200, b" " * (9 * 1024 * 1024))).url) as asked:
        assert asked.lookup(CHUNK) == NoReply("the reply is larger than 8 MiB", maybe_charged=True)


def test_lone_surrogates_and_unknown_fields_come_through(misbehaving: Callable[..., Misbehaving]) -> None:
    body = {**LEVELS, "items": [{"asin": "B088H39PXX", "title": "x\ud800", "new": {"a": 1}}], "more": 1}
    with client(misbehaving(http(200, body)).url) as asked:
        reply = asked.lookup(CHUNK)
    assert isinstance(reply, Found)
    assert reply.items[0]["title"] == "x\ud800"


@pytest.mark.parametrize(
    "odd",
    [
        '"bucketSize": 118.5',
        '"bucketSize": null',
        '"dailyTokensLeft": "many"',
        '"dailyTokensLeft": NaN',
        '"consumedTokens": true',
        '"msBeforeNextDailyToken": -1',
    ],
)
def test_a_paid_reply_is_kept_whatever_stands_beside_its_items(
    misbehaving: Callable[..., Misbehaving], odd: str
) -> None:
    body = f'{{"items": [{{"asin": "B088H39PXX"}}, null, 7], {odd}}}'.encode()
    with client(misbehaving(http(200, body)).url) as asked:
        reply = asked.lookup(CHUNK)
    assert isinstance(reply, Found)
    assert (reply.items, reply.oddities, reply.consumed) == (({"asin": "B088H39PXX"},), 2, 1)


@pytest.mark.parametrize("key", [KEY, "a b", "ü"])
def test_a_server_that_repeats_the_address_does_not_get_the_key_into_a_message(
    misbehaving: Callable[..., Misbehaving], key: str
) -> None:
    for form in (key, quote(key), quote_plus(key)):
        with client(misbehaving(http(400, {"error": f"bad /products/lookup?key={form}"})).url, key) as asked:
            assert asked.lookup(CHUNK) == BadRequest("bad /products/lookup?key=...")


def test_no_proxy_of_the_environment_gets_the_key(
    misbehaving: Callable[..., Misbehaving], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, proxy = misbehaving(http(200, {**LEVELS, "items": []})), misbehaving(http(500, b"proxy"))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("http_proxy", proxy.url)
    with client(server.url) as asked:
        assert isinstance(asked.lookup(CHUNK), Found)
    assert not proxy.seen


def test_a_closed_port_charges_nothing_and_says_so() -> None:
    with client("http://127.0.0.1:1") as asked:
        assert asked.lookup(CHUNK) == NoReply("the connection was refused", maybe_charged=False)
        with pytest.raises(ApiError, match=r"127.0.0.1:1 can't be reached: the connection was refused"):
            asked.account()


def test_an_unknown_host_charges_nothing() -> None:
    with client("https://api.asinscope.invalid") as asked:
        reply = asked.lookup(CHUNK)
    assert isinstance(reply, NoReply)
    assert not reply.maybe_charged


@pytest.mark.parametrize("response", [RESET, http(500, b"x"), http(401, {"error": "x"}), http(200, b"x", length=9)])
def test_no_error_or_log_carries_the_key(
    misbehaving: Callable[..., Misbehaving], caplog: pytest.LogCaptureFixture, response: bytes
) -> None:
    with caplog.at_level(logging.DEBUG), client(misbehaving(response).url, KEY) as asked:
        try:
            told = repr(asked.lookup(CHUNK))
        except ApiKeyError as error:
            told = "".join(traceback.format_exception(error))
            carried = (error.__context__, error.__cause__)
        else:
            carried = (None, None)
    assert carried == (None, None)
    assert "s3cret" not in told + caplog.text


def test_an_unreachable_account_carries_no_key_either() -> None:
    with client("http://127.0.0.1:1", KEY) as asked, pytest.raises(ApiError) as caught:
        asked.account()
    assert caught.value.__context__ is None
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "url", ["http://api.asinscope.com", "ftp://x", "api.asinscope.com", "https://u:p@x.com", "https://x.com/?key=1"]
)
def test_an_address_that_would_leak_the_key_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        check_url(url)


def test_every_server_of_this_machine_has_one_name() -> None:
    assert host_of("http://127.0.0.1:8787") == host_of("http://[::1]:1/") == host_of("http://localhost") == "localhost"
    assert host_of("https://api.asinscope.com") == "api.asinscope.com"
