"""Keys to chunks, and what they cost in tokens and time. Decides; sends nothing."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from enricher.model import MAX_CHUNK, CodeType, Domain, Key, Levels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DAY_S = 86_400
_LISTED_DAYS = 366


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one request asks for: 1 to 10 codes of one type and one domain."""

    code_type: CodeType
    domain: Domain
    codes: tuple[str, ...]

    def keys(self) -> list[Key]:
        """Return the chunk's keys, in order."""
        return [Key(self.code_type, self.domain, code) for code in self.codes]

    def split(self, at: int) -> tuple[Chunk, Chunk]:
        """Cut the chunk in two after `at` codes."""
        return (
            Chunk(self.code_type, self.domain, self.codes[:at]),
            Chunk(self.code_type, self.domain, self.codes[at:]),
        )


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long a plan takes by the account's quota.

    `duration_s` is counted from now to the moment when the last token is there; infinite: it never is. `tokens_by_day`
    is what each day of the account gives: the rest of this one first, then from reset to reset, the first 366 of
    `days`. `before_stop` is what a run gets that ends when a day's limit is used up: all, or the tokens until then.
    """

    duration_s: float
    tokens_by_day: tuple[int, ...]
    days: int
    before_stop: int


def chunks_of(keys: Sequence[Key], size: int = MAX_CHUNK) -> list[Chunk]:
    """Group keys by type and domain, each group in the order given, and cut the groups into chunks.

    >>> [chunk.codes for chunk in chunks_of([Key(CodeType.EAN, Domain.DE, "4006381333931")])]
    [('4006381333931',)]
    """
    groups: dict[tuple[CodeType, Domain], list[str]] = {}
    for key in keys:
        groups.setdefault((key.code_type, key.domain), []).append(key.code)
    return [
        Chunk(code_type, domain, tuple(codes[start : start + size]))
        for (code_type, domain), codes in groups.items()
        for start in range(0, len(codes), size)
    ]


def schedule(tokens: int, levels: Levels, reserve: int = 0) -> Schedule:
    """Work out when the last of `tokens` tokens exists, leaving `reserve` tokens of each day to others.

    Within a day the bucket gives what it holds and then its rate; a new day starts when the daily limit resets. A
    token that comes at the very moment of the reset is the new day's. The arithmetic is exact, and the number of days
    is no number of steps: a plan may take a million of them.
    """
    if tokens <= 0:
        return Schedule(0.0, (), 0, 0)
    if not levels.bucket_capacity:
        return Schedule(math.inf, (), 0, 0)
    rate_per_s, reset_s = Fraction(levels.rate_per_min) / 60, Fraction(max(0.0, levels.daily_reset_s))
    bucket, today = Fraction(levels.bucket_left), max(0, levels.daily_left - reserve)
    first = min(tokens, today, _before_end(bucket, reset_s * rate_per_s)) if reset_s else 0
    if first == tokens:
        return Schedule(_wait_s(tokens - bucket, rate_per_s), (tokens,), 1, tokens)
    at_reset = min(Fraction(levels.bucket_capacity), bucket - first + reset_s * rate_per_s)
    later = _FullDays(at_reset, levels.bucket_capacity, _DAY_S * rate_per_s, max(0, levels.daily_limit - reserve))
    rest = tokens - first
    days = later.needed(rest)
    if days is None:
        return Schedule(math.inf, (first,), 1, first)
    sums = [min(rest, later.tokens(day)) for day in range(min(days, _LISTED_DAYS - 1) + 1)]
    last = rest - later.tokens(days - 1)
    last_s = _wait_s(last - later.bucket_after(days - 1), rate_per_s)
    return Schedule(
        float(reset_s + (days - 1) * _DAY_S) + last_s,
        (first, *(after - before for before, after in itertools.pairwise(sums))),
        1 + days,
        first if first == today else first + next((sums[day] for day in later.used_up(sums)), rest),
    )


@dataclass(frozen=True, slots=True)
class _FullDays:
    """The days from the first reset on: `bucket` tokens are there then, `inflow` come each day, `limit` may be spent.

    In closed form: either the limit holds a day back, and the bucket fills up meanwhile, or the inflow does, and then
    nothing is ever lost to a full bucket.
    """

    bucket: Fraction
    capacity: int
    inflow: Fraction
    limit: int

    def tokens(self, days: int) -> int:
        """Return how many tokens the first `days` days give."""
        most = days * self.limit
        return most if self.inflow > self.limit else min(most, _before_end(self.bucket, days * self.inflow))

    def needed(self, tokens: int) -> int | None:
        """Return how many days give `tokens` tokens (1 or more); None: no number of them does."""
        if not self.limit or (not self.inflow and tokens > self.bucket):
            return None
        by_limit = -(-tokens // self.limit)
        if not self.inflow or self.inflow > self.limit:
            return by_limit
        return max(by_limit, math.floor((tokens - self.bucket) / self.inflow) + 1)

    def bucket_after(self, days: int) -> Fraction:
        """Return what the bucket holds after so many days on which all was spent that could be."""
        return min(Fraction(self.capacity), self.bucket + days * self.inflow - self.tokens(days))

    def used_up(self, sums: Sequence[int]) -> Iterator[int]:
        """Name the days, but for the last, whose limit is used up, given the tokens up to each day."""
        return (day for day in range(1, len(sums) - 1) if sums[day] - sums[day - 1] == self.limit)


def _before_end(bucket: Fraction, inflow: Fraction) -> int:
    """Return the whole tokens that are there before a time ends in which `inflow` flows in."""
    return max(math.floor(bucket), math.ceil(bucket + inflow) - 1)


def _wait_s(missing: Fraction, rate_per_s: Fraction) -> float:
    return float(missing / rate_per_s) if missing > 0 else 0.0
