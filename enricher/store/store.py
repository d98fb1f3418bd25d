"""The resume file: checkpoint, cache and history at once, keyed by (type, domain, code).

`NAME.parquet` is the file; beside it stand `NAME.journal` while a run has replies not yet folded in, and `NAME.lock`.
A reply is in the journal, and so on disk, before it counts. Knows nothing of sheets, requests or columns.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Self

import filelock
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from enricher.errors import OutputError, StoreError, StoreLockedError
from enricher.store import table as tables
from enricher.store.journal import Journal, read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from enricher.keys import KeyArray
    from enricher.model import Answer

_FOLD_LEAST = 20_000
_MOST_REMEMBERED = 2
"""Digests kept for each output: the one being written and the one before, whichever a crash leaves in place."""


class Store:
    """A resume file, open. Use as a context manager; leaving it well folds the journal into the parquet file.

    Raises StoreLockedError when another run holds it, StoreError when it is damaged or another service's.
    `read_only` takes no lock and writes nothing.
    """

    def __init__(self, path: Path, host: str, *, read_only: bool = False) -> None:
        self.path = path = path.resolve()  # through a link: many folders may share one file, and its lock
        self._host = host
        self._journal: Journal | None = None
        self._lock: filelock.FileLock | None = None
        journal_path = path.with_suffix(".journal")
        if not read_only:
            self._acquire(path.with_suffix(".lock"))
        try:
            self._table, self._outputs = tables.read(path, host) if path.exists() else (tables.SCHEMA.empty_table(), {})
            if read_only:
                self._recent = read(journal_path, host)[0]
            else:
                self._journal = Journal(journal_path, host)
                self._recent = self._journal.answers
        except BaseException:
            self._release()
            raise
        self._newest_cache: _Newest | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            # After an error the journal stays as it is: it holds everything, and the next run reads it.
            if self._journal is not None and (kind is None or self._journal.is_empty):
                self.fold()
                self._journal.remove()
        finally:
            self._release()

    @property
    def dropped_torn_line(self) -> bool:
        """Whether the last run stopped in the middle of writing a reply, which was then dropped."""
        return self._journal is not None and self._journal.torn

    def put(self, answers: Sequence[Answer]) -> None:
        """Keep answers; they are on disk when this returns. Raises OutputError when they can't be."""
        if self._journal is None:
            raise StoreError(f"{self.path.name} was opened for reading only")
        self._journal.append(answers)
        self._recent.extend(answers)
        self._newest_cache = None
        if len(self._recent) >= max(_FOLD_LEAST, len(self._table)):
            self.fold()

    def fold(self) -> None:
        """Move the journal's answers into the parquet file. Raises OutputError when it can't be written."""
        if self._journal is None or not self._recent:
            return
        self._rewrite()
        self._journal.clear()

    def remember_output(self, path: Path, digest: str) -> None:
        """Note the SHA-256 of an output about to be put in place, so that the next run knows it as its own."""
        name = self._name(path)
        known = self._outputs.get(name, [])
        if known[-1:] != [digest]:
            self._outputs[name] = [*known, digest][-_MOST_REMEMBERED:]
            self._rewrite()

    def wrote(self, path: Path, digest: str) -> bool:
        """Whether the file at `path` with this SHA-256 is as a run with this resume file left it."""
        return digest in self._outputs.get(self._name(path), [])

    def fetched_ms(self, keys: KeyArray) -> npt.NDArray[np.int64]:
        """Return when each key's newest answer came, in milliseconds since 1970 UTC; -1 where there is none."""
        newest = self._newest()
        at = newest.index.get_indexer(pd.Index(keys))
        return np.where(at >= 0, newest.fetched_ms[at], -1) if len(newest.index) else np.full(len(keys), -1)

    def latest(self, keys: KeyArray) -> tuple[pa.Table, npt.NDArray[np.int32]]:
        """Return the rows of the newest answer to each of `keys`, and for every row the key's position in `keys`."""
        newest = self._newest()
        at = pd.Index(keys).get_indexer(pd.Index(newest.row_keys))
        rows = np.flatnonzero((at >= 0) & newest.is_newest)
        return newest.table.take(pa.array(rows)), at[rows].astype(np.int32)

    def _name(self, output: Path) -> str:
        """Name an output by its place relative to this file: a folder that is moved takes both along."""
        return os.path.relpath(output, self.path.parent)

    def _rewrite(self) -> None:
        table = self._all()
        try:
            tables.write(self.path, table, self._host, self._outputs)
        except OSError as error:
            raise OutputError(
                f"{self.path}: can't be written ({error.strerror}). What was paid for is kept in "
                f"{self.path.with_suffix('.journal').name}: make room, then run again"
            ) from None
        self._table, self._recent = table, []

    def _all(self) -> pa.Table:
        if not self._recent:
            return self._table
        table = pa.concat_tables([self._table, tables.to_table(self._recent)]).combine_chunks()
        # A machine that stops between a fold and the emptying of the journal leaves an answer in both.
        identity = pd.DataFrame({"key": tables.keys_of(table), "ms": tables.fetched_ms(table), "item": table["item"]})
        twice = identity.duplicated().to_numpy()
        return table.filter(pa.array(~twice)) if twice.any() else table

    def _newest(self) -> _Newest:
        if self._newest_cache is None:
            self._newest_cache = _Newest(self._all())
        return self._newest_cache

    def _acquire(self, path: Path) -> None:
        if not path.parent.is_dir():  # filelock would make it
            raise OutputError(f"{path.parent}: there is no such folder for the resume file")
        try:
            self._lock = filelock.FileLock(path, timeout=0)
            self._lock.acquire()
        except filelock.Timeout:
            raise StoreLockedError(
                f"{self.path.name} is in use by another run ({_holder(path) or 'process unknown'}). "
                "Wait for it to end, or give this run a resume file of its own: --store FILE"
            ) from None
        except OSError as error:
            raise OutputError(f"{self.path.parent}: no resume file can be made there ({error.strerror})") from None
        if not path.stat().st_size or _holder(path) is not None:  # not into a file of the user's own
            path.write_text(json.dumps({"pid": os.getpid()}), encoding="ascii")

    def _release(self) -> None:
        if self._journal is not None:
            self._journal.close()
        if self._lock is not None:
            self._lock.release()


def _holder(path: Path) -> str | None:
    """Read from a lock file who holds it; None where it doesn't say."""
    try:
        return f"process {json.loads(path.read_text(encoding='ascii'))['pid']}"
    except (OSError, ValueError, KeyError, TypeError):
        return None


class _Newest:
    """Which rows of a table belong to the newest answer to their key."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.row_keys = tables.keys_of(table)
        fetched = pd.Series(tables.fetched_ms(table)).groupby(self.row_keys).transform("max").to_numpy()
        self.is_newest = tables.fetched_ms(table) == fetched
        frame = pd.DataFrame({"key": self.row_keys, "fetched": fetched}).drop_duplicates("key")
        self.index = pd.Index(frame["key"].to_numpy(np.uint64))
        self.fetched_ms: npt.NDArray[np.int64] = frame["fetched"].to_numpy(np.int64)
