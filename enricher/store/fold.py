"""A fold: the new parquet file, written in a thread beside what goes on, from the old one and the journal."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from enricher.store import replay
from enricher.store.chosen import Chosen
from enricher.store.file import File, discard, partial_of, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from enricher.store.answers import Answers
    from enricher.store.chosen import Part


class _CancelledError(Exception):
    """The run ends without it."""


class Fold:
    """What the file at `path` will be, under way: all answers `held` when it began, repetitions left out.

    The last `count` of them are in the journal, from byte `start` to `end`.
    """

    def __init__(  # noqa: PLR0913 - what is written, and where it comes from
        self,
        path: Path,
        *,
        host: str,
        outputs: dict[str, list[str]],
        held: Answers,
        count: int,
        journal: Path,
        start: int,
        end: int,
    ) -> None:
        self.held, self.count, self.end = held, count, end
        self._path, self._partial, self._host = path, partial_of(path), host
        self._outputs = outputs
        self._journal, self._start = journal, start
        self._is_cancelled = threading.Event()
        with_thread = ThreadPoolExecutor(1, "fold")
        self._written = with_thread.submit(self._write)
        with_thread.shutdown(wait=False)

    @property
    def is_done(self) -> bool:
        """Whether it has ended, well or not."""
        return self._written.done()

    def finish(self) -> None:
        """Wait until the new file is on disk. Raises OSError as the disk does, StoreError for damage found."""
        self._written.result()

    def cancel(self) -> None:
        """Give it up; what was written is removed."""
        self._is_cancelled.set()
        wait([self._written])
        discard(self._partial)

    def _write(self) -> None:
        """Write the file. Opens all files anew, as the other thread goes on with its own."""
        with ExitStack() as stack:
            parts: list[Part] = []
            if self._path.exists():
                parts.append(stack.enter_context(closing(File(self._path, self._host, is_sound=True))))
            journal_rows = int(self.held.rows[len(self.held) - self.count :].sum())
            if self.end > self._start:
                file = stack.enter_context(self._journal.open("rb"))
                parts.append(replay.Rows(file, self._start, self.end, journal_rows))
            rows = Chosen(parts, self.held.of_rows(self.held.distinct))
            write(self._partial, self._unless_cancelled(rows.batches()), len(rows), self._host, self._outputs)

    def _unless_cancelled(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if self._is_cancelled.is_set():
                raise _CancelledError
            yield batch
