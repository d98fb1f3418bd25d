"""The resume file: checkpoint, cache and history at once, keyed by (type, domain, code).

`NAME.parquet` is the file; beside it stand `NAME.journal` while a run has replies not yet folded in, and `NAME.lock`.
A reply is in the journal, and so on disk, before it counts. Knows nothing of sheets, requests or columns.
"""

from __future__ import annotations

import json
import os
from itertools import chain
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
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from enricher.keys import KeyArray
    from enricher.model import Answer, Products

_FOLD_LEAST = 20_000
_IDENTITY = ("code_type", "domain", "code", "fetched_at", "item")
"""What tells one row from another."""
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
        self._file: tables.File | None = None
        journal_path = path.with_suffix(".journal")
        if not read_only:
            self._acquire(path.with_suffix(".lock"))
        try:
            self._file = tables.File(path, host) if path.exists() else None
            self._outputs = {} if self._file is None else self._file.outputs
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
        if len(self._recent) >= max(_FOLD_LEAST, 0 if self._file is None else len(self._file)):
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

    def latest(self, keys: KeyArray) -> tuple[Products, npt.NDArray[np.int32]]:
        """Return the rows of the newest answer to each of `keys`, and for every row the key's position in `keys`.

        The rows are to be read before anything is put or folded.
        """
        newest = self._newest()
        at = pd.Index(keys).get_indexer(pd.Index(newest.row_keys))
        chosen = (at >= 0) & newest.is_newest
        return _Chosen(self._file, newest.recent, chosen), at[chosen].astype(np.int32)

    def _name(self, output: Path) -> str:
        """Name an output by its place relative to this file: a folder that is moved takes both along."""
        try:
            return os.path.relpath(output, self.path.parent)
        except ValueError:  # another drive of Windows
            return str(output)

    def _rewrite(self) -> None:
        newest = self._newest()
        try:
            rows = _Chosen(self._file, newest.recent, newest.is_first)
            tables.write(self.path, rows, self._host, self._outputs, self._close_file)
        except OSError as error:
            if self._file is None and self.path.exists():  # closed to be replaced, and then it was not
                self._file = tables.File(self.path, self._host)
            raise OutputError(
                f"{self.path}: can't be written ({error.strerror}). What was paid for is kept in "
                f"{self.path.with_suffix('.journal').name}: make room, then run again"
            ) from None
        self._file, self._recent, self._newest_cache = tables.File(self.path, self._host), [], None

    def _newest(self) -> _Newest:
        if self._newest_cache is None:
            self._newest_cache = _Newest(self._file, tables.to_table(self._recent))
        return self._newest_cache

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

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
        self._close_file()
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
    """Which rows, those of the file and then the recent ones, belong to the newest answer to their key.

    `is_first` leaves out what is there twice: a machine that stops between a fold and the emptying of the journal
    leaves an answer in both.
    """

    def __init__(self, file: tables.File | None, recent: pa.Table) -> None:
        self.recent = recent
        parts = [*([] if file is None else [file.table(_IDENTITY)]), recent.select(_IDENTITY)]
        self.row_keys = np.concatenate([tables.keys_of(part) for part in parts])
        ms = np.concatenate([tables.fetched_ms(part) for part in parts])
        item = np.concatenate([part.column("item").to_numpy() for part in parts])
        rows = pd.DataFrame({"key": self.row_keys, "ms": ms, "item": item})
        self.is_first: npt.NDArray[np.bool_] = ~rows.duplicated().to_numpy()
        self.is_newest = self.is_first & (ms == rows.groupby("key")["ms"].transform("max").to_numpy())
        frame = rows[self.is_newest].drop_duplicates("key")
        self.index = pd.Index(frame["key"].to_numpy(np.uint64))
        self.fetched_ms: npt.NDArray[np.int64] = frame["ms"].to_numpy(np.int64)


class _Chosen:
    """Some of the rows of the file and the recent ones behind them, as Products."""

    def __init__(self, file: tables.File | None, recent: pa.Table, chosen: npt.NDArray[np.bool_]) -> None:
        self._parts: list[Products] = [tables.Kept(recent)] if file is None else [file, tables.Kept(recent)]
        self._chosen = chosen

    def __len__(self) -> int:
        return int(np.count_nonzero(self._chosen))

    def table(self, columns: Sequence[str]) -> pa.Table:
        whole = pa.concat_tables(part.table(columns) for part in self._parts)
        return whole.filter(pa.array(self._chosen)).combine_chunks()

    def batches(self) -> Iterator[pa.RecordBatch]:
        start = 0
        for batch in chain.from_iterable(part.batches() for part in self._parts):
            yield batch.filter(pa.array(self._chosen[start : start + len(batch)]))
            start += len(batch)
