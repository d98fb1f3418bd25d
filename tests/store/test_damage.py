"""Damage of any kind is refused or does no harm; nothing is ever silently different."""

from __future__ import annotations

import contextlib
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd
import pytest

from enricher.errors import StoreError
from enricher.model import Answer
from enricher.store import Store
from tests.bench import store_answers as made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from enricher.model import Item

    Files: TypeAlias = dict[str, bytes]
    Said: TypeAlias = list[tuple[int, list[Item] | None]]

PARQUET, JOURNAL = "s.parquet", "s.journal"
HOST = "localhost"
NUMBERS = 130
KEYS = made.make_keys(range(NUMBERS + 3))
SECTOR_BYTES = 512
ROOM_BYTES = 40_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A store's files at some moment, what it says then, and what it said one commit before."""

    files: Files
    said: Said
    said_before: Said
    rows: list[dict[Any, Any]]
    files_before: Files


def replies() -> Iterator[list[Answer]]:
    """Chunks of ten: codes not found, with two items, asked again later."""
    for at, chunk in enumerate(made.chunks(NUMBERS)):
        chunk[at % 10] = Answer(chunk[at % 10].key, (), chunk[0].fetched_at)
        chunk[3] = Answer(chunk[3].key, (*chunk[3].items, *chunk[4].items), chunk[0].fetched_at)
        yield chunk


def taken(folder: Path) -> Files:
    return {name: (folder / name).read_bytes() for name in (PARQUET, JOURNAL) if (folder / name).exists()}


def taken_alive(folder: Path) -> Files:
    """Take the files as they are, with less of the room set aside: that takes time, and is all the same."""
    files = taken(folder)
    filled = files[JOURNAL].rstrip(b"\0")
    assert len(files[JOURNAL]) > len(filled) + ROOM_BYTES
    return {**files, JOURNAL: filled + bytes(ROOM_BYTES)}


