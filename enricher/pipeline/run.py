"""The run, as a table of contents: read, ask, merge, write, tell."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from enricher import memory, merge, report, sheets
from enricher.clock import Clock, SystemClock
from enricher.errors import LeftError, OutputError
from enricher.model import RowStatus
from enricher.pipeline import fallback
from enricher.pipeline.asking import Asking
from enricher.pipeline.choosing import choose
from enricher.pipeline.reading import Reading, columns_of, read
from enricher.store import Store, is_resume_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from enricher.cells import Additions
    from enricher.pipeline.task import Observer, Task


def enrich(
    task: Task, observer: Observer, stop: Callable[[], int] = lambda: 0, clock: Clock | None = None
) -> report.Summary:
    """Read the codes, look up what is not known yet, and write the input again with the products beside it.

    `stop` says how often a stop was asked for: once, and the replies under way are taken and the output is written
    with the rest pending; twice, and it is left out. Raises EnricherError; whatever was paid for is in the resume file
    then, too.
    """
    clock = clock or SystemClock()
    start_s = clock.monotonic_s()
    task.check_paths()
    host = task.host  # a wrong address is said before the file is read
    reading = read(task, observer)
    reading.check_marketplaces(task.settings)
    reading.check_output(task)
    memory.release()
    with Store(task.store_path, host) as store, sheets.StagedOutput(task.output_path) as staged:
        _check_free(task, staged.path, store)
        asking = Asking(task, observer, stop, clock)
        asking.ask(reading, store)
        if stop() > 1:
            lost = (
                f"; {asking.maybe_paid:,} codes may have been paid for without an answer" if asking.maybe_paid else ""
            )
            raise LeftError(f"left without writing the output{lost}; what has arrived is kept: run again to go on")
        answers = asking.answers(reading.keys, store)
        rows = choose(reading, answers)
        additions = merge.additions(rows, answers, columns_of(task.settings))
        memory.release()
        observer.writing(len(additions.index))
        warnings = _write(task, reading, additions, staged, observer)
        warnings += _remarks(store)
        _check_free(task, staged.path, store)  # again: it may have been made or changed while the lookups ran
        summary = _summary(asking, reading, rows, answers)
        summary.output = str(_place(task, staged, store, warnings))
    summary.warnings += [*warnings, *reading.layout.hints]
    if asking.reset_s:
        summary.reset_at = (clock.now() + timedelta(seconds=asking.reset_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
    summary.duration_s = clock.monotonic_s() - start_s
    return summary


def _write(
    task: Task, reading: Reading, additions: Additions, staged: sheets.StagedOutput, observer: Observer
) -> list[str]:
    form, header_row = task.form, reading.layout.header_row
    try:
        return sheets.write(reading.source, staged.partial, form, header_row, additions, observer.wrote)
    except OSError as error:
        raise OutputError(
            f"{task.output_path}: can't be written ({error.strerror or error}). What was paid for is kept: run again"
        ) from None


def _place(task: Task, staged: sheets.StagedOutput, store: Store, warnings: list[str]) -> Path:
    """Put the output where it belongs, or beside it where another program holds that file; return its path."""
    digest = sheets.digest(staged.partial)
    store.remember_output(staged.path, digest)

    def may_replace(path: Path) -> bool:
        return not path.exists() or (not path.samefile(task.input) and store.wrote(path, sheets.digest(path)))

    placed = staged.commit(task.input, may_replace)
    if placed == staged.path:
        return task.output_path
    store.remember_output(placed, digest)
    warnings.append(f"{task.output_path} is open in another program and was left as it is; close it and run again")
    return placed


def _check_free(task: Task, path: Path, store: Store) -> None:
    """Refuse to overwrite what is there, unless it is as a run with this resume file left it; a resume file never."""
    if is_resume_file(path):
        raise OutputError(f"{task.output_path} is a resume file, which holds what was paid for: choose another name")
    if not task.force and path.exists() and not store.wrote(path, sheets.digest(path)):
        raise OutputError(
            f"{task.output_path} exists already, and is not as enricher left it. To overwrite it: --force"
        )


def _remarks(store: Store) -> list[str]:
    """Say what became of the resume file when it was opened."""
    remarks = []
    if store.dropped_torn_line:
        remarks.append("the last run stopped while a reply was being written; that one was dropped")
    if store.migrated is not None:
        remarks.append(f"{store.path.name} had an older format; as it was it is kept as {store.migrated.name}")
    return remarks


def _summary(asking: Asking, reading: Reading, rows: merge.Rows, answers: merge.Answers) -> report.Summary:
    task = asking.task
    status = merge.statuses(rows, answers)
    count = {state: int(np.count_nonzero(status[~rows.empty] == at)) for at, state in enumerate(RowStatus)}
    by_fallback = (rows.key_index != reading.candidates[0]) & (status == list(RowStatus).index(RowStatus.FOUND))
    found, not_found = answers.outcomes()
    needed = fallback.reached(reading.candidates, not_found)  # the other keys are spare and were never asked for
    failed = np.zeros_like(needed)
    failed[[*answers.failures]] = True
    problems = {problem.reason.what: problem.rows for problem in reading.found.problems}
    return report.Summary(
        input=str(task.input),
        read_as=reading.source.description,
        code_columns=reading.column_names(),
        output=str(task.output_path),
        store=str(task.store_path),
        service=task.host,
        is_sandbox=task.is_sandbox,
        rows=int(np.count_nonzero(~rows.empty)),
        rows_found=count[RowStatus.FOUND],
        rows_not_found=count[RowStatus.NOT_FOUND],
        rows_invalid=count[RowStatus.INVALID],
        rows_blank=count[RowStatus.BLANK],
        rows_pending=count[RowStatus.PENDING],
        rows_failed=count[RowStatus.FAILED],
        rows_by_fallback=int(by_fallback.sum()),
        unique_codes=int(needed.sum()),
        codes_found=int((needed & found).sum()),
        codes_not_found=int((needed & not_found).sum()),
        codes_pending=int((needed & ~found & ~not_found & ~failed).sum()),
        codes_failed=int(failed.sum()),
        tokens_spent=asking.tokens,
        tokens_saved_by_duplicates=int(reading.has_code.sum()) - len(reading.first_keys),
        tokens_saved_by_resume_file=int((needed & asking.known_before).sum()),
        tokens_saved_by_refusing=count[RowStatus.INVALID],
        tokens_left_today=asking.levels.daily_left if asking.levels else None,
        codes_maybe_paid_twice=asking.maybe_paid,
        strays=asking.strays,
        waited_s=asking.waited_s,
        stop_reason=asking.stopped,
        stopped=asking.stop_message,
        problems=problems | report.group_problems(asking.failures.values()),
    )
