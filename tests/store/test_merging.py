from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import filelock
import pytest

from enricher.errors import OutputError, StoreError, StoreLockedError
from enricher.store import Store, merge, verify
from tests.store.stored import ASIN, EAN, ITEM, NOON, UPC, answer, titles

if TYPE_CHECKING:
    from pathlib import Path

    from enricher.model import Answer

LATER = NOON + timedelta(days=1)


def make(path: Path, *answers: Answer, host: str = "localhost") -> Path:
    path.parent.mkdir(exist_ok=True)
    with Store(path, host) as store:
        store.put(answers)
        store.remember_output(path.with_name("out.csv"), path.parent.name)
    return path


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return make(tmp_path / "a" / "one.parquet", answer(UPC, {"title": "new"}, at=LATER), answer(EAN, ITEM))


@pytest.fixture
def two(tmp_path: Path) -> Path:
    return make(tmp_path / "b" / "two.parquet", answer(UPC, {"title": "old"}), answer(ASIN), answer(EAN, ITEM))


def test_the_newest_wins_and_every_answer_is_kept_once(one: Path, two: Path, tmp_path: Path) -> None:
    target = tmp_path / "all.parquet"
    before = one.read_bytes(), two.read_bytes()
    assert merge([one, two], target) == 4
    assert (one.read_bytes(), two.read_bytes()) == before
    assert verify(target) == []
    with Store(target, "localhost") as store:
        assert titles(store, UPC, ASIN, EAN) == [["new"], [None], ["Dart Board"]]
        assert len(store.everything(history=True)) == 4
        assert store.wrote(tmp_path / "a" / "out.csv", "a")
        assert store.wrote(tmp_path / "b" / "out.csv", "b")


def test_what_a_killed_run_left_in_its_journal_is_merged_too(one: Path, two: Path, tmp_path: Path) -> None:
    with Store(two, "localhost") as store:
        store.put([answer(UPC, {"title": "newest"}, at=LATER + timedelta(days=1))])
        merge([one, two], tmp_path / "all.parquet")
    with Store(tmp_path / "all.parquet", "localhost") as store:
        assert titles(store, UPC) == [["newest"]]


def test_nothing_is_overwritten(one: Path, two: Path) -> None:
    before = two.read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        merge([one, two], two)
    assert two.read_bytes() == before


def test_a_target_in_use_is_refused(one: Path, two: Path, tmp_path: Path) -> None:
    target = tmp_path / "all.parquet"
    with filelock.FileLock(target.with_suffix(".lock")), pytest.raises(StoreLockedError):
        merge([one, two], target)


def test_different_services_are_refused(one: Path, tmp_path: Path) -> None:
    live = make(tmp_path / "c" / "live.parquet", answer(UPC, ITEM), host="api.asinscope.com")
    with pytest.raises(StoreError, match=r"sandbox on this machine, live.parquet those of api.asinscope.com"):
        merge([one, live], tmp_path / "all.parquet")
    assert not (tmp_path / "all.parquet").exists()


def test_a_source_that_is_missing_is_named(one: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"none.parquet: there is no such resume file"):
        merge([one, tmp_path / "none.parquet"], tmp_path / "all.parquet")