def laid(folder: Path, files: Files) -> Path:
    for name in (PARQUET, JOURNAL):
        (folder / name).unlink(missing_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder / PARQUET


def says(store: Store) -> Said:
    products, key_at = store.latest(KEYS)
    return list(zip(made.fetched_ms(store, KEYS).tolist(), made.items_by_key(products, key_at, len(KEYS)), strict=True))


def pandas_reads(path: Path) -> list[dict[Any, Any]]:
    if not path.exists():
        return []
    rows: list[dict[Any, Any]] = pd.read_parquet(path).astype(object).map(str).to_dict("records")
    return rows


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader looks again a moment later at what seems to be damaged; here nobody writes meanwhile."""
    monkeypatch.setattr("enricher.store.replay._NEXT_TRY_S", 0.0)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kept]:
    """Three stores: closed; closed after an error, with replies in the journal; and as a kill leaves it, room too."""
    folder = tmp_path_factory.mktemp("kept")
    path = folder / PARQUET
    *first, last = replies()
    moments: dict[str, Files] = {}
    said: list[Said] = []
    with contextlib.suppress(KeyboardInterrupt), Store(path, HOST) as store:
        for at, chunk in enumerate(first):
            store.put(chunk)
            if at == len(first) // 2:
                store.fold()
                store.remember_output(folder / "out.csv", "0" * 64)
        said.append(says(store))
        moments["before"] = taken_alive(folder)
        store.put(last)
        said.append(says(store))
        moments["killed"] = taken_alive(folder)
        raise KeyboardInterrupt
    moments["stopped"] = taken(folder)
    with Store(path, HOST):
        pass
    rows = {"killed": pandas_reads(laid(folder, moments["killed"]))}
    rows["stopped"] = rows["killed"]
    with Store(path, HOST):
        pass
    moments["closed"] = taken(folder)
    rows["closed"] = pandas_reads(path)
    assert set(moments["closed"]) == {PARQUET}
    return {
        name: Kept(moments[name], said[1], said[0], rows[name], moments["before"])
        for name in ("closed", "stopped", "killed")
    }


# --- what is done to a file ---------------------------------------------------------------------------------------


def flip_a_bit(data: bytes, at: int, rng: random.Random) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def change_bytes(data: bytes, at: int, rng: random.Random) -> bytes:
    """Change one byte, or some in a row, to others or to NULs."""
    count = rng.choice((1, 1, 2, 30, SECTOR_BYTES))
    new = bytes(count) if rng.random() < 0.2 else rng.randbytes(count)
    return data[:at] + new[: len(data) - at] + data[at + count :]


def cut(data: bytes, at: int, _: random.Random) -> bytes:
    return data[:at]


DAMAGES = {"a flipped bit": flip_a_bit, "changed bytes": change_bytes, "a truncation": cut}
PLACES = [("closed", PARQUET), ("stopped", PARQUET), ("stopped", JOURNAL), ("killed", JOURNAL)]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(("moment", "name"), PLACES)
def test_damage_is_refused_or_harmless(
    kept: dict[str, Kept], tmp_path: Path, moment: str, name: str, damage: str
) -> None:
    damage_often(kept[moment], tmp_path, name, DAMAGES[damage], 40)


@pytest.mark.long
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(("moment", "name"), PLACES)
def test_damage_is_refused_or_harmless_three_thousand_times(
    kept: dict[str, Kept], tmp_path: Path, moment: str, name: str, damage: str
) -> None:
    damage_often(kept[moment], tmp_path, name, DAMAGES[damage], 3_000)


def damage_often(
    kept: Kept, folder: Path, name: str, damage: Callable[[bytes, int, random.Random], bytes], times: int
) -> None:
    """Damage one file again and again, open the store for reading or writing, and look at all it says."""
    whole = kept.files[name]
    filled_bytes = len(whole.rstrip(b"\0"))
    for seed in range(times):
        rng = random.Random(seed)  # noqa: S311 - replayable
        at = rng.randrange(len(whole) if rng.random() < 0.2 else min(len(whole), filled_bytes + 20))
        files = {**kept.files, name: damage(whole, at, rng)}
        if files != kept.files:
            told = refused_or_said(laid(folder, files), files, is_reader=rng.random() < 0.5)
            where = f"seed {seed}: byte {at} of {filled_bytes}"
            # In the room behind them, anything looks like a commit that was never finished.
            assert told in (None, (kept.said, False), (kept.said, True), (kept.said_before, True)), where
            assert told is None or pandas_reads(folder / PARQUET) == kept.rows, where


def refused_or_said(path: Path, files: Files, *, is_reader: bool) -> tuple[Said, bool] | None:
    """Return what the store says, and whether it says that it dropped a torn line; None where it is refused."""
    try:
        store = Store(path, HOST, read_only=is_reader)
    except StoreError as refusal:
        message = str(refusal)
    else:
        try:
            return says(store), store.dropped_torn_line
        finally:
            store.__exit__(KeyboardInterrupt, None, None)
    assert any(name in message for name in files)
    assert taken(path.parent) == files  # a backup may yet be wanted for it
    return None


# --- power cuts ---------------------------------------------------------------------------------------------------


def power_cuts(kept: Kept, most: int) -> Iterator[bytes]:
    """Make journals that a power cut may leave: of the last commit's sectors some are on the disk, some are not.

    The first is without any of them, the second with all.
    """
    before, after = kept.files_before[JOURNAL], kept.files[JOURNAL]
    before += bytes(len(after) - len(before))
    first, last = (len(data.rstrip(b"\0")) // SECTOR_BYTES for data in (before, after))
    every = (1 << last - first + 1) - 1
    rng = random.Random(6)  # noqa: S311 - replayable
    some = (rng.choice((rng.randrange(every), every ^ 1 << rng.randrange(last - first + 1))) for _ in range(most))
    for chosen in (0, every, *some):
        torn = bytearray(before)
        for at in range(last - first + 1):
            if chosen >> at & 1:
                part = slice((first + at) * SECTOR_BYTES, (first + at + 1) * SECTOR_BYTES)
                torn[part] = after[part]
        yield bytes(torn)


@pytest.mark.parametrize("most", [60, pytest.param(3_000, marks=pytest.mark.long)])
def test_after_a_power_cut_the_last_commit_is_whole_or_dropped_and_said(
    kept: dict[str, Kept], tmp_path: Path, most: int
) -> None:
    killed = kept["killed"]
    before, after = (files[JOURNAL].rstrip(b"\0") for files in (killed.files_before, killed.files))
    for seed, journal in enumerate(power_cuts(killed, most)):
        files = {**killed.files, JOURNAL: journal}
        torn = journal.rstrip(b"\0")
        right = (killed.said, False) if torn == after else (killed.said_before, torn != before)
        assert refused_or_said(laid(tmp_path, files), files, is_reader=seed % 2 == 0) == right


def test_after_a_power_cut_the_next_run_goes_on(kept: dict[str, Kept], tmp_path: Path) -> None:
    *_, torn = power_cuts(kept["killed"], 3)
    *_, last = replies()
    path = laid(tmp_path, {**kept["killed"].files, JOURNAL: torn})
    for is_to_be_folded in (False, True):
        with contextlib.suppress(KeyboardInterrupt), Store(path, HOST) as store:
            store.put(last)
            assert says(store) == kept["killed"].said
            if not is_to_be_folded:
                raise KeyboardInterrupt
    with Store(path, HOST, read_only=True) as store:
        assert says(store) == kept["killed"].said


def test_a_reply_larger_than_the_room_set_aside_may_be_cut_anywhere(tmp_path: Path) -> None:
    first, second, *_ = replies()
    large = [Answer(one.key, ({"title": "x" * 500_000},), one.fetched_at) for one in second]
    (tmp_path / "alive").mkdir()
    with Store(tmp_path / "alive" / PARQUET, HOST) as store:
        store.put(first)
        said, before = says(store), taken(tmp_path / "alive")[JOURNAL]
        store.put(large)
        after = taken(tmp_path / "alive")[JOURNAL]
    filled_bytes = len(after.rstrip(b"\0"))
    assert len(before) < filled_bytes
    for written_bytes in (len(before), len(before) + 1, filled_bytes - 2):
        files = {JOURNAL: after[:written_bytes] + bytes(len(after) - written_bytes)}
        assert refused_or_said(laid(tmp_path, files), files, is_reader=False) == (said, True)
