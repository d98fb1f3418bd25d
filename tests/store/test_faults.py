"""The disk fails at every call, once and for good; and the process ends before every call. No paid reply is lost."""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import os
import pickle
import shutil
from typing import TYPE_CHECKING, Any, Self

import pytest

from enricher.errors import EnricherError
from enricher.store import Store
from tests.bench import store_answers as made
from tests.store.test_migration import old_journal, write_old_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HOST = "localhost"
NAME = "s.parquet"
CHUNKS = [chunk[:3] for chunk in made.chunks(50)]
KEYS = [made.make_keys([int(at) for at in range(start, start + 3)]) for start in range(0, 50, 10)]
"""Of each chunk."""
DIGESTS = ["1" * 64, "2" * 64]


@pytest.fixture(autouse=True)
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set less room aside in the journal: it takes time to copy, and is made more often."""
    monkeypatch.setattr("enricher.store.journal._ROOM_BYTES", 4_096)
    monkeypatch.setattr("enricher.store.journal._ROOM_STEP_BYTES", 16_384)


class Faults:
    """Counts the calls that change or open a file of the store, and does something in the place of some.

    The calls: open, fsync, replace, unlink, truncate, posix_fallocate, and write, whether of `os` or of a file object.
    """

    def __init__(self, act: Callable[[int, str], None]) -> None:
        self.calls: list[str] = []
        self._act = act
        self._is_acting = False

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("fsync", "replace", "unlink", "ftruncate", "posix_fallocate", "write", "pwrite"):
                if hasattr(os, name):
                    patch.setattr(os, name, self._watched(name, getattr(os, name)))
            opened = self._opened(io.open)
            patch.setattr(io, "open", opened)
            patch.setattr(builtins, "open", opened)
            yield

    def step(self, name: str) -> None:
        if self._is_acting:
            return
        self.calls.append(name)
        self._is_acting = True
        try:
            self._act(len(self.calls) - 1, name)
        finally:
            self._is_acting = False

    def _watched(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*how: Any, **more: Any) -> Any:
            self.step(name)
            return call(*how, **more)

        return step

    def _opened(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(path: Any, mode: str = "r", *how: Any, **more: Any) -> Any:
            if not str(path).rpartition("/")[2].lstrip(".").startswith("s."):
                return call(path, mode, *how, **more)
            self.step("open")
            file = call(path, mode, *how, **more)
            return file if mode in {"r", "rb"} else WatchedFile(file, self)

        return step


class WatchedFile:
    """A file whose writing is counted."""

    def __init__(self, file: Any, faults: Faults) -> None:
        self._file = file
        self._faults = faults

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        if name in {"write", "truncate", "flush"}:
            self._faults.step(name)
        return getattr(self._file, name)


def live(folder: Path, outcome: list[str]) -> None:
    """Go through two lives, the first of which ends with an error: what is begun and what is done is told.

    After a failure a life goes on: replies that are under way by then are put, too.
    """
    with contextlib.suppress(KeyboardInterrupt), undamaged(), Store(folder / NAME, HOST) as store:
        put(store, 0, outcome)
        note(store, 0, outcome)
        put(store, 1, outcome)
        with undamaged():
            store.fold()
        put(store, 2, outcome)
        note(store, 1, outcome)
        raise KeyboardInterrupt
    with undamaged(), Store(folder / NAME, HOST) as store:
        put(store, 3, outcome)
        put(store, 4, outcome)


@contextlib.contextmanager
def undamaged() -> Iterator[None]:
    """Let a step fail, but for damage and for other errors than those that tell the user what to do."""
    try:
        yield
    except EnricherError as told:
        assert "damaged" not in str(told)  # noqa: PT017 - it may well go on


def put(store: Store, at: int, outcome: list[str]) -> None:
    outcome.append(f"begins {at}")
    with undamaged():
        store.put(CHUNKS[at])
        outcome.append(f"put {at}")


def note(store: Store, at: int, outcome: list[str]) -> None:
    with undamaged():
        store.remember_output(store.path.with_name("out.csv"), DIGESTS[at])
        outcome.append(f"output {at}")


def check(folder: Path, outcome: list[str]) -> None:
    """Reopen without faults: all that was told to be kept is there, and what was begun is there or is not."""
    with Store(folder / NAME, HOST) as store:
        for at, keys in enumerate(KEYS):
            products, key_at = store.latest(keys)
            items = made.items_by_key(products, key_at, len(keys))
            are_there = items == [[*one.items] for one in CHUNKS[at]]
            assert are_there or items == [None] * len(keys), "neither all of a commit nor none"
            assert are_there or f"put {at}" not in outcome, f"{CHUNKS[at][0].key} is lost"
            assert not are_there or f"begins {at}" in outcome
        for at, digest in enumerate(DIGESTS):
            assert store.wrote(folder / "out.csv", digest) or f"output {at}" not in outcome
        store.put(CHUNKS[0])
    assert {file.name for file in folder.iterdir()} == {NAME, "s.lock"}
    with Store(folder / NAME, HOST, read_only=True) as store:
        assert (made.fetched_ms(store, KEYS[0]) >= 0).all()


def calls_of_a_life(folder: Path) -> list[str]:
    faults = Faults(lambda _, __: None)
    with faults():
        live(folder, [])
    return faults.calls


def chosen_calls(calls: list[str]) -> list[int]:
    """Leave out all but the first of several of a kind in a row."""
    return [at for at, name in enumerate(calls) if at == 0 or calls[at - 1] != name]


def test_two_lives_without_faults_make_every_kind_of_call(tmp_path: Path) -> None:
    assert {"fsync", "replace", "unlink", "open", "write", "truncate"} <= set(calls_of_a_life(tmp_path))
    check(tmp_path, [f"{word} {at}" for at in range(len(CHUNKS)) for word in ("begins", "put")])


@pytest.mark.parametrize(
    ("error", "is_for_good", "some"),
    [
        pytest.param(errno.EIO, False, slice(0, None, 3), id="EIO, once, some"),
        pytest.param(errno.ENOSPC, True, slice(1, None, 5), id="ENOSPC, for good, some"),
        pytest.param(errno.EIO, False, None, id="EIO, once", marks=pytest.mark.long),
        pytest.param(errno.EIO, True, None, id="EIO, for good", marks=pytest.mark.long),
        pytest.param(errno.ENOSPC, False, None, id="ENOSPC, once", marks=pytest.mark.long),
        pytest.param(errno.ENOSPC, True, None, id="ENOSPC, for good", marks=pytest.mark.long),
    ],
)
def test_no_reply_that_was_kept_is_lost_whichever_call_fails(
    tmp_path: Path, error: int, *, is_for_good: bool, some: slice | None
) -> None:
    (tmp_path / "whole").mkdir()
    calls = calls_of_a_life(tmp_path / "whole")
    for failing in range(len(calls)) if some is None else chosen_calls(calls)[some]:
        folder = tmp_path / str(failing)
        folder.mkdir()

        def fail(at: int, name: str, failing: int = failing) -> None:
            # A file system that is full or broken still closes and deletes files, mostly.
            if at == failing or (is_for_good and at > failing and name not in {"unlink", "truncate"}):
                raise OSError(error, os.strerror(error))

        faults, outcome = Faults(fail), list[str]()
        with faults():
            live(folder, outcome)
        check(folder, outcome)
        shutil.rmtree(folder)


def test_a_process_that_ends_before_any_call_loses_no_reply_that_was_kept(tmp_path: Path) -> None:
    outcome: list[str] = []
    moments = Moments(tmp_path, outcome)
    with Faults(moments.take)():
        live(moments.folder, outcome)
    for copied, told in moments.each():
        check(copied, told)


def test_a_migration_that_ends_before_any_call_loses_neither_an_answer_nor_the_copies(tmp_path: Path) -> None:
    moments = Moments(tmp_path, [])
    path = moments.folder / NAME
    write_old_file(path, *CHUNKS[0], *CHUNKS[1])
    path.with_suffix(".journal").write_bytes(old_journal(*CHUNKS[1], *CHUNKS[2]))
    old = files_of(moments.folder)
    with Faults(moments.take)():
        migrate(moments.folder, old)
    for copied, _ in moments.each():
        migrate(copied, old)


def migrate(folder: Path, old: dict[str, bytes]) -> None:
    with Store(folder / NAME, HOST) as store:
        assert all((made.fetched_ms(store, keys) >= 0).all() for keys in KEYS[:3])
        assert not (made.fetched_ms(store, KEYS[3]) >= 0).any()
    copies = [(name.rpartition(".")[2], data) for name, data in files_of(folder).items() if "format-1" in name]
    assert all((name.rpartition(".")[2], data) in copies for name, data in old.items())


class Moments:
    """What a folder held before each call, and what had been told by then: what a kill would leave."""

    def __init__(self, root: Path, outcome: list[str]) -> None:
        self.folder = root / "alive"
        self.folder.mkdir()
        self._root = root
        self._outcome = outcome
        self._seen: dict[bytes, tuple[dict[str, bytes], list[str]]] = {}

    def take(self, _at: int, _name: str) -> None:
        files = files_of(self.folder)
        # What is in a file that never took its name is all the same.
        same = sorted((name, b"" if name.endswith(".partial") else data) for name, data in files.items())
        # Of moments with the same files the last counts: more had been told by then.
        self._seen[pickle.dumps(same)] = files, [*self._outcome]

    def each(self) -> Iterator[tuple[Path, list[str]]]:
        for at, (files, told) in enumerate(self._seen.values()):
            copied = self._root / str(at)
            copied.mkdir()
            for name, data in files.items():
                (copied / name).write_bytes(data)
            yield copied, told


def files_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.suffix != ".lock"}
