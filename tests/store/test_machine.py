"""Whatever is done to a store, in any order, it says what a plain dict says."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from enricher.keys import pack
from enricher.model import FIELDS, Answer, CodeType, Domain, Item, Key
from enricher.store import Store
from tests.bench import store_answers as made

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "localhost"
NAME, JOURNAL = "s.parquet", "s.journal"
START = datetime(2026, 3, 1, tzinfo=UTC)
FOLD_AT = 12
KEYS = [
    *(
        Key(CodeType.UPC, domain, code)
        for domain in (Domain.COM, Domain.MX)
        for code in ("012345678905", "793610399007")
    ),
    *(Key(CodeType.EAN, Domain.DE, code) for code in ("4006381333931", "73513537", "9780306406157")),
    *(Key(CodeType.ASIN, Domain.UK, code) for code in ("B088H39PXX", "0306406152", "B00NNUMI86")),
]
PACKED = np.array([pack(key) for key in KEYS], np.uint64)
NAMES = sorted({name for field in FIELDS.values() for name in field.path})

NUMBERS = st.integers(-3, 2**70) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.none() | st.booleans() | NUMBERS | st.text(max_size=8)
OBJECTS = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), PLAIN, max_size=3)
VALUES = PLAIN | st.lists(PLAIN, max_size=3) | OBJECTS
ITEMS = st.dictionaries(st.sampled_from([*NAMES, "new"]), VALUES, max_size=4)
ANSWERS = st.lists(
    st.builds(
        lambda key, at, items: Answer(key, tuple(items), START + timedelta(milliseconds=at * 40_000_001)),
        st.sampled_from(KEYS),
        st.integers(0, 9),
        st.lists(ITEMS, max_size=3),
    ),
    min_size=1,
    max_size=12,
)
OUTPUTS = st.sampled_from(["a.csv", "b.xlsx"])
DIGESTS = st.sampled_from(["0" * 64, "1" * 64, "2" * 64])


class StoreMachine(RuleBasedStateMachine):
    """A store, and what it should say: the items of every answer by key and time; the digests of every output."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="enricher-machine-"))
        self.lives = 0
        self.answers: dict[tuple[Key, int], list[Item]] = {}
        self.outputs: dict[str, list[str]] = {}

    def teardown(self) -> None:
        self.leave()
        shutil.rmtree(self.root)

    @initialize()
    def open(self) -> None:
        self.folder = self.root / "0"
        self.folder.mkdir()
        self.store = Store(self.folder / NAME, HOST)

    def leave(self) -> None:
        """Close as after an error."""
        self.store.__exit__(KeyboardInterrupt, None, None)

    def reopen(self, folder: Path | None = None) -> None:
        self.folder = folder or self.folder
        self.store = Store(self.folder / NAME, HOST)

    def copied(self) -> Path:
        """Copy the folder as it is now: what a kill would leave."""
        self.lives += 1
        folder = self.root / str(self.lives)
        folder.mkdir()
        for file in self.folder.iterdir():
            if file.suffix != ".lock":
                shutil.copyfile(file, folder / file.name)
        return folder

    def remember(self, answers: list[Answer]) -> None:
        for one in answers:
            items = [made.without_nulls(item) for item in one.items]
            self.answers[one.key, round(one.fetched_at.timestamp() * 1000)] = items

    # --- what may happen ------------------------------------------------------------------------------------------

    @rule(answers=ANSWERS)
    def put(self, answers: list[Answer]) -> None:
        self.store.put(answers)
        self.remember(answers)

    @rule(name=OUTPUTS, digest=DIGESTS)
    def remember_output(self, name: str, digest: str) -> None:
        self.store.remember_output(self.folder / name, digest)
        digests = self.outputs.setdefault(name, [])
        if digests[-1:] != [digest]:
            digests.append(digest)

    @rule()
    def fold(self) -> None:
        self.store.fold()

    @rule()
    def close_and_reopen(self) -> None:
        self.store.__exit__(None, None, None)
        assert {file.name for file in self.folder.iterdir()} <= {NAME, "s.lock"}
        self.reopen()
        assert not self.store.dropped_torn_line

    @rule()
    def stop_and_reopen(self) -> None:
        self.leave()
        self.reopen()
        assert not self.store.dropped_torn_line

    @rule()
    def crash(self) -> None:
        folder = self.copied()
        self.leave()
        self.reopen(folder)
        assert not self.store.dropped_torn_line

    @rule(answers=ANSWERS, share=st.floats(0, 0.999))
    def crash_in_a_commit(self, answers: list[Answer], share: float) -> None:
        before = self.journal(self.folder)
        self.store.put(answers)
        folder = self.copied()
        after = self.journal(folder)
        is_torn = after.startswith(before) and after != before  # else a fold has begun a new journal meanwhile
        if is_torn:
            kept = len(before) + round((len(after) - len(before) - 2) * share)
            (folder / JOURNAL).write_bytes(after[:kept] + bytes(len(after) - kept + 100))
            (folder / f".{NAME}.partial").unlink(missing_ok=True)  # a fold that begins after the commit
            is_torn = kept > len(before)
        else:
            self.remember(answers)
        self.leave()
        self.reopen(folder)
        assert self.store.dropped_torn_line == is_torn

    @rule(step=st.integers(0, 12))
    def crash_in_a_fold(self, step: int) -> None:
        """Stop before one of the calls that make a fold last."""
        copies: list[Path] = []
        with before_each_step(lambda at: copies.append(self.copied()) if at == step else None):
            self.store.fold()
        self.leave()
        self.reopen(*copies)

    # --- what must hold -------------------------------------------------------------------------------------------

    @invariant()
    def it_says_what_the_dict_says(self) -> None:
        self.compare(self.store)

    @rule(is_told_the_host=st.booleans())
    def a_reader_beside_the_writer_says_the_same(self, is_told_the_host: bool) -> None:  # noqa: FBT001 - drawn
        before = self.journal(self.folder)
        with Store(self.folder / NAME, HOST if is_told_the_host else None, read_only=True) as reader:
            self.compare(reader)
        assert self.journal(self.folder) == before

    @rule(at=st.integers(0, 10))
    def keys_expire(self, at: int) -> None:
        limit_ms = round((START + timedelta(milliseconds=at * 40_000_001)).timestamp() * 1000)
        newest = dict(sorted(self.answers, key=itemgetter(1)))
        fresh = made.fetched_ms(self.store, PACKED) >= limit_ms
        assert fresh.tolist() == [newest.get(key, -1) >= limit_ms for key in KEYS]

    def compare(self, store: Store) -> None:
        newest = dict(sorted(self.answers, key=itemgetter(1)))
        known = store.known(PACKED)
        assert known.fetched_ms.tolist() == [newest.get(key, -1) for key in KEYS]
        right = [self.answers[key, newest[key]] if key in newest else None for key in KEYS]
        assert known.found.tolist() == [bool(items) for items in right]
        assert known.not_found.tolist() == [items == [] for items in right]
        products, key_at = store.latest(PACKED)
        assert told(made.items_by_key(products, key_at, len(KEYS))) == told(right)
        assert told(made.history_of(store.everything(history=True))) == told(self.answers)
        newest_answers = {answer: items for answer, items in self.answers.items() if newest[answer[0]] == answer[1]}
        assert told(made.history_of(store.everything(history=False))) == told(newest_answers)
        for name, digests in self.outputs.items():
            assert all(store.wrote(self.folder / name, digest) for digest in digests[-2:])

    @staticmethod
    def journal(folder: Path) -> bytes:
        path = folder / JOURNAL
        return path.read_bytes().rstrip(b"\0") if path.exists() else b""


