"""Who has how many tokens left: plans, the bucket and the day.

Owns the sandbox's quota arithmetic and the tokens spent. Knows no HTTP and no products, takes the time from the
clock it is given, and shares nothing with the client's own arithmetic: sharing it would share its bugs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING

from enricher.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enricher.clock import Clock


@dataclass(frozen=True, slots=True)
class Plan:
    """A subscription's size (API.md, "Rate Limits"): tokens in a full bucket, tokens a minute, tokens a day.

    Raises ConfigError for a plan that could never answer a request.
    """

    name: str
    bucket_capacity: int
    tokens_per_minute: int
    daily_limit: int

    def __post_init__(self) -> None:
        if self.bucket_capacity < 1 or self.tokens_per_minute < 1 or self.daily_limit < 0:
            raise ConfigError(
                f"The plan {self.name!r} needs a bucket and a rate of at least 1 and a daily limit of at least 0."
            )


PRO = Plan("Pro", bucket_capacity=120, tokens_per_minute=60, daily_limit=10_000)
BASIC = Plan("Basic", bucket_capacity=60, tokens_per_minute=10, daily_limit=1_000)

KEYS: dict[str, Plan | None] = {"sandbox": PRO, "sandbox-basic": BASIC, "sandbox-none": None}
"""The API keys a sandbox knows unless told otherwise. None: a key without a subscription (403)."""


class Limit(StrEnum):
    """Which of the two limits refused a request."""

    DAILY = "daily"
    BUCKET = "bucket"


@dataclass(frozen=True, slots=True)
class Balance:
    """What a key has left: whole tokens in the bucket, tokens of the day, milliseconds to the daily reset."""

    plan: Plan
    bucket_left: int
    daily_left: int
    reset_ms: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a request to spend: granted when `refused_by` is None; the balance is as it is afterwards."""

    balance: Balance
    refused_by: Limit | None = None


# Nine zeros after the point: far above the error of float sums of seconds, far below anything a client could save.
# Without it, six waits of a tenth of a minute can come to 0.9999999999999999 of a token, and that to none.
_ROUNDING = 1e-9


@dataclass(slots=True)
class _Account:
    """One key's state. The level is that of `anchor_s`; what flowed in since is computed, never added up.

    Adding up refills at every look would sum their rounding errors: looking must not change the level.
    """

    plan: Plan
    level: float
    anchor_s: float
    day: datetime
    day_spent: int = 0
    total_spent: int = 0

    def level_at(self, now_s: float) -> float:
        inflow = max(0.0, now_s - self.anchor_s) * self.plan.tokens_per_minute / 60
        return min(float(self.plan.bucket_capacity), self.level + inflow)


class Ledger:
    """The accounts of all keys, safe to use from many threads.

    `plans` maps an API key to its plan, or to None for a key without a subscription; every account starts with a full
    bucket and a full day. The bucket follows `clock.monotonic_s()`, the day `clock.now()`.
    """

    def __init__(self, plans: Mapping[str, Plan | None], clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        now_s, midnight = clock.monotonic_s(), _midnight(clock.now())
        self._accounts = {
            key: None if plan is None else _Account(plan, float(plan.bucket_capacity), now_s, midnight)
            for key, plan in plans.items()
        }

    def knows(self, key: str) -> bool:
        """Tell whether `key` is one of ours, subscribed or not."""
        return key in self._accounts

    def subscribed(self, key: str) -> bool:
        """Tell whether `key` has an active subscription. Raises KeyError for an unknown key."""
        return self._accounts[key] is not None

    def balance(self, key: str) -> Balance:
        """Return what a subscribed key has left, for free. Raises KeyError for any other key."""
        with self._lock:
            return self._balance(self._account(key))

    def spend(self, key: str, tokens: int) -> Receipt:
        """Take `tokens` (1 or more) from both the bucket and the day, or nothing from either.

        The day is asked first: waiting for the bucket can't help when the day is used up. Raises KeyError for a key
        that is unknown or not subscribed, ValueError for less than one token. (API.md, "How tokens are used")
        """
        if tokens < 1:
            raise ValueError(f"A request costs at least one token, not {tokens}.")
        with self._lock:
            account = self._account(key)
            now_s = self._clock.monotonic_s()
            level = account.level_at(now_s)
            if account.plan.daily_limit - account.day_spent < tokens:
                return Receipt(self._balance(account), Limit.DAILY)
            if level + _ROUNDING < tokens:
                return Receipt(self._balance(account), Limit.BUCKET)
            # May be a hair below zero: what rounding lent is paid back, so that it never adds up to a free token.
            account.level = level - tokens
            account.anchor_s = now_s
            account.day_spent += tokens
            account.total_spent += tokens
            return Receipt(self._balance(account))

    def spent(self, key: str) -> int:
        """Return the tokens `key` ever spent, over all days. Raises KeyError for an unknown key."""
        with self._lock:
            account = self._accounts[key]
            return 0 if account is None else account.total_spent

    def _account(self, key: str) -> _Account:
        account = self._accounts[key]
        if account is None:
            raise KeyError(key)
        today = _midnight(self._clock.now())
        # "Later", not "other": a system clock set back over midnight must not give the same day out twice.
        if today > account.day:
            account.day = today
            account.day_spent = 0
        return account

    def _balance(self, account: _Account) -> Balance:
        now = self._clock.now()
        left_ms = (_midnight(now) + timedelta(days=1) - now) / timedelta(milliseconds=1)
        return Balance(
            plan=account.plan,
            bucket_left=math.floor(account.level_at(self._clock.monotonic_s()) + _ROUNDING),
            daily_left=account.plan.daily_limit - account.day_spent,
            # Rounded up: a client that waits exactly this long must find the new day begun.
            reset_ms=math.ceil(left_ms),
        )


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.date(), time(), moment.tzinfo)
