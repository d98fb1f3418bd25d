"""The two endpoints of the ASINScope API for one key: one request, one typed reply. Decides nothing, retries nothing.

The API takes its key in the URL, and a server may repeat what it was sent. Here ends what knows the URL: what leaves is
a value, never an exception, and the server's words leave without the key.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from enricher.lookup.connection import Connection, Fault
from enricher.lookup.replies import AccountReply, LookupReply, NoReply, Response, read_account, read_lookup
from enricher.lookup.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from email.message import Message

    from enricher.clock import Clock
    from enricher.lookup.connection import Answer
    from enricher.lookup.plan import Chunk

_ACCOUNT_TIMEOUT_S = 20.0
"""The levels are asked for while nothing else goes on, and asking again is free."""
_MAX_MESSAGE = 200
_MAX_DIGITS = 40
_MAX_DEPTH = 64
_LEAST_KEY_IN_DATA = 8
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


class Client:
    """The API at an address, for one key and one thread. Use as a context manager.

    A request ends within `timeout_s`. Raises ConfigError for an address or a proxy that `address` refuses, and nothing
    for what a network or a server can do.
    """

    def __init__(self, url: str, key: str, clock: Clock, timeout_s: float = 60.0, proxy: str | None = None) -> None:
        self.url = url
        """The address, as messages name it: the key is not in it."""
        self._connection = Connection(url, proxy)
        self._key, self._clock, self._timeout_s = key, clock, timeout_s
        self._secret = Secret(key)
        # A short key may be a word of a product's title, as the sandbox's `sandbox` is: there, the data come first.
        self._may_be_in_data = len(key) >= _LEAST_KEY_IN_DATA

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._connection.close()

    def account(self) -> AccountReply:
        """Ask for the token levels; free."""
        reply = self._get("/account/tokens", {}, min(self._timeout_s, _ACCOUNT_TIMEOUT_S))
        return reply if isinstance(reply, NoReply) else read_account(reply)

    def lookup(self, chunk: Chunk) -> LookupReply:
        """Ask for one chunk; costs a token a code."""
        params = {chunk.code_type.value: ",".join(chunk.codes), "domain": chunk.domain.value}
        reply = self._get("/products/lookup", params, self._timeout_s)
        return reply if isinstance(reply, NoReply) else read_lookup(reply, len(chunk.codes))

    def _get(self, path: str, params: Mapping[str, str], timeout_s: float) -> Response | NoReply:
        query = urlencode({**params, "key": self._key}, errors="surrogateescape")  # an environment may hold any bytes
        answer = self._connection.get(f"{path}?{query}", timeout_s)
        if isinstance(answer, Fault):
            return NoReply.lost(answer.reason) if answer.was_sent else NoReply.unsent(answer.reason)
        return self._read(answer)

    def _read(self, answer: Answer) -> Response:
        text, is_garbled = _text(answer.body)
        payload: Any = None
        if answer.status == HTTPStatus.OK or text.lstrip().startswith("{"):
            # What is no JSON but can be understood was paid for: line breaks within texts, and numbers that nobody can
            # use, which count as missing values.
            with contextlib.suppress(ValueError, RecursionError):
                payload = json.loads(text, strict=False, parse_constant=_none, parse_float=_float, parse_int=_int)
        message = payload.get("error") if isinstance(payload, dict) else None
        return Response(
            answer.status,
            self._cleaned(payload),
            self._secret.taken_out_of(message)[:_MAX_MESSAGE] if isinstance(message, str) else "",
            _retry_after_s(answer.headers, self._clock.now()),
            is_garbled,
        )

    def _cleaned(self, value: Any, depth: int = 0) -> Any:
        """Return JSON without the key, and without what is nested deeper than others can put into words again."""
        match value:
            case str():
                return self._secret.taken_out_of(value) if self._may_be_in_data else value
            case dict() | list() if depth >= _MAX_DEPTH:
                return None
            case dict():
                return {self._cleaned(name): self._cleaned(inner, depth + 1) for name, inner in value.items()}
            case list():
                return [self._cleaned(inner, depth + 1) for inner in value]
        return value


def _text(body: bytes) -> tuple[str, bool]:
    """Decode a body; True: some of its bytes are not UTF-8, as JSON is (RFC 8259, section 8.1), and stand as U+FFFD."""
    try:
        return body.decode("utf-8-sig"), False
    except UnicodeDecodeError:
        return body.decode("utf-8-sig", "replace"), True


def _none(_: str) -> None:
    return None


def _float(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _int(text: str) -> int | None:
    return int(text) if len(text) <= _MAX_DIGITS else None  # Python refuses to read 4,300 digits, and loses the rest


def _retry_after_s(headers: Message, now: datetime) -> float | None:
    """Read Retry-After (RFC 9110, section 10.2.3), in seconds from now; None: not there, or not to be understood.

    A date is taken against the reply's own, as the server's clock and ours may differ.
    """
    said = (headers.get("Retry-After") or "").strip()
    if _SECONDS.fullmatch(said):
        return float(said)
    until = _date(said)
    if until is None:
        return None
    return max(0.0, (until - (_date(headers.get("Date") or "") or now)).total_seconds())


def _date(text: str) -> datetime | None:
    with contextlib.suppress(ValueError, OverflowError):
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is not None:
            return moment
    return None
