"""What must be on disk before anything else happens. The calls are watched, not replaced."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enricher.model import Answer, CodeType, Domain, Key
from enricher.sheets import StagedOutput
from enricher.store import Store

ANSWER = Answer(
    Key(CodeType.UPC, Domain.DE, "012345678905"), ({"asin": "B088H39PXX"},), datetime(2026, 3, 1, tzinfo=UTC)
)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The name and size of everything fsynced, in order."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("the names behind descriptors can't be seen here")
    seen: list[tuple[str, int]] = []
    fsync = os.fsync

    def watch(descriptor: int) -> None:
        fsync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").resolve()
        seen.append((path.name, len(path.read_bytes().rstrip(b"\0")) if path.is_file() else 0))

    monkeypatch.setattr(os, "fsync", watch)
    return seen


def test_a_reply_is_fsynced_whole_before_put_returns(tmp_path: Path, synced: list[tuple[str, int]]) -> None:
    with Store(tmp_path / "s.parquet", "localhost") as store:
        assert (tmp_path.name, 0) in synced  # the journal's name, too
        synced.clear()
        store.put([ANSWER])
        size = len((tmp_path / "s.journal").read_bytes().rstrip(b"\0"))
        assert synced == [("s.journal", size)]


def test_a_fold_is_fsynced_before_the_journal_is_emptied(tmp_path: Path, synced: list[tuple[str, int]]) -> None:
    with Store(tmp_path / "s.parquet", "localhost") as store:
        store.put([ANSWER])
        synced.clear()
        store.fold()
        names = [name for name, _ in synced]
    assert names == [".s.parquet.partial", tmp_path.name, ".s.journal.partial", tmp_path.name, "s.journal"]


def test_an_output_is_fsynced_before_it_takes_its_place(tmp_path: Path, synced: list[tuple[str, int]]) -> None:
    with StagedOutput(tmp_path / "out.csv") as staged:
        staged.partial.write_text("new", encoding="utf-8")
        staged.commit(like=staged.partial)
        assert synced[0] == (staged.partial.name, 3)
