"""HTTP to the ASINScope API: one request, one typed reply or one typed refusal. Decides nothing, retries nothing.

The API takes its key in the URL, so every text of the HTTP library can hold it. Here ends what knows the URL: errors
leave without it, without the original exception attached, redirects are not followed, and urllib3 logs nothing.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import logging
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeAlias
from urllib.parse import quote, quote_plus, urlsplit

import requests
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from enricher.errors import ApiError, ApiKeyError, ConfigError
from enricher.model import SANDBOX_HOST, Item, Levels, ToldLevels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enricher.clock import Clock
    from enricher.lookup.plan import Chunk

_MAX_BODY_BYTES = 8 * 1024 * 1024
_IDLE_S = 2.0
_RESTORE_RATE = re.compile(r"Restore rate:\s*([\d.]+)\s*/\s*min", re.IGNORECASE)
_MAX_COUNT = 10**15
_MAX_MESSAGE = 200
_DAILY_TEXT = "daily"
_BUCKET_TEXT = "bucket"


_Tokens = Annotated[int, BeforeValidator(lambda value: math.floor(value) if isinstance(value, float) else value)]


class _Account(BaseModel):
    """The reply of /account/tokens (API.md, "Account Tokens")."""

    model_config = ConfigDict(extra="ignore")
    daily_tokens_left: _Tokens = Field(alias="dailyTokensLeft")
    daily_limit: _Tokens = Field(alias="dailyTokensLimit")
    bucket_left: _Tokens = Field(alias="minutelyTokensLeft")
    bucket_capacity: _Tokens = Field(alias="minutelyBucketCapacity")
    rate_per_min: float = Field(alias="tokensPerMinute")
    daily_reset_ms: float = Field(alias="msBeforeNextDailyReset")


@dataclass(frozen=True, slots=True)
class Found:
    """A paid reply: its items, what it cost in tokens, and what it says of the levels after it.

    `oddities` counts entries among the items that are no items.
    """

    items: tuple[Item, ...]
    oddities: int
    consumed: int
    levels: ToldLevels


@dataclass(frozen=True, slots=True)
class BucketEmpty:
    """429, the bucket: nothing was charged. The rate is the one in the server's text."""

    rate_per_min: float | None
    retry_after_s: float | None


@dataclass(frozen=True, slots=True)
class DayEmpty:
    """429, the daily limit: nothing was charged."""


@dataclass(frozen=True, slots=True)
class BadRequest:
    """400: at least one of the codes is malformed in the server's eyes. Nothing was charged."""

    message: str


@dataclass(frozen=True, slots=True)
class NoReply:
    """The request failed in a way that another try may mend. `maybe_charged`: it may have reached the server."""

    message: str
    maybe_charged: bool
    retry_after_s: float | None = None


LookupReply: TypeAlias = Found | BucketEmpty | DayEmpty | BadRequest | NoReply


def check_url(url: str) -> str:
    """Return the API's address without a trailing slash.

    Raises ConfigError for plain http to another machine (the key would travel in the open), and for addresses that
    carry a user, a query or a fragment.
    """
    # The address is not repeated in any message: people paste it with the key in it.
    try:
        parts = urlsplit(url.strip())
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError as error:
        raise ConfigError(f"the API address can't be read: {error}") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError("the API address must look like https://api.asinscope.com")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError("the API address must be a plain address, without a user, a query or a fragment")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ConfigError(f"plain http:// to {parts.hostname} would send the API key in the open: use https://")
    return url.strip().rstrip("/")


def host_of(url: str) -> str:
    """Return the name of the service behind an address; a server of this machine is always called SANDBOX_HOST.

    Raises ConfigError as `check_url`.
    """
    host = urlsplit(check_url(url)).hostname or ""
    return SANDBOX_HOST if _is_loopback(host) else host


def _is_loopback(host: str) -> bool:
    if host == SANDBOX_HOST:
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


