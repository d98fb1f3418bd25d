"""What can be said without spending anything: the plan of a run, how a file is read, the account's tokens."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

from enricher import codes, lookup, merge, report
from enricher.clock import Clock, SystemClock
from enricher.errors import ApiError, ApiKeyError
from enricher.keys import unpack
from enricher.model import MAX_CHUNK, CodeType
from enricher.pipeline.asking import check_reserve, client_of, known, oldest_ms
from enricher.pipeline.reading import Reading, read
from enricher.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from enricher.model import Key, Levels
    from enricher.pipeline.task import Observer, Task


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
        known_now = known(reading.keys, store, oldest_ms(task.settings, clock))
    to_ask = known_now.to_ask(reading.candidates)
    unknown = unpack(reading.keys[to_ask])
    in_order = itertools.chain.from_iterable(chunk.keys() for chunk in lookup.chunks_of(unknown))  # as a run asks
    most = 0 if settings.offline else settings.max_tokens
    wanted = list(itertools.islice(in_order, most))
    at_most = int(known_now.may_ask(reading.candidates).sum())
    levels, note = _levels(task, clock) if wanted else (None, "")
    if levels:
        check_reserve(settings.reserve_tokens, levels)
    schedule = lookup.schedule(len(wanted), levels, settings.reserve_tokens) if levels else lookup.Schedule(0.0, ())
    counted = ~reading.empty & ~reading.beyond
    return report.PlanReport(
        input=str(task.input),
        read_as=reading.source.description,
        code_columns=reading.column_names(),
        rows=int(counted.sum()),
        rows_invalid=int((reading.invalid & counted).sum()),
        rows_blank=int((~reading.has_code & ~reading.invalid & counted).sum()),
        duplicates=int(reading.has_code.sum()) - len(reading.first_keys),
        groups=_groups(unpack(reading.keys[known_now.reached(reading.candidates)]), unknown, wanted),
        tokens=len(wanted),
        tokens_at_most=at_most if most is None else min(at_most, most),
        requests=len(lookup.chunks_of(wanted)),
        made_at=clock.now().isoformat(),
        duration_s=schedule.duration_s if levels or not wanted else None,
        tokens_by_day=schedule.tokens_by_day,
        tokens_left_today=levels.daily_left if levels else None,
        note=note,
    )


def account(task: Task, clock: Clock | None = None) -> Levels:
    """Ask for the tokens left; free. Raises ApiKeyError, ApiError."""
    with client_of(task, clock or SystemClock()) as client:
        return client.account()


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


def _groups(keys: Iterable[Key], unknown: Iterable[Key], wanted: Iterable[Key]) -> list[report.Group]:
    all_codes, unknown_codes, wanted_codes = (
        Counter((key.code_type, key.domain) for key in part) for part in (keys, unknown, wanted)
    )
    groups = []
    for (code_type, domain), count in all_codes.items():
        known, tokens = count - unknown_codes[code_type, domain], wanted_codes[code_type, domain]
        groups.append(report.Group(code_type, domain, count, known, tokens, -(-tokens // MAX_CHUNK)))
    return groups


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
