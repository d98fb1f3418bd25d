"""The resume file: checkpoint, cache and history at once, keyed by (type, domain, code).

`NAME.parquet` is the file; beside it stand `NAME.journal` while a run has replies not yet folded in, and `NAME.lock`.
A reply is in the journal, and so on disk, before it counts; folding goes on beside the lookups. Knows nothing of
sheets, requests or columns.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from enricher.errors import OutputError, StoreError
from enricher.store import answers, lock, replay
from enricher.store.chosen import Chosen
from enricher.store.facts import Facts, facts_of
from enricher.store.file import File, discard, partial_of, place
from enricher.store.fold import Fold
from enricher.store.format import FORMAT
from enricher.store.journal import Journal
from enricher.store.migration import keep_copy
from enricher.store.outputs import Outputs
from enricher.store.pair import check_files, check_pair
from enricher.store.replay import MOST_KEPT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from enricher.keys import KeyArray
    from enricher.model import Answer, Products
    from enricher.store.chosen import Part

_FOLD_LEAST = 20_000
_BYTES_OF_ANSWER = 2_560  # in the journal and then, packed, in the parquet file, at once
_BYTES_SET_ASIDE = 2 * 2**20  # by a journal, for what comes: after a fold a new one stands beside it for a moment


class Store:
    """A resume file, open. Use as a context manager; leaving it well folds the journal into the parquet file.

    Raises StoreLockedError when another run holds it, StoreError when it is damaged or another service's.
    `read_only` takes no lock and writes nothing, and takes any service's where `host` is None. `migrated` is where an
    older format's file was kept as a copy.
    """

    def __init__(self, path: Path, host: str | None = None, *, read_only: bool = False) -> None:
        self.path = path = path.resolve()  # through a link: many folders may share one file, and its lock
        self.migrated: Path | None = None
        self._journal: Journal | None = None
        self._replay: BinaryIO | None = None
        self._recent = answers.Noted()
        self._file: File | None = None
        self._fold: Fold | None = None
        self._may_fold = True
        self._held: answers.Answers | None = None
        self._journal_path = path.with_suffix(".journal")
        check_files(path, self._journal_path)
        with ExitStack() as stack:
            if not read_only:
                stack.callback(lock.acquire(path.with_suffix(".lock"), path.name).release)
            stack.callback(self._close_file)
            self._read(host, stack, is_locked=not read_only)
            if not read_only:
                self._begin_writing(stack)
            self._open = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._open:
            # After an error the journal stays as it is: it holds everything, and the next run reads it.
            if self._journal is not None and (kind is None or self._journal.is_empty):
                self.fold()
                self._close_replay()
                self._journal.remove()
            self._cancel_fold()

    @property
    def dropped_torn_line(self) -> bool:
        """Whether the last run stopped in the middle of writing a reply, which was then dropped."""
        return self._contents.torn

    def put(self, new: Sequence[Answer]) -> None:
        """Keep answers; they are on disk when this returns. Raises OutputError when they can't be."""
        journal = self._writable()
        end = journal.end
        try:
            journal.append(new)
        finally:
            if journal.end > end:
                self._recent.extend(answers.noted(new))
                self._held = None
        if self._fold is None and self._may_fold and len(self._recent) >= max(_FOLD_LEAST, len(self._file or ())):
            self._fold = self._begin_fold()
        elif self._fold is not None and self._fold.is_done:
            self._finish_fold(self._fold)

    def fold(self) -> None:
        """Move what is in the journal into the parquet file. Raises OutputError when it can't be written."""
        journal = self._writable()
        if self._fold is not None:
            self._finish_fold(self._fold)
        if not journal.is_empty:
            self._finish_fold(self._begin_fold())

    def remember_output(self, path: Path, digest: str) -> None:
        """Note the SHA-256 of an output about to be put in place, so that the next run knows it as its own."""
        if self.outputs.digests(path)[-1:] != [digest]:
            name = self.outputs.name(path)
            journal = self._writable()
            end = journal.end
            try:
                journal.note_output(name, digest)
            finally:
                if journal.end > end:
                    self.outputs.remember(name, digest)

    def wrote(self, path: Path, digest: str) -> bool:
        """Whether the file at `path` with this SHA-256 is as a run with this resume file left it."""
        return digest in self.outputs.digests(path)

    def known(self, keys: KeyArray) -> answers.Known:
        """Return what the newest answer to each key says; same order."""
        return self.held.known(keys)

    def latest(self, keys: KeyArray) -> tuple[Products, npt.NDArray[np.int32]]:
        """Return the rows of the newest answer to each of `keys`, and for every row the key's position in `keys`.

        No key is in `keys` twice. The rows are to be read before anything is put or folded; where the journal holds
        many, they are folded first.
        """
        if self._journal is not None and len(self._recent) > MOST_KEPT:
            self.fold()
        held = self.held
        position = np.full(len(held), -1, np.int64)
        position[held.newest] = pd.Index(keys).get_indexer(pd.Index(held.keys[held.newest]))
        of_row = np.repeat(position, held.rows)
        chosen = of_row >= 0
        return Chosen(self.parts(), chosen), of_row[chosen].astype(np.int32)

    def everything(self, *, history: bool) -> Products:
        """Return the rows of each key's newest answer, or of every answer ever, in the order in which they came."""
        held = self.held
        chosen = held.distinct
        if not history:
            chosen = np.zeros(len(held), np.bool_)
            chosen[held.newest] = True
        return Chosen(self.parts(), held.of_rows(chosen))

    @property
    def held(self) -> answers.Answers:
        """Every answer of both files, in order; one may be in both."""
        if self._held is None:
            self._held = answers.joined([self._filed, self._recent.arrays()])
        return self._held

    @property
    def host(self) -> str:
        """The service whose answers these are; empty where there are none yet, and none was named."""
        return self._host or ""

    def facts(self) -> Facts:
        """Return what it holds, in figures."""
        size_bytes = self._size_bytes + (self._journal or self._contents).end
        return facts_of(self.held, self.host, self._format, len(self._recent), size_bytes, len(self.outputs))

    def parts(self) -> list[Part]:
        """Return the rows of both files, in the order of `held`. To be read before anything is put or folded."""
        parts: list[Part] = [] if self._file is None else [self._file]
        journal = self._journal or self._contents
        if self._journal is not None:
            self._replay = self._replay or replay.opened(self._journal.path)
        if self._replay is not None:
            count = sum(max(1, items) for items in self._recent.items)
            rows = replay.Rows(self._replay, journal.start, journal.end, count)
            parts.append(rows.keep() if count <= MOST_KEPT else rows)
        return parts

    def room_needed(self, codes: int) -> int:
        """Return how many bytes so many more answers may take on the disk, with the fold, which needs a second file."""
        journals = 1 if self._journal else 2
        return self._size_bytes + codes * _BYTES_OF_ANSWER + journals * _BYTES_SET_ASIDE

    @property
    def _size_bytes(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def _read(self, host: str | None, stack: ExitStack, *, is_locked: bool) -> None:
        """Read what is there: the journal first, so that what a run folds meanwhile is seen twice, and not never."""
        self._contents = replay.Contents()
        self._replay = replay.opened(self._journal_path)
        stack.callback(self._close_replay)
        if self._replay is not None:
            self._contents = replay.read(self._journal_path, self._replay, host, is_growing=not is_locked)
        if self.path.exists():
            self._file = File(self.path, host)
        filed = answers.Answers.none() if self._file is None else self._file.answers()
        check_pair(self.path, self._file, filed, self._contents)
        self._filed, self._recent = filed, self._contents.noted
        self._host = host or (self._contents.host if self._file is None else self._file.host) or None
        self.outputs = Outputs(self.path.parent, {} if self._file is None else self._file.outputs)
        for name, digest in self._contents.outputs:
            self.outputs.remember(name, digest)
        self._format = min(FORMAT if self._file is None else self._file.format, self._contents.format)

    def _begin_writing(self, stack: ExitStack) -> None:
        if self._host is None:
            raise ValueError("a resume file is written for some service")
        for path in (self.path, self._journal_path):
            discard(partial_of(path))  # of a run that was killed
        if self._format < FORMAT:
            self._migrate()
        contents = None if self._replay is None else self._contents
        self._journal = Journal(self._journal_path, self._host, contents, len(self._filed))
        stack.callback(self._journal.close)
        stack.callback(self._cancel_fold)

    def _migrate(self) -> None:
        """Bring files of an older format up to date, which are kept as copies; they are only read until they go."""
        if self._replay is not None and self._contents.format < FORMAT:
            self.migrated = keep_copy(self._journal_path, self._contents.format)
        if self._file is not None and self._file.format < FORMAT:
            self.migrated = keep_copy(self.path, self._file.format)
        self._place(self._begin_fold())
        self._close_replay()  # its journal is now one that begins anew
        self._recent, self._format = answers.Noted(), FORMAT

    def _writable(self) -> Journal:
        if self._journal is None:
            raise StoreError(f"{self.path.name} was opened for reading only")
        return self._journal

    def _begin_fold(self) -> Fold:
        journal = self._journal or self._contents
        return Fold(
            self.path,
            host=self.host,
            outputs=self.outputs.to_json(),
            held=self.held,
            count=len(self._recent),
            journal=self._journal_path,
            start=journal.start,
            end=journal.end,
        )

    def _finish_fold(self, fold: Fold) -> None:
        """Let the new parquet file take the name, and the journal begin anew. Raises OutputError."""
        self._fold = None
        self._may_fold = False  # where this fails, the next run may do better
        self._place(fold)
        self._close_replay()  # Windows replaces no file that is open
        journal = self._writable()
        begun = journal.begun
        try:
            journal.forget(fold.end, len(self._filed))
        finally:
            if journal.begun != begun:
                self._recent, self._held = self._recent.without(fold.count), None
        journal.make_room()
        self._may_fold = True

    def _place(self, fold: Fold) -> None:
        try:
            fold.finish()
            self._close_file()
            place(partial_of(self.path), self.path)
        except (OSError, StoreError, ValueError, MemoryError) as error:
            reason = getattr(error, "strerror", None) or error
            if self._file is None and self.path.exists():  # the old one, or a new one that is not known to last
                self._file = File(self.path, self._host, is_sound=True)
                self._filed, self._held = self._file.answers(), None
            raise OutputError(
                f"{self.path}: can't be written ({reason}). What was paid for is kept in "
                f"{self._journal_path.name}: see to the disk, then run again"
            ) from None
        finally:
            fold.cancel()  # where something else ended the waiting
        self._file = File(self.path, self._host, is_sound=True)
        self._filed, self._held = fold.held.take(fold.held.distinct), None

    def _cancel_fold(self) -> None:
        if self._fold is not None:
            self._fold.cancel()
            self._fold = None

    def _close_replay(self) -> None:
        if self._replay is not None:
            self._replay.close()
            self._replay = None

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