class Client:
    """The two endpoints for one key. Use as a context manager."""

    def __init__(self, url: str, key: str, clock: Clock, timeout_s: float = 60.0) -> None:
        self._url, self._key, self._clock, self._timeout_s = check_url(url), key, clock, timeout_s
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, no .netrc: the key goes to the address given, and nowhere else
        self._used_s = clock.monotonic_s()
        for name in ("urllib3", "requests"):  # at DEBUG they log whole URLs, and so the key
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def account(self) -> Levels:
        """Ask for the token levels; free. Raises ApiKeyError, ApiError."""
        reply = self._get("/account/tokens", {})
        if isinstance(reply, NoReply):
            raise ApiError(
                f"{self._url} can't be reached: {reply.message}. Check the address and the network, run again"
            )
        if reply.status != requests.codes.ok:
            raise ApiError(
                f"{self._url} did not tell the tokens left: it answered {reply.status}. {reply.message}".rstrip()
            )
        try:
            account = _Account.model_validate(reply.payload)
        except ValidationError as error:
            fault = _first_fault(error)
        else:
            return Levels(
                account.bucket_left,
                account.daily_tokens_left,
                account.daily_reset_ms / 1000,
                account.bucket_capacity,
                account.rate_per_min,
                account.daily_limit,
            )
        raise ApiError(f"{self._url} answered something else than token levels: {fault}")

    def lookup(self, chunk: Chunk) -> LookupReply:
        """Ask for one chunk; costs a token a code. Raises ApiKeyError."""
        params = {chunk.code_type.value: ",".join(chunk.codes), "domain": chunk.domain.value}
        reply = self._get("/products/lookup", params)
        if isinstance(reply, NoReply):
            return reply
        status = reply.status
        if status == requests.codes.ok:
            return _found(reply.payload, len(chunk.codes))
        if status == requests.codes.too_many_requests:
            return _too_many(reply)
        if status == requests.codes.bad_request:
            return BadRequest(reply.message or "refused as malformed")
        # A gateway's 502 or 504 says nothing of what the server behind it did with the request.
        return NoReply(f"the service answered {status}", status >= requests.codes.server_error, reply.retry_after_s)

    def _get(self, path: str, params: Mapping[str, str]) -> _Answer | NoReply:
        try:
            answer = self._send(path, params)
        except (requests.ConnectTimeout, requests.exceptions.SSLError) as error:
            failure = NoReply(_reason(error), maybe_charged=False)
        except requests.ConnectionError as error:
            refused = "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error)
            failure = NoReply(_reason(error), maybe_charged=not refused)
        except (requests.RequestException, ValueError) as error:
            failure = NoReply(_reason(error), maybe_charged=True)
        else:
            if answer.status in {requests.codes.unauthorized, requests.codes.forbidden}:
                no_plan = "the API key has no active subscription"
                why = no_plan if answer.status == requests.codes.forbidden else "the API key is wrong"
                raise ApiKeyError(
                    f"{why} ({self._url} answered {answer.status}). Look it up in your ASINScope dashboard"
                )
            return answer
        return failure  # outside the except block, so that nothing carries the library's exception, which has the URL

    def _send(self, path: str, params: Mapping[str, str]) -> _Answer:
        # A connection left idle may be closed by the server just while we send, and then nobody knows whether the
        # request was charged. A fresh one costs a round trip.
        if self._clock.monotonic_s() - self._used_s > _IDLE_S:
            self._session.close()
        deadline_s = self._clock.monotonic_s() + self._timeout_s
        with self._session.get(
            self._url + path,
            params={**params, "key": self._key},
            timeout=(min(10.0, self._timeout_s), self._timeout_s),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = bytearray()
            for piece in response.iter_content(64 * 1024):
                body += piece
                if len(body) > _MAX_BODY_BYTES:
                    raise ValueError("the reply is larger than 8 MiB")
                if self._clock.monotonic_s() > deadline_s:
                    raise requests.Timeout
            self._used_s = self._clock.monotonic_s()
            retry_after = response.headers.get("Retry-After")
            return _Answer(response.status_code, bytes(body), retry_after, self._key)


class _Answer:
    """An HTTP reply, whole. `message` is the server's own, without the key: a server may repeat the URL it was sent."""

    def __init__(self, status: int, body: bytes, retry_after: str | None, key: str) -> None:
        self.status = status
        self.retry_after_s = float(retry_after) if retry_after and retry_after.isdecimal() else None
        self.payload: Any = None
        if status == requests.codes.ok or body[:1] == b"{":
            with contextlib.suppress(ValueError, RecursionError):
                # NaN is no JSON, but the reply it stands in was paid for: it counts as a missing value.
                self.payload = json.loads(body, parse_constant=lambda _: None)
        message = self.payload.get("error") if isinstance(self.payload, dict) else None
        self.message = _without(key, message) if isinstance(message, str) else ""


def _without(key: str, message: str) -> str:
    for form in (key, quote(key), quote(key, safe=""), quote_plus(key)):
        message = message.replace(form, "...")
    return message[:_MAX_MESSAGE]


def _found(payload: Any, asked: int) -> Found | NoReply:
    """Read a lookup's reply (API.md, "Response"); `bucketSize` is the tokens left in the bucket.

    The items are what was paid for: an odd level beside them is no reason to throw them away and pay again.
    """
    entries = payload.get("items") if isinstance(payload, dict) else None
    if not isinstance(entries, list):
        return NoReply("the service's answer holds no list of products", maybe_charged=True)
    items = tuple(entry for entry in entries if isinstance(entry, dict))
    consumed, reset_ms = _count(payload.get("consumedTokens")), _count(payload.get("msBeforeNextDailyToken"))
    levels = ToldLevels(
        _count(payload.get("bucketSize")),
        _count(payload.get("dailyTokensLeft")),
        None if reset_ms is None else reset_ms / 1000,
    )
    return Found(items, len(entries) - len(items), asked if consumed is None else consumed, levels)


def _count(value: Any) -> int | None:
    """Read a number of tokens or milliseconds, rounded down; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MAX_COUNT:
        return None
    return int(value)


def _too_many(reply: _Answer) -> BucketEmpty | DayEmpty | NoReply:
    """Tell the two documented 429s apart by their texts (API.md, "How tokens are used")."""
    text = reply.message.casefold()
    if _DAILY_TEXT in text:
        return DayEmpty()
    if _BUCKET_TEXT in text:
        rate = _RESTORE_RATE.search(reply.message)
        return BucketEmpty(float(rate[1]) if rate else None, reply.retry_after_s)
    return NoReply("the service asked to slow down (429)", maybe_charged=False, retry_after_s=reply.retry_after_s)


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, fault['loc'])) or 'the whole'}: {fault['msg']}"


def _reason(error: Exception) -> str:
    """Put a library's error in words of our own: its text may hold the URL, and the URL holds the key."""
    text = repr(error)
    reasons = (
        ("NameResolutionError", "its name is not known"),
        ("CERTIFICATE", "its certificate is not valid"),
        ("SSL", "no secure connection could be made"),
        ("ConnectTimeout", "no connection in time"),
        ("Timeout", "no answer in time"),
        ("timed out", "no answer in time"),
        ("refused", "the connection was refused"),
        ("larger than 8 MiB", "the reply is larger than 8 MiB"),
        ("IncompleteRead", "the connection broke in mid-reply"),
        ("ChunkedEncodingError", "the connection broke in mid-reply"),
        ("ContentDecodingError", "the reply is garbled"),
    )
    return next((reason for sign, reason in reasons if sign in text), "the connection broke")
