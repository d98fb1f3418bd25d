"""What the API answers to a lookup, as types: one for each thing the loop must tell apart.

Reads payloads and statuses. Knows no HTTP library and no key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

from enricher.model import Item, Levels, ToldLevels

_RESTORE_RATE = re.compile(r"Restore rate:\s*(\d+(?:\.\d+)?)\s*/\s*min", re.IGNORECASE)
_DAILY_TEXT = "daily"
_BUCKET_TEXT = "bucket"
_MAX_COUNT = 10**15
_MOST_TOKENS_A_CODE = 100
"""What a code can be said to have cost (API.md: one token) before it is a mistake."""
_ACCOUNT_FIELDS = (
    "dailyTokensLeft",
    "dailyTokensLimit",
    "minutelyTokensLeft",
    "minutelyBucketCapacity",
    "tokensPerMinute",
    "msBeforeNextDailyReset",
)


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP reply, whole: its JSON (None: none that can be read) and the server's own words about an error.

    `is_garbled`: some bytes of the text could not be read and stand as U+FFFD.
    """

    status: int
    payload: Any
    message: str
    retry_after_s: float | None = None
    is_garbled: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A paid reply: its items, what it cost in tokens, and what it says of the levels after it.

    `oddities` counts entries among the items that are no items. `is_garbled` as in Response.
    """

    items: tuple[Item, ...]
    oddities: int
    consumed: int
    levels: ToldLevels
    is_garbled: bool = False


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
class KeyRefused:
    """401 or 403: no request with this key will be answered. The message is for the user."""

    message: str


@dataclass(frozen=True, slots=True)
class NoReply:
    """The request brought nothing. `maybe_charged`: it may have reached the server and been paid for.

    After `most_tries` requests for a chunk that end so, its codes are given up on.
    """

    message: str
    maybe_charged: bool
    most_tries: int
    retry_after_s: float | None = None

    @classmethod
    def unsent(cls, message: str) -> NoReply:
        """Make one for a request that did not leave this machine."""
        return cls(message, maybe_charged=False, most_tries=4)

    @classmethod
    def lost(cls, message: str, retry_after_s: float | None = None) -> NoReply:
        """Make one for a request that left, and may have been charged: it is asked once more, not for ever."""
        return cls(message, maybe_charged=True, most_tries=2, retry_after_s=retry_after_s)

    @classmethod
    def busy(cls, message: str, retry_after_s: float | None) -> NoReply:
        """Make one for a request that was turned away for now, and so was not charged."""
        return cls(message, maybe_charged=False, most_tries=5, retry_after_s=retry_after_s)

    @classmethod
    def refused(cls, message: str) -> NoReply:
        """Make one for a request that was refused for good: asking again brings the same."""
        return cls(message, maybe_charged=False, most_tries=1)


LookupReply: TypeAlias = Found | BucketEmpty | DayEmpty | BadRequest | KeyRefused | NoReply
AccountReply: TypeAlias = Levels | KeyRefused | NoReply


def read_lookup(response: Response, asked: int) -> LookupReply:
    """Read the reply to a lookup of `asked` codes."""
    match response.status:
        case HTTPStatus.OK:
            return _found(response, asked)
        case HTTPStatus.BAD_REQUEST:
            return BadRequest(response.message or "refused as malformed")
        case HTTPStatus.TOO_MANY_REQUESTS:
            return _too_many(response)
    return _read_error(response)


def read_account(response: Response) -> AccountReply:
    """Read the reply of /account/tokens (API.md, "Account Tokens")."""
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        return NoReply.busy("the service asked to slow down (429)", response.retry_after_s)
    if response.status != HTTPStatus.OK:
        return _read_error(response)
    fields = response.payload if isinstance(response.payload, dict) else {}
    counts = {name: (_left if "Left" in name else _count)(fields.get(name)) for name in _ACCOUNT_FIELDS}
    missing = [name for name, count in counts.items() if count is None]
    if missing:
        return NoReply.refused(f"it answered something else than token levels (no usable {missing[0]})")
    daily_left, daily_limit, bucket_left, capacity, _, reset_ms = (count or 0 for count in counts.values())
    return Levels(bucket_left, daily_left, reset_ms / 1000, capacity, float(fields["tokensPerMinute"]), daily_limit)


def _read_error(response: Response) -> KeyRefused | NoReply:
    """Read a reply that says neither yes nor slow down, by its status."""
    status = response.status
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        why = "has no active subscription" if status == HTTPStatus.FORBIDDEN else "is wrong"
        return KeyRefused(f"the API key {why} (the service answered {status}). Look it up in your ASINScope dashboard")
    said = f"the service answered {status}" + (f": {response.message}" if response.message else "")
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}:
        return NoReply.busy(said, response.retry_after_s)  # by its definition the request was not handled
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.MULTIPLE_CHOICES:
        # A gateway's 502 or 504 says nothing of what the server behind it did with the request.
        return NoReply.lost(said, response.retry_after_s)
    if status < HTTPStatus.BAD_REQUEST:
        return NoReply.refused(f"{said}: a redirect, which is not followed, as it would take the API key along")
    return NoReply.refused(said)


def _found(response: Response, asked: int) -> Found | NoReply:
    """Read a lookup's reply (API.md, "Response"); `bucketSize` is the tokens left in the bucket.

    The items are what was paid for: an odd level beside them is no reason to throw them away and pay again.
    """
    payload = response.payload
    entries = payload.get("items") if isinstance(payload, dict) else None
    if not isinstance(entries, list):
        return NoReply.lost("the service's answer holds no list of products")
    items = tuple(entry for entry in entries if isinstance(entry, dict))
    consumed, reset_ms = _count(payload.get("consumedTokens")), _count(payload.get("msBeforeNextDailyToken"))
    levels = ToldLevels(
        _count(payload.get("bucketSize")),
        _count(payload.get("dailyTokensLeft")),
        None if reset_ms is None else reset_ms / 1000,
    )
    spent = asked if consumed is None or consumed > asked * _MOST_TOKENS_A_CODE else consumed
    return Found(items, len(entries) - len(items), spent, levels, response.is_garbled)


def _count(value: Any) -> int | None:
    """Read a number of tokens or milliseconds, rounded down; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MAX_COUNT:
        return None
    return int(value)


def _left(value: Any) -> int | None:
    """Read a number of tokens left; an account that is overdrawn has none."""
    is_overdrawn = isinstance(value, int | float) and not isinstance(value, bool) and -_MAX_COUNT < value < 0
    return 0 if is_overdrawn else _count(value)


def _too_many(response: Response) -> BucketEmpty | DayEmpty | NoReply:
    """Tell the two documented 429s apart by their texts (API.md, "How tokens are used")."""
    text = response.message.casefold()
    if _DAILY_TEXT in text:
        return DayEmpty()
    if _BUCKET_TEXT in text:
        rate = _RESTORE_RATE.search(response.message)
        return BucketEmpty(float(rate[1]) if rate else None, response.retry_after_s)
    return NoReply.busy("the service asked to slow down (429)", response.retry_after_s)