def told(said: Any) -> Any:
    """Tell true from 1, which Python takes for the same."""
    if isinstance(said, dict):
        return {name: told(value) for name, value in said.items()}
    if isinstance(said, list):
        return [told(value) for value in said]
    return json.dumps(said) if isinstance(said, bool) else said


@contextmanager
def before_each_step(watch: Any) -> Iterator[None]:
    """Have `watch` called with 0, 1, 2 ... before each call that makes something last."""
    steps = iter(range(10**9))

    def watched(call: Any) -> Any:
        def step(*how: Any, **more: Any) -> Any:
            watch(next(steps))
            return call(*how, **more)

        return step

    with pytest.MonkeyPatch.context() as patch:
        for name in ("fsync", "replace", "unlink"):
            patch.setattr(os, name, watched(getattr(os, name)))
        yield


@pytest.mark.parametrize("examples", [12, pytest.param(1_500, marks=pytest.mark.long)])
def test_it_says_what_a_dict_says_after_anything(monkeypatch: pytest.MonkeyPatch, examples: int) -> None:
    monkeypatch.setattr("enricher.store.store._FOLD_LEAST", FOLD_AT)
    monkeypatch.setattr("enricher.store.journal._ROOM_BYTES", 4_096)  # less to copy, and more often
    monkeypatch.setattr("enricher.store.journal._ROOM_STEP_BYTES", 16_384)
    how = settings(max_examples=examples, stateful_step_count=20, deadline=None, suppress_health_check=[*HealthCheck])
    run_state_machine_as_test(StoreMachine, settings=how)
