"""What can be said without spending anything: the plan of a run, how a file is read, the account's tokens."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from enricher import lookup, merge, report, sheets
from enricher.clock import Clock, SystemClock
from enricher.errors import ApiError, ApiKeyError
from enricher.keys import unpack
from enricher.model import MAX_CHUNK, CodeType
from enricher.pipeline.asking import check_reserve, client_of, open_keys
from enricher.pipeline.reading import Reading, columns_of, read
from enricher.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from enricher.model import Key, Levels
    from enricher.pipeline.task import Observer, Task

_EXAMPLES = 3


def plan(task: Task, observer: Observer, clock: Clock | None = None) -> report.PlanReport:
    """Work out what `enrich` would send, cost and take. Asks the account for its levels, which is free.

    Raises EnricherError; a service that can't be reached, or no key, costs only the forecast of the time.
    """
    clock = clock or SystemClock()
    host = task.host  # a wrong address is said before the file is read
    reading = read(task, observer)
    reading.check_marketplaces(task.settings)
    sheets.check(reading.source, task.output_path.suffix, reading.layout.header_row, columns_of(task.settings).schema())
    settings = task.settings.lookup
    with Store(task.store_path, host, read_only=True) as store:
        unknown = open_keys(reading.keys, store, task.settings, clock)
    in_order = itertools.chain.from_iterable(chunk.keys() for chunk in lookup.chunks_of(unknown))  # as a run asks
    wanted = [] if settings.offline else list(itertools.islice(in_order, settings.max_tokens))
    levels, note = _levels(task, clock) if wanted else (None, "")
    if levels:
        check_reserve(settings.reserve_tokens, levels)
    schedule = lookup.schedule(len(wanted), levels, settings.reserve_tokens) if levels else lookup.Schedule(0.0, ())
    has_key, rows = reading.rows.key_index != merge.NO_KEY_INDEX, reading.rows
    counted = ~rows.empty & ~rows.beyond
    return report.PlanReport(
        input=str(task.input),
        read_as=reading.source.description,
        code_columns=reading.column_names(),
        rows=int(counted.sum()),
        rows_invalid=int((rows.invalid & counted).sum()),
        rows_blank=int((~has_key & ~rows.invalid & counted).sum()),
        duplicates=int(has_key.sum()) - len(reading.keys),
        groups=_groups(unpack(reading.keys), unknown, wanted),
        tokens=len(wanted),
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
    rows, layout = reading.rows, reading.layout
    names = reading.column_names()
    types = Counter(key.code_type for key in unpack(reading.keys))
    others = [source.sheet for source in sheets.open_sources(task.input) if source.sheet != reading.source.sheet]
    return report.Inspection(
        input=str(task.input),
        read_as=reading.source.description,
        sheet=reading.source.sheet,
        other_sheets=[name for name in others if name is not None],
        header_row=layout.header_row,
        columns=layout.names,
        code_columns={name: column.reason for name, column in zip(names, layout.code_columns, strict=True)},
        domain_column=None if layout.domain_column is None else layout.names[layout.domain_column],
        rows=int((~rows.empty).sum()),
        rows_invalid=int(rows.invalid.sum()),
        rows_blank=int(((rows.key_index == merge.NO_KEY_INDEX) & ~rows.invalid & ~rows.empty & ~rows.beyond).sum()),
        unique_codes=len(reading.keys),
        codes_by_type={code_type.value: types[code_type] for code_type in CodeType},
        problems=_problems(reading, np.flatnonzero(rows.invalid).tolist()),
        repairs=_problems(reading, [row for row in rows.notes if not rows.invalid[row]]),
        hints=layout.hints,
    )


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
    for (code_type, domain), codes in all_codes.items():
        known, tokens = codes - unknown_codes[code_type, domain], wanted_codes[code_type, domain]
        groups.append(report.Group(code_type, domain, codes, known, tokens, -(-tokens // MAX_CHUNK)))
    return groups


def _problems(reading: Reading, rows: Iterable[int]) -> list[report.Problem]:
    """Group the notes of rows by kind, each with the numbers of the first rows that have it."""
    kinds: dict[str, list[int]] = {}
    for row in sorted(rows):
        kind = next(iter(report.group_problems([reading.rows.notes[row]])))
        kinds.setdefault(kind, []).append(int(reading.row_numbers[row]))
    ranked = sorted(kinds.items(), key=lambda pair: -len(pair[1]))
    return [report.Problem(text, len(numbers), numbers[:_EXAMPLES]) for text, numbers in ranked]
