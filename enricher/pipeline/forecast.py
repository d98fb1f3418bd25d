"""What can be said without spending anything: the plan of a run, how a file is read, the account's tokens."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from enricher import codes, lookup, merge, report
from enricher.clock import Clock, SystemClock
from enricher.errors import ApiError, ApiKeyError
from enricher.keys import unpack
from enricher.model import MAX_CHUNK, CodeType, Domain
from enricher.pipeline.asking import check_reserve, known, levels_of, oldest_fresh, service_of
from enricher.pipeline.reading import Reading, read
from enricher.pipeline.room import lacking
from enricher.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from enricher.config import LookupSettings
    from enricher.model import Key, Levels
    from enricher.pipeline.fallback import Known
    from enricher.pipeline.task import Observer, Task

_Market: TypeAlias = tuple[CodeType, Domain]


def plan(task: Task, observer: Observer, clock: Clock | None = None) -> report.PlanReport:
    """Work out what `enrich` would send, cost and take. Asks the account for its levels, which is free.

    Raises EnricherError; a service that can't be reached, or no key, costs only the forecast of the time.
    """
    clock = clock or SystemClock()
    task.check_paths()
    host = task.host  # a wrong address is said before the file is read
    reading = read(task, observer)
    reading.check_marketplaces(task.settings)
    reading.check_output(task)
    settings = task.settings.lookup
    with Store(task.store_path, host, read_only=True) as store:
        known_now = known(reading.keys, store, oldest_fresh(task.settings, clock.now()))
        lack = lacking(task, reading, known_now, store)
    refusal = f"the run would be refused: {lack}" if lack else ""
    to_ask = known_now.to_ask(reading.candidates)
    # In the order in which a run asks, which decides what a budget leaves out.
    in_order = [*itertools.chain(*(chunk.keys() for chunk in lookup.chunks_of(unpack(reading.keys[to_ask]))))]
    most = 0 if settings.offline else settings.max_tokens
    wanted = in_order[:most]
    worst = int(known_now.may_ask(reading.candidates).sum())
    tokens_at_most = worst if most is None else min(worst, most)
    levels, note = _levels(task, clock) if wanted else (None, "")
    if levels:
        check_reserve(settings.reserve_tokens, levels)
    counted = ~reading.empty & ~reading.beyond
    groups = _groups(reading, known_now, wanted, levels)
    return report.PlanReport(
        input=str(task.input),
        read_as=reading.source.description,
        code_columns=reading.column_names(),
        rows=int(counted.sum()),
        rows_invalid=int((reading.invalid & counted).sum()),
        rows_blank=int((~reading.has_code & ~reading.invalid & counted).sum()),
        duplicates=sum(group.cells - group.codes for group in groups),
        problems={problem.reason.what: problem.rows for problem in reading.found.problems},
        groups=groups,
        tokens=len(wanted),
        tokens_at_most=tokens_at_most,
        requests=sum(group.requests for group in groups),
        made_at=clock.now(),
        codes_pending=len(in_order) - len(wanted),
        limited_by="" if len(wanted) == len(in_order) else "--offline" if settings.offline else "--max-tokens",
        timing=_timing(len(wanted), tokens_at_most, levels, settings, clock.now()) if levels else None,
        note="; ".join(filter(None, [note, refusal])),
    )


def account(task: Task, clock: Clock | None = None) -> Levels:
    """Ask for the tokens left; free. Raises ApiKeyError, ApiError."""
    clock = clock or SystemClock()
    with service_of(task, clock) as connect:
        return levels_of(connect, clock)


def inspect(task: Task, observer: Observer) -> report.Inspection:
    """Read a file and say how: needs no key and no network. Raises InputError, ConfigError."""
    reading = read(task, observer)
    layout, found = reading.layout, reading.found
    first_keys = unpack(reading.first_keys)
    types = Counter(key.code_type for key in first_keys)
    counted = ~reading.empty & ~reading.beyond
    return report.Inspection(
        input=str(task.input),
        read_as=reading.source.description,
        sheet=reading.source.sheet,
        other_sheets=list(reading.other_sheets),
        header_row=layout.header_row,
        columns=layout.names,
        code_columns=[_column(*pair) for pair in zip(layout.code_columns, found.kinds, strict=True)],
        runners_up={runner.name: runner.reason for runner in layout.runners_up},
        domain_column=None if layout.domain_column is None else layout.names[layout.domain_column],
        markets=dict(Counter(key.domain.value for key in first_keys).most_common()),
        is_default_domain="domain" not in task.settings.input.model_fields_set,
        rows=int(counted.sum()),
        rows_good=int(reading.has_code.sum()),
        rows_invalid=int(reading.invalid.sum()),
        rows_blank=int((~reading.has_code & ~reading.invalid & counted).sum()),
        rows_with_fallback=int((reading.candidates[1:2] != merge.NO_KEY_INDEX).sum()),
        unique_codes=len(first_keys),
        codes_by_type={code_type.value: types[code_type] for code_type in CodeType},
        problems=_problems(found.problems, reading),
        repairs=_problems(found.repairs, reading),
        hints=reading.hints(task.settings),
    )


def _column(column: codes.CodeColumn, kinds: Mapping[codes.Kind, tuple[int, int]]) -> report.CodeColumn:
    cells = {kind.value: count for kind, (count, _) in kinds.items()}
    used = {kind.value: count for kind, (_, count) in kinds.items() if count}
    return report.CodeColumn(column.name, codes.letters(column.index), column.label, column.reason, cells, used)


def _levels(task: Task, clock: Clock) -> tuple[Levels | None, str]:
    if task.settings.lookup.key() is None:
        return None, "without an API key the time it takes can't be told"
    try:
        return account(task, clock), ""
    except ApiKeyError:
        raise
    except ApiError as error:
        return None, f"the time it takes can't be told: {error}"


def _timing(tokens: int, at_most: int, levels: Levels, settings: LookupSettings, now: datetime) -> report.Timing:
    """Say how long so many tokens take, and how many of them a run gets before a used-up day ends it."""
    reserve = settings.reserve_tokens
    plan, worst = (lookup.schedule(count, levels, reserve) for count in (tokens, at_most))
    this_run = tokens if settings.on_quota == "wait" else plan.before_stop
    return report.Timing(
        made_at=now,
        left_today=levels.daily_left,
        reserved=reserve,
        reset_s=levels.daily_reset_s,
        forecast=report.Forecast(plan.duration_s, plan.tokens_by_day, plan.days),
        at_most=report.Forecast(worst.duration_s, worst.tokens_by_day, worst.days),
        this_run=this_run,
        this_run_s=lookup.schedule(this_run, levels, reserve).duration_s,
    )


def _groups(reading: Reading, known_now: Known, wanted: Sequence[Key], levels: Levels | None) -> list[report.Group]:
    """Count by type and marketplace: the codes rows are at, those of them known, and what the rest takes."""
    is_reached = known_now.reached(reading.candidates)
    reached, fresh = unpack(reading.keys[is_reached]), known_now.fresh[is_reached]
    cells, codes, known_codes = Counter[_Market](), Counter[_Market](), Counter[_Market]()
    for key, count, is_fresh in zip(reached, _cells(reading, known_now)[is_reached], fresh, strict=True):
        market = key.code_type, key.domain
        cells[market] += int(count)
        codes[market] += 1
        known_codes[market] += bool(is_fresh)
    tokens = Counter((key.code_type, key.domain) for key in wanted)
    requests = Counter[_Market]()
    for chunk in lookup.chunks_of(wanted):
        at_once = max(1, min(len(chunk.codes), levels.bucket_capacity if levels else MAX_CHUNK))
        requests[chunk.code_type, chunk.domain] += -(-len(chunk.codes) // at_once)
    return [
        report.Group(*market, cells[market], count, known_codes[market], tokens[market], requests[market])
        for market, count in codes.items()
    ]


def _cells(reading: Reading, known_now: Known) -> npt.NDArray[np.int64]:
    """Count the cells that hold each key, of those codes only that their rows are at or have passed."""
    passed = np.append(known_now.not_found & known_now.fresh, True)  # the last element is that of no code, -1
    counts, is_reached = np.zeros(len(passed), np.int64), np.ones(len(reading.empty), np.bool_)
    for candidates in reading.candidates:
        counts += np.bincount(candidates[is_reached] % len(passed), minlength=len(passed))
        is_reached &= passed[candidates]
    return counts[:-1]


def _problems(found: Iterable[codes.Problem], reading: Reading) -> list[report.Problem]:
    """Write problems with the numbers of their rows as the user's program shows them."""
    return [
        report.Problem(
            problem.reason.what,
            problem.rows,
            [report.Example(int(reading.row_numbers[row]), cell) for row, cell in problem.examples],
            problem.reason.advice,
        )
        for problem in found
    ]
