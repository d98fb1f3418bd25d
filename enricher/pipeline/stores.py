"""What can be done with resume files by themselves: look into one, check it, put several together.

Readers take no lock and work while a run holds the file.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from enricher import report, store
from enricher.clock import Clock, SystemClock
from enricher.errors import ConfigError, StoreError
from enricher.model import SANDBOX_HOST

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from enricher.pipeline.task import Observer

_SUFFIX = ".parquet"
_ADVICE = ". Nothing was changed"
"""How the advice to a run begins that can't use its file; to who only looks at it the report says what to do."""


def store_info(path: Path, clock: Clock | None = None) -> report.StoreInfo:
    """Say what a resume file holds. Raises StoreError."""
    now = (clock or SystemClock()).now()
    check_store(path)
    with store.Store(path, read_only=True) as opened:
        facts = opened.facts()
    return report.StoreInfo(
        store=str(path),
        service=facts.host,
        is_sandbox=facts.host == SANDBOX_HOST,
        format=facts.format,
        codes=facts.keys,
        codes_found=facts.found,
        products=facts.products,
        answers=facts.answers,
        answers_in_journal=facts.unfolded,
        outputs=facts.outputs,
        size_bytes=facts.size_bytes,
        oldest_at=_moment(facts.asked_ms.min()) if facts.keys else None,
        newest_at=_moment(facts.asked_ms.max()) if facts.keys else None,
        made_at=now,
        ages=_by_age(facts, now),
        groups=[report.StoredGroup(group.code_type, group.domain, group.keys, group.found) for group in facts.groups],
        used_by=store.held_by(path),
    )


def verify_store(path: Path, observer: Observer) -> report.Verification:
    """Read a resume file from end to end and check all of it. Raises StoreError where there is none."""
    check_store(path)
    rows, done = _rows_promised(path), 0

    def tick(count: int) -> None:
        nonlocal done
        done += count
        observer.reading(done, min(1.0, done / max(1, rows)))

    faults = [fault.partition(_ADVICE)[0] for fault in store.verify(path, tick)]
    if faults:
        return report.Verification(str(path), faults)
    with store.Store(path, read_only=True) as opened:
        facts = opened.facts()
    return report.Verification(str(path), [], facts.answers, facts.keys, facts.products)


def merge_stores(sources: Sequence[Path], target: Path) -> report.Merged:
    """Put the answers of several resume files of one service into a new one.

    Raises StoreError where one can't be used, OutputError where the new one can't be made, ConfigError for names that
    make no sense. The sources are only read.
    """
    if len(sources) < 2:  # noqa: PLR2004 - it takes two to merge
        raise ConfigError("name two or more resume files to merge, and the new one with -o")
    if target.suffix != _SUFFIX:
        raise ConfigError(f"the resume file's name must end in .parquet, not {target.name!r}")
    for source in sources:
        check_store(source)
    answers = store.merge(sources, target)
    with store.Store(target, read_only=True) as opened:
        facts = opened.facts()
    return report.Merged(
        sources=[str(source) for source in sources],
        output=str(target),
        service=facts.host,
        is_sandbox=facts.host == SANDBOX_HOST,
        answers=answers,
        codes=facts.keys,
        codes_found=facts.found,
    )


def check_store(path: Path) -> None:
    """Raise StoreError for what is no resume file by its looks, with the name of the one that may be meant."""
    if path.is_dir():
        raise StoreError(f"{path} is a folder: name the resume file in it")
    is_named_so = path.suffix == _SUFFIX
    if not path.exists():
        if is_named_so and path.with_suffix(".journal").exists():
            return  # of a first run, whose replies are in the journal alone
        raise StoreError(f"{path}: there is no such file")
    if not path.is_file():
        raise StoreError(f"{path} is no file")
    if not is_named_so:
        meant = [path.with_name(f"{path.stem}.resume{_SUFFIX}"), path.with_suffix(_SUFFIX)]
        names = [place.name for place in meant if place.exists()]
        hint = f"; do you mean {names[0]}?" if names else ""
        raise StoreError(f"{path} is no resume file: their names end in {_SUFFIX}{hint}")
    try:
        path.open("rb").close()
    except OSError as error:
        raise StoreError(f"{path}: can't be read ({error.strerror})") from None


def _moment(ms: np.int64) -> datetime:
    return datetime.fromtimestamp(int(ms) / 1000, UTC)


def _by_age(facts: store.Facts, now: datetime) -> dict[str, int]:
    """Count codes by how long ago they were last asked."""
    ages_s = now.timestamp() - facts.asked_ms / 1000
    bounds_s = [age / timedelta(seconds=1) for age in report.AGES.values()]
    counts = np.bincount(np.searchsorted(bounds_s, ages_s, side="right"), minlength=len(bounds_s) + 1)
    return dict(zip([*report.AGES, report.OLDER], counts.tolist(), strict=True))


def _rows_promised(path: Path) -> int:
    """Return how many rows the file says it has, for the progress shown; whether that is true is checked elsewhere."""
    try:
        with pq.ParquetFile(path) as file:
            return int(file.metadata.num_rows)
    except (OSError, ValueError, pa.ArrowException):
        return 0
