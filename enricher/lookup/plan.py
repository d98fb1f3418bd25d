"""Keys to chunks, and what they cost in tokens and time. Decides; sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from enricher.model import MAX_CHUNK, CodeType, Domain, Key, Levels

if TYPE_CHECKING:
    from collections.abc import Sequence

_DAY_S = 86_400.0


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
    """How long a plan takes by the account's quota: seconds from now, and the tokens each day takes."""

    duration_s: float
    tokens_by_day: tuple[int, ...]


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

    Within a day the bucket gives what it holds and then its rate; a new day starts when the daily limit resets.
    """
    rate_per_s = levels.rate_per_min / 60
    today = max(0, levels.daily_left - reserve)
    a_day = max(0, levels.daily_limit - reserve)
    bucket, now_s, reset_s = float(levels.bucket_left), 0.0, levels.daily_reset_s
    days: list[int] = []
    while tokens > 0:
        by_rate = int(bucket + (reset_s - now_s) * rate_per_s)
        spend = min(tokens, today, by_rate)
        days.append(spend)
        tokens -= spend
        if not tokens:
            wait_s = max(0.0, spend - bucket) / rate_per_s if rate_per_s else 0.0
            return Schedule(now_s + wait_s, tuple(days))
        if not a_day or not (rate_per_s or bucket):
            return Schedule(float("inf"), tuple(days))
        bucket = min(float(levels.bucket_capacity), bucket - spend + (reset_s - now_s) * rate_per_s)
        now_s, reset_s, today = reset_s, reset_s + _DAY_S, a_day
    return Schedule(0.0, tuple(days))
