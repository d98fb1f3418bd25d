"""The ASINScope service by API.md, in whole numbers: no rounding here can hide a mistake there.

Written from the documentation alone. Time is microseconds since 1970 by the service's own clock. A token is divided
into as many parts as a minute has microseconds, so that a microsecond brings as many parts as a minute brings tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from enricher.lookup.replies import Response
from tests.simulate.catalog import CODES, ITEMS

if TYPE_CHECKING:
    import random

    from enricher.lookup import Chunk
    from enricher.model import Item, Key

SECOND = 1_000_000
DAY = 86_400 * SECOND
TOKEN = 60 * SECOND
_DAY_TEXT = "The daily requests limit has been reached."
_BUCKET_TEXT = "Not enough tokens in the bucket. Restore rate: {rate} / min"


@dataclass(frozen=True, slots=True)
class Plan:
    capacity: int
    rate_per_min: int
    daily_limit: int


BASIC = Plan(60, 10, 1_000)
PRO = Plan(120, 60, 10_000)


class Account:
    """The tokens of one key: whole requests are charged, or nothing."""

    def __init__(self, plan: Plan, now_us: int, parts: int, used: int) -> None:
        self.plan = plan
        self.parts = min(parts, plan.capacity * TOKEN)
        self.used = used
        self.at_us = now_us

    def copy(self) -> Account:
        return Account(self.plan, self.at_us, self.parts, self.used)

    @property
    def day_left(self) -> int:
        return max(0, self.plan.daily_limit - self.used)

    @property
    def bucket_left(self) -> int:
        return self.parts // TOKEN

    def advance(self, now_us: int) -> None:
        """Let the bucket refill, and the day begin that has begun."""
        if now_us // DAY != self.at_us // DAY:
            self.used = 0
        self.parts = min(self.plan.capacity * TOKEN, self.parts + (now_us - self.at_us) * self.plan.rate_per_min)
        self.at_us = now_us

    def charge(self, tokens: int) -> str:
        """Charge all or nothing; returns why nothing was: `day`, `bucket`, or no reason."""
        if tokens > self.day_left:
            return "day"
        if tokens > self.bucket_left:
            return "bucket"
        self.used += tokens
        self.parts -= tokens * TOKEN
        return ""

    def refund(self, tokens: int) -> None:
        self.used -= tokens
        self.parts = min(self.plan.capacity * TOKEN, self.parts + tokens * TOKEN)

    def change(self, plan: Plan) -> None:
        self.plan = plan
        self.parts = min(self.parts, plan.capacity * TOKEN)

    def ready_us(self, tokens: int) -> int:
        """Return when the bucket holds so many tokens, if nobody takes any."""
        missing = tokens * TOKEN - self.parts
        return self.at_us + max(0, -(-missing // self.plan.rate_per_min))

    def reset_us(self) -> int:
        """Return when the next day begins."""
        return (self.at_us // DAY + 1) * DAY


@dataclass(frozen=True, slots=True)
class Manners:
    """What the documentation leaves open, as probabilities a reply, and which codes are malformed to this server."""

    malformed: frozenset[Key] = frozenset()
    strays: float = 0.0
    repeats: float = 0.0
    silent: float = 0.0
    """A level or the count of consumed tokens is missing."""
    lying: float = 0.0
    """A level is not what it is called."""
    retry_after: float = 0.0
    is_absent_free: bool = False
    is_account_wrong: bool = False
    """The account always tells of a whole day's tokens."""


class Server:
    """The two endpoints."""

    def __init__(self, account: Account, manners: Manners, rng: random.Random) -> None:
        self.tokens = account
        self.manners = manners
        self.refused_status = 0
        """401 or 403 while the key is withdrawn."""
        self.lies = self.rivals_took = 0
        """How often a level was told that is not true, and tokens were taken by others."""
        self._rng = rng

    def lookup(self, now_us: int, chunk: Chunk) -> tuple[Response, int]:
        """Answer a lookup; returns what it cost, too."""
        tokens = self.tokens
        tokens.advance(now_us)
        if self.refused_status:
            return _error(self.refused_status, "Invalid API key"), 0
        keys = chunk.keys()
        if not self.manners.malformed.isdisjoint(keys):
            bad = next(key.code for key in keys if key in self.manners.malformed)
            return _error(400, f"Malformed code: {bad}"), 0
        asked = len(chunk.codes)
        if refusal := tokens.charge(asked):
            text = _DAY_TEXT if refusal == "day" else _BUCKET_TEXT.format(rate=tokens.plan.rate_per_min)
            return _error(429, text, self._retry_after_s(asked) if refusal == "bucket" else None), 0
        known = ITEMS[chunk.code_type]
        if self.manners.is_absent_free:
            free = sum(not known[code] for code in chunk.codes)
            tokens.refund(free)
            asked -= free
        items = {item["asin"]: item for code in chunk.codes for item in known[code]}
        levels = {
            "dailyTokensLeft": tokens.day_left,
            "bucketSize": tokens.bucket_left,
            "msBeforeNextDailyToken": (tokens.reset_us() - now_us) // 1000,
            "consumedTokens": asked,
        }
        return Response(200, {"items": self._served(list(items.values()))} | self._told(levels), ""), asked

    def account(self, now_us: int) -> Response:
        """Answer the question for the levels; free."""
        tokens = self.tokens
        tokens.advance(now_us)
        if self.refused_status:
            return _error(self.refused_status, "Invalid API key")
        levels = {
            "dailyTokensLeft": tokens.plan.daily_limit if self.manners.is_account_wrong else tokens.day_left,
            "dailyTokensLimit": tokens.plan.daily_limit,
            "minutelyTokensLeft": tokens.bucket_left,
            "minutelyBucketCapacity": tokens.plan.capacity,
            "tokensPerMinute": tokens.plan.rate_per_min,
            "msBeforeNextDailyReset": (tokens.reset_us() - now_us) // 1000,
        }
        return Response(200, levels, "")

    def _served(self, items: list[Item]) -> list[Item]:
        """Put the items in any order, among repeats and items that nobody asked for."""
        rng, manners = self._rng, self.manners
        if len(items) > 1:
            rng.shuffle(items)
        if items and rng.random() < manners.repeats:
            items.append(items[0])
        if rng.random() < manners.strays:
            code_type, codes = rng.choice(list(CODES.items()))
            items.extend(ITEMS[code_type][codes[rng.randrange(len(codes))]][:1])
        return items

    def _told(self, levels: dict[str, Any]) -> dict[str, Any]:
        rng, plan = self._rng, self.tokens.plan
        if rng.random() < self.manners.silent:
            name = rng.choice(tuple(levels))
            if rng.random() < 0.5:
                del levels[name]
            else:
                levels[name] = rng.choice((None, str(levels[name]), -1))
        if rng.random() < self.manners.lying:
            name, lie = rng.choice(
                (
                    ("bucketSize", plan.capacity),
                    ("bucketSize", 0),
                    ("dailyTokensLeft", plan.daily_limit),
                    ("dailyTokensLeft", 0),
                    ("msBeforeNextDailyToken", 0),
                    ("msBeforeNextDailyToken", 10**9),
                )
            )
            self.lies += levels.get(name) != lie
            levels[name] = lie
        return levels

    def _retry_after_s(self, tokens: int) -> float | None:
        if self._rng.random() >= self.manners.retry_after:
            return None
        return float(-(-(self.tokens.ready_us(tokens) - self.tokens.at_us) // SECOND))


def _error(status: int, text: str, retry_after_s: float | None = None) -> Response:
    return Response(status, {"error": text}, text, retry_after_s)
