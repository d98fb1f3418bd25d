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
    """An HTTP reply, whole: its JSON (None: none that can be read) and the server's own words about an error."""

    status: int
    payload: Any
    message: str
    retry_after_s: float | None


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


def read_lookup(response: Response, asked: int) -> LookupReply:
    """Read the reply to a lookup of `asked` codes."""
    match response.status:
        case HTTPStatus.OK:
            return _found(response.payload, asked)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return _too_many(response)
        case HTTPStatus.BAD_REQUEST:
            return BadRequest(response.message or "refused as malformed")
    # A gateway's 502 or 504 says nothing of what the server behind it did with the request.
    maybe_charged = response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return NoReply(f"the service answered {response.status}", maybe_charged, response.retry_after_s)


def read_account(payload: Any) -> Levels:
    """Read the reply of /account/tokens (API.md, "Account Tokens"). Raises ValueError where it is something else."""
    fields = payload if isinstance(payload, dict) else {}
    counts = {name: _count(fields.get(name)) for name in _ACCOUNT_FIELDS}
    missing = [name for name, count in counts.items() if count is None]
    if missing:
        raise ValueError(f"no usable {missing[0]}")
    daily_left, daily_limit, bucket_left, capacity, _, reset_ms = (count or 0 for count in counts.values())
    return Levels(bucket_left, daily_left, reset_ms / 1000, capacity, float(fields["tokensPerMinute"]), daily_limit)


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


def _too_many(response: Response) -> BucketEmpty | DayEmpty | NoReply:
    """Tell the two documented 429s apart by their texts (API.md, "How tokens are used")."""
    text = response.message.casefold()
    if _DAILY_TEXT in text:
        return DayEmpty()
    if _BUCKET_TEXT in text:
        rate = _RESTORE_RATE.search(response.message)
        return BucketEmpty(float(rate[1]) if rate else None, response.retry_after_s)
    return NoReply("the service asked to slow down (429)", maybe_charged=False, retry_after_s=response.retry_after_s)
