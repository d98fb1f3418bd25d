"""HTTP to the ASINScope API: one request, one typed reply or one typed refusal. Decides nothing, retries nothing.

The API takes its key in the URL, so every text of the HTTP library can hold it. Here ends what knows the URL: errors
leave without it, without the original exception attached, redirects are not followed, and urllib3 logs nothing.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import logging
import re
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, quote_plus, urlsplit

import requests

from enricher.errors import ApiError, ApiKeyError, ConfigError
from enricher.lookup.replies import LookupReply, NoReply, Response, read_account, read_lookup
from enricher.model import SANDBOX_HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enricher.clock import Clock
    from enricher.lookup.plan import Chunk
    from enricher.model import Levels

_MAX_BODY_BYTES = 8 * 1024 * 1024
_IDLE_S = 2.0
_MAX_MESSAGE = 200


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
            return read_account(reply.payload)
        except ValueError as error:
            fault = str(error)
        raise ApiError(f"{self._url} answered something else than token levels ({fault})")

    def lookup(self, chunk: Chunk) -> LookupReply:
        """Ask for one chunk; costs a token a code. Raises ApiKeyError."""
        params = {chunk.code_type.value: ",".join(chunk.codes), "domain": chunk.domain.value}
        reply = self._get("/products/lookup", params)
        return reply if isinstance(reply, NoReply) else read_lookup(reply, len(chunk.codes))

    def _get(self, path: str, params: Mapping[str, str]) -> Response | NoReply:
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

    def _send(self, path: str, params: Mapping[str, str]) -> Response:
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
            return _response(response.status_code, bytes(body), retry_after, self._key)


def _response(status: int, body: bytes, retry_after: str | None, key: str) -> Response:
    """Read an HTTP reply; its message is the server's own, without the key: a server may repeat the URL it was sent."""
    payload: Any = None
    if status == requests.codes.ok or body[:1] == b"{":
        with contextlib.suppress(ValueError, RecursionError):
            # NaN is no JSON, but the reply it stands in was paid for: it counts as a missing value.
            payload = json.loads(body, parse_constant=lambda _: None)
    message = payload.get("error") if isinstance(payload, dict) else None
    retry_after_s = float(retry_after) if retry_after and retry_after.isdecimal() else None
    return Response(status, payload, _without(key, message) if isinstance(message, str) else "", retry_after_s)


def _without(key: str, message: str) -> str:
    for form in (key, quote(key), quote(key, safe=""), quote_plus(key)):
        message = re.sub(re.escape(form), "...", message, flags=re.IGNORECASE)
    return message[:_MAX_MESSAGE]


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
