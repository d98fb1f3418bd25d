"""What a seed decides: the plan, the codes, the weather, and what the user does."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from enricher.model import CodeType, Domain, Key
from tests.simulate.catalog import CODES, PRODUCTS
from tests.simulate.server import BASIC, DAY, PRO, SECOND, Manners, Plan

Fate: TypeAlias = Literal[
    "served", "unsent", "reset", "lost", "error", "charged error", "busy", "slow down", "garbled", "doubtful",
    "redirect", "silent", "charged silent", "late", "spurious 429",
]  # fmt: skip
TROUBLES: tuple[Fate, ...] = (
    "unsent", "reset", "lost", "error", "charged error", "busy", "slow down", "garbled", "doubtful", "redirect",
    "silent", "charged silent", "late", "spurious 429",
)  # fmt: skip
KINDS = ("alone", "faults", "rivals", "interrupted", "clocks", "odd replies", "plans", "everything")
FIRST_DAY = 20_513 * DAY
"""1 March 2026."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Microseconds each way: a constant and a spread; `is_wild`: mostly short, at times long."""

    base_us: int
    spread_us: int
    is_wild: bool = False

    def draw(self, rng: random.Random) -> int:
        share = rng.random()
        return self.base_us + int(self.spread_us * (share**6 if self.is_wild else share))

    @property
    def most_us(self) -> int:
        return self.base_us + self.spread_us


@dataclass(frozen=True, slots=True)
class Rival:
    """Somebody else with the same key: takes up to `most` tokens every `gap_us` or so, `times` times."""

    after_us: int
    gap_us: int
    most: int
    times: int


