from __future__ import annotations

import itertools
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from enricher.errors import OutputError, StoreError
from enricher.store import Store, file, store
from enricher.store.fold import Fold
from enricher.store.journal import Journal
from tests.store.stored import ASIN, EAN, ITEM, NOON, UPC, answer, ean, packed, titles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEAST = 20


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(store, "_FOLD_LEAST", LEAST)
    return tmp_path / "catalog.resume.parquet"


class Brake:
    """Holds folds up in the middle of writing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.released, self.done = threading.Event(), threading.Event(), threading.Event()
        write = file.write

        def slow(partial: Path, batches: Iterator[Any], *rest: Any) -> None:
            def held_up() -> Iterator[Any]:
                for batch in batches:
                    self.reached.set()
                    assert self.released.wait(20)
                    yield batch

            write(partial, held_up(), *rest)
            self.done.set()

        monkeypatch.setattr("enricher.store.fold.write", slow)


@pytest.fixture
def brake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Brake]:
    brake = Brake(monkeypatch)
    yield brake
    brake.released.set()


def fill(opened: Store, first: int, count: int) -> None:
    for number in range(first, first + count):
        opened.put([answer(ean(number), {"title": f"title {number}"})])


def test_replies_go_on_being_kept_while_a_fold_is_under_way(path: Path, brake: Brake) -> None:
    with Store(path, "localhost") as opened:
        fill(opened, 0, LEAST)
        assert brake.reached.wait(20)
        fill(opened, LEAST, 5)
        assert not path.exists()
        assert titles(opened, ean(0), ean(LEAST + 4)) == [["title 0"], [f"title {LEAST + 4}"]]
        brake.released.set()
        opened.fold()
        assert len(pd.read_parquet(path)) == LEAST + 5
    assert sorted(pd.read_parquet(path)["title"]) == sorted(f"title {number}" for number in range(LEAST + 5))


def test_after_a_fold_the_journal_holds_only_what_came_meanwhile(path: Path, brake: Brake) -> None:
    journal = path.with_suffix(".journal")
    with Store(path, "localhost") as opened:
        fill(opened, 0, LEAST)
        assert brake.reached.wait(20)
        fill(opened, LEAST, 3)
        brake.released.set()
        assert brake.done.wait(20)
        while not path.exists():
            opened.put([answer(EAN, ITEM)])
        lines = journal.read_bytes().rstrip(b"\0").splitlines()
        assert b"title 19" not in journal.read_bytes()
        assert b"title 20" in lines[1]
        assert titles(opened, ean(0), ean(LEAST + 2)) == [["title 0"], ["title 22"]]


def test_leaving_in_a_hurry_gives_up_the_fold_and_keeps_the_journal(path: Path, brake: Brake) -> None:
    def in_a_hurry() -> None:
        with Store(path, "localhost") as opened:
            fill(opened, 0, LEAST)
            assert brake.reached.wait(20)
            threading.Timer(0.1, brake.released.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_a_hurry()
    assert sorted(left.suffix for left in path.parent.iterdir()) == [".journal", ".lock"]
    with Store(path, "localhost") as opened:
        assert opened.known(packed(*(ean(number) for number in range(LEAST)))).found.all()


def test_a_fold_that_fails_is_told_at_a_later_reply_which_is_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    tried = 0

    def until_it_fails() -> None:
        nonlocal tried
        with Store(path, "localhost") as opened:
            for number in range(LEAST * 100):
                tried = number
                fill(opened, number, 1)

    monkeypatch.setattr("enricher.store.fold.write", full)
    with pytest.raises(OutputError, match="No space left"):
        until_it_fails()
    monkeypatch.undo()
    with Store(path, "localhost") as opened:
        known = opened.known(packed(*(ean(number) for number in range(tried + 1))))
    assert known.found.all()
    assert tried >= LEAST


def known_of(path: Path, count: int) -> list[bool]:
    with Store(path, "localhost") as opened:
        known = opened.known(packed(*(ean(number) for number in range(count))))
        assert titles(opened, ean(0), ean(count - 1)) == [["title 0"], [f"title {count - 1}"]]
        return [bool(found) for found in known.found]


@pytest.mark.parametrize("called", ["enricher.store.file.sync_folder", "enricher.store.journal.sync_folder"])
def test_what_is_under_way_is_kept_after_a_name_that_may_not_last(
    path: Path, monkeypatch: pytest.MonkeyPatch, called: str
) -> None:
    def fail(_: Path) -> None:
        monkeypatch.undo()
        raise OSError(5, "Input/output error")

    with Store(path, "localhost") as opened:
        fill(opened, 0, LEAST - 1)
        monkeypatch.setattr(called, fail)
        with pytest.raises(OutputError, match="Input/output error"):
            opened.fold()
        fill(opened, LEAST - 1, 2 * LEAST + 1)
        assert opened.known(packed(*(ean(number) for number in range(3 * LEAST)))).found.all()
    assert all(known_of(path, 3 * LEAST))


def test_what_is_under_way_is_kept_when_a_new_journal_finds_no_room(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Journal) -> None:
        monkeypatch.undo()
        monkeypatch.setattr(store, "_FOLD_LEAST", LEAST)
        raise OutputError(f"{self.path}: there is no room")

    def in_a_hurry() -> None:
        with Store(path, "localhost") as opened:
            fill(opened, 0, LEAST - 1)
            opened.fold()
            fill(opened, LEAST - 1, 1)
            monkeypatch.setattr(Journal, "make_room", full)
            with pytest.raises(OutputError, match="no room"):
                opened.fold()
            fill(opened, LEAST, 2 * LEAST)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_a_hurry()
    assert all(known_of(path, 3 * LEAST))


def test_damage_that_a_fold_meets_stops_the_run_and_loses_no_reply(path: Path) -> None:
    with Store(path, "localhost") as opened:
        opened.put([answer(EAN, {"title": "x" * 5_000})])

    def damaged_in_mid_run() -> None:
        with Store(path, "localhost") as opened:
            data = bytearray(path.read_bytes())
            data[100] ^= 1
            path.write_bytes(data)
            said: list[str] = []
            for number in itertools.count():
                try:
                    fill(opened, number, 1)
                except OutputError as error:
                    said.append(str(error))
                    break
            fill(opened, number + 1, 2 * LEAST)
            assert said[0].startswith(f"{path}: can't be written (")
            assert opened.facts().unfolded == number + 1 + 2 * LEAST
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        damaged_in_mid_run()
    with pytest.raises(StoreError, match="checksum is wrong"):
        Store(path, "localhost")


def test_an_interrupt_while_a_fold_is_waited_for_ends_it(
    path: Path, brake: Brake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: Fold) -> None:
        threading.Timer(0.1, brake.released.set).start()
        raise KeyboardInterrupt

    def in_a_hurry() -> None:
        with Store(path, "localhost") as opened:
            fill(opened, 0, LEAST)
            assert brake.reached.wait(20)
            monkeypatch.setattr(Fold, "finish", interrupt)
            opened.fold()

    with pytest.raises(KeyboardInterrupt):
        in_a_hurry()
    assert sorted(left.suffix for left in path.parent.iterdir()) == [".journal", ".lock"]


def test_a_reader_sees_every_answer_before_in_and_after_a_fold(path: Path, brake: Brake) -> None:
    keys = packed(*(ean(number) for number in range(LEAST + 1)))

    def seen() -> list[bool]:
        with Store(path, read_only=True) as reader:
            return [bool(found) for found in reader.known(keys).found]

    with Store(path, "localhost") as opened:
        fill(opened, 0, LEAST)
        assert brake.reached.wait(20)
        early = Store(path, read_only=True)
        fill(opened, LEAST, 1)
        assert all(seen())
        brake.released.set()
        opened.fold()
        assert all(seen())
        assert early.known(keys).found.tolist() == [True] * LEAST + [False]
        assert titles(early, ean(3)) == [["title 3"]]  # its files have lost their names
        with early:
            pass
    assert all(seen())


def test_a_reader_writes_nothing(path: Path) -> None:
    with Store(path, read_only=True) as reader:
        assert not reader.known(packed(UPC)).found.any()
        with pytest.raises(StoreError, match="reading only"):
            reader.put([answer(UPC, ITEM)])
    assert not list(path.parent.iterdir())


def test_several_answers_of_several_replies_share_a_commit(path: Path) -> None:
    with Store(path, "localhost") as opened:
        opened.put([answer(UPC, ITEM, ITEM), answer(ASIN), answer(EAN, ITEM)])
        assert len(path.with_suffix(".journal").read_bytes().rstrip(b"\0").splitlines()) == 2
        assert titles(opened, EAN, UPC, ASIN) == [["Dart Board"], ["Dart Board"] * 2, [None]]


def test_history_keeps_every_answer_in_order_and_the_newest_is_by_time(path: Path) -> None:
    later = NOON + timedelta(days=1)
    with Store(path, "localhost") as opened:
        opened.put([answer(UPC, {"title": "new"}, at=later)])
        opened.put([answer(UPC, {"title": "old"}), answer(EAN)])
        assert titles(opened, UPC) == [["new"]]
        opened.fold()
        assert titles(opened, UPC) == [["new"]]
        history = opened.everything(history=True).table(["code", "title"]).to_pylist()
        newest = opened.everything(history=False).table(["title"])["title"].to_pylist()
    assert [row["title"] for row in history] == ["new", "old", None]
    assert newest == ["new", None]


def test_facts_count_the_newest_answers_and_all_there_were(path: Path) -> None:
    with Store(path, "localhost") as opened:
        opened.put([answer(UPC, ITEM, ITEM), answer(ASIN)])
        opened.fold()
        opened.put([answer(UPC, ITEM, at=NOON + timedelta(days=1))])
        facts = opened.facts()
    assert (facts.keys, facts.found, facts.products, facts.answers, facts.unfolded) == (2, 1, 1, 3, 1)
    assert [(group.code_type, group.domain, group.keys, group.found) for group in facts.groups] == [
        ("asin", "com", 1, 0),
        ("upc", "de", 1, 1),
    ]
    assert facts.size_bytes > 0