@dataclass(frozen=True, slots=True)
class Visit:
    """One run of the program, as the user starts and ends it. Times are from its start."""

    gap_us: int = 0
    """Time that passes before it."""
    workers: int = 4
    reserve: int = 0
    budget: int | None = None
    wait_for_day: bool = False
    is_troubled: bool = False
    outage_us: tuple[int, int] | None = None
    stops_us: tuple[int, ...] = ()
    stop_at_event: int | None = None
    kill_us: int | None = None
    kill_at_point: int | None = None
    refuse_key_us: int | None = None
    rounds: int = 1
    tick_s: float = math.inf
    """How often the loop looks up from a wait; without ticks days pass in a few steps."""

    @property
    def is_interrupted(self) -> bool:
        """Something may end it before its time."""
        ends = (self.stop_at_event, self.kill_us, self.kill_at_point, self.refuse_key_us)
        return bool(self.stops_us) or any(end is not None for end in ends)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that a seed decides before the first request."""

    seed: int
    kind: str
    plan: Plan
    keys: tuple[Key, ...]
    visits: tuple[Visit, ...]
    """The last one is repeated until all is done."""
    start_us: int = FIRST_DAY
    filled: float = 1.0
    used: int = 0
    latency: Latency = Latency(250 * SECOND // 1000, 0)
    manners: Manners = field(default_factory=Manners)
    troubles: tuple[tuple[Fate, float], ...] = ()
    rivals: tuple[Rival, ...] = ()
    plan_changes: tuple[tuple[int, Plan], ...] = ()
    sleeps: tuple[tuple[int, int], ...] = ()
    jumps: tuple[tuple[int, int], ...] = ()
    wall_off_us: int = 0
    drift_ppm: int = 0

    def __str__(self) -> str:
        """Leave out what is long."""
        short = replace(self, keys=(), visits=(), manners=replace(self.manners, malformed=frozenset()))
        return f"{len(self.keys)} codes, {len(self.manners.malformed)} malformed, {len(self.visits)} visits, {short!r}"

    @property
    def is_undisturbed(self) -> bool:
        """Nobody else takes tokens, and the plan and the levels are what they are told to be."""
        is_late = any(fate == "late" for fate, _ in self.troubles)
        is_lying = self.manners.lying or self.manners.is_account_wrong
        return not (self.rivals or self.plan_changes or is_lying or is_late)

    @property
    def is_calm(self) -> bool:
        """Undisturbed, and nothing fails."""
        return self.is_undisturbed and not (self.troubles or self.manners.silent or self.manners.malformed)


def draw(seed: int) -> Scenario:
    """Decide everything from a number."""
    rng = random.Random(seed)  # noqa: S311 - a number to replay, no secret
    kind = KINDS[rng.randrange(len(KINDS))]
    everything = kind == "everything"
    plan = _plan(rng)
    changes: tuple[tuple[int, Plan], ...] = ()
    if kind == "plans" or (everything and rng.random() < 0.3):
        changes = tuple((int(_span_us(rng)), _plan(rng)) for _ in range(rng.randint(1, 2)))
    least = min([plan, *(changed for _, changed in changes)], key=lambda one: one.daily_limit)
    narrowest = min(one.capacity for one in [plan, *(changed for _, changed in changes)])
    slowest = min(one.rate_per_min for one in [plan, *(changed for _, changed in changes)])
    reserve = rng.randrange(least.daily_limit) if rng.random() < 0.2 else 0
    reserve = min(reserve, least.daily_limit - 1)
    most = min(200, 25 * narrowest + 10, 5 * (least.daily_limit - reserve), 400 * slowest)
    keys = _keys(rng, most if rng.random() < 0.05 else rng.randint(1, max(1, min(most, rng.choice((5, 25, 60, 120))))))
    scenario = Scenario(
        seed,
        kind,
        plan,
        keys,
        (),
        start_us=FIRST_DAY + (DAY - rng.randrange(600 * SECOND) if rng.random() < 0.25 else rng.randrange(DAY)),
        filled=rng.choice((1.0, 1.0, 0.0, rng.random())),
        used=rng.choice((0, 0, 0, rng.randrange(plan.daily_limit + 1), max(0, plan.daily_limit - rng.randrange(30)))),
        latency=_latency(rng),
        manners=_manners(rng, keys, is_odd=kind == "odd replies" or everything),
        troubles=_troubles(rng) if kind == "faults" or everything else (),
        rivals=_rivals(rng) if kind == "rivals" or (everything and rng.random() < 0.5) else (),
        plan_changes=changes,
        drift_ppm=rng.choice((0, 0, rng.randint(-400, 400))),
        wall_off_us=int(rng.uniform(-2, 2) * rng.choice((0, 1, 3600, 86_400)) * SECOND),
    )
    if kind == "clocks" or (everything and rng.random() < 0.4):
        scenario = replace(
            scenario,
            sleeps=tuple((_span_us(rng), _span_us(rng, 43_200)) for _ in range(rng.randrange(3))),
            jumps=tuple(
                (_span_us(rng), rng.choice((-1, 1)) * _span_us(rng, 200_000)) for _ in range(rng.randint(1, 3))
            ),
        )
    return replace(scenario, visits=_visits(rng, kind, reserve, has_trouble=bool(scenario.troubles)))


def _plan(rng: random.Random) -> Plan:
    share = rng.random()
    if share < 0.35:
        return BASIC
    if share < 0.6:
        return PRO
    return Plan(
        rng.choice((1, 3, 7, 9, 10, 11, 15, 25, 60, 1_000)),
        rng.choice((1, 2, 7, 10, 30, 60, 601, 6_000)),
        rng.choice((5, 17, 40, 100, 1_000, 1_000_000)),
    )


def _span_us(rng: random.Random, most_s: int = 3_600) -> int:
    """Draw a time of any order of magnitude, from a millisecond up."""
    return int(SECOND * 0.001 * (most_s * 1_000.0) ** rng.random())


def _keys(rng: random.Random, count: int) -> tuple[Key, ...]:
    kinds = [(rng.choice(tuple(CodeType)), rng.choice(tuple(Domain))) for _ in range(rng.choice((1, 1, 2, 3)))]
    first = rng.randrange(PRODUCTS - count)
    keys = [Key(*kinds[rng.randrange(len(kinds))], "") for _ in range(count)]
    return tuple(
        Key(key.code_type, key.domain, CODES[key.code_type][first + number]) for number, key in enumerate(keys)
    )


def _latency(rng: random.Random) -> Latency:
    return rng.choice(
        (
            Latency(0, 1_000),
            Latency(10_000, 40_000),
            Latency(250_000, 0),
            Latency(50_000, 900_000),
            Latency(20_000, 8_000_000, is_wild=True),
        )
    )


def _manners(rng: random.Random, keys: tuple[Key, ...], *, is_odd: bool) -> Manners:
    if not is_odd:
        return Manners(strays=0.05, repeats=0.05, retry_after=rng.choice((0.0, 0.5)))
    bad = rng.choice((0.0, 0.0, 0.02, 0.2, 1.0))
    return Manners(
        malformed=frozenset(key for key in keys if rng.random() < bad),
        strays=0.2,
        repeats=0.2,
        silent=rng.choice((0.0, 0.1, 1.0)),
        lying=rng.choice((0.0, 0.0, 0.1, 1.0)),
        retry_after=rng.choice((0.0, 0.5, 1.0)),
        is_absent_free=rng.random() < 0.3,
        is_account_wrong=rng.random() < 0.1,
    )


def _troubles(rng: random.Random) -> tuple[tuple[Fate, float], ...]:
    """Draw how likely each trouble is; a few of them, seldom or often."""
    often = rng.choice((0.02, 0.1, 0.1, 0.3, 0.9))
    fates = rng.sample(TROUBLES, rng.choice((1, 2, 4, len(TROUBLES))))
    return tuple((fate, often / len(fates)) for fate in fates)


def _rivals(rng: random.Random) -> tuple[Rival, ...]:
    return tuple(
        Rival(
            after_us=_span_us(rng, 600),
            gap_us=rng.choice((SECOND // 5, SECOND, 10 * SECOND, 60 * SECOND, 600 * SECOND)),
            most=rng.choice((1, 3, 10, 10, 1_000_000)),
            times=rng.choice((1, 5, 30, 100)),
        )
        for _ in range(rng.choice((1, 1, 2)))
    )


def _visits(rng: random.Random, kind: str, reserve: int, *, has_trouble: bool) -> tuple[Visit, ...]:
    """Draw some visits that may end in any way, and a last one that goes well."""
    everything = kind == "everything"
    visits = []
    for _ in range(rng.randint(1, 3)):
        visit = Visit(
            gap_us=rng.choice((0, _span_us(rng), _span_us(rng, 86_400))),
            workers=rng.choice((1, 2, 4, 4, 8)),
            reserve=reserve,
            budget=rng.randrange(40) if rng.random() < 0.1 else None,
            wait_for_day=rng.random() < 0.5,
            is_troubled=has_trouble,
            rounds=rng.choice((1, 1, 2)),
        )
        if has_trouble and rng.random() < 0.2:
            begin = _span_us(rng, 600)
            visit = replace(visit, outage_us=(begin, begin + _span_us(rng, 900)))
        if everything and rng.random() < 0.1:
            visit = replace(visit, refuse_key_us=_span_us(rng))
        if kind == "interrupted" or (everything and rng.random() < 0.5):
            visit = _interrupted(rng, visit)
        visits.append(visit)
    last = Visit(gap_us=SECOND, workers=rng.choice((1, 4)), reserve=reserve, wait_for_day=rng.random() < 0.5)
    return (*visits, last)


def _interrupted(rng: random.Random, visit: Visit) -> Visit:
    match rng.randrange(5):
        case 0:
            first = _span_us(rng)
            return replace(visit, stops_us=(first, first + _span_us(rng, 8))[: rng.randint(1, 2)])
        case 1:
            return replace(visit, stop_at_event=rng.randrange(40))
        case 2:
            return replace(visit, kill_us=_span_us(rng))
        case 3:
            return replace(visit, kill_at_point=rng.randrange(60))
    return visit
