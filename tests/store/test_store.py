from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enricher.errors import StoreError, StoreLockedError
from enricher.model import FIELDS, Answer
from enricher.store import Store, rows
from tests.store.stored import ASIN, EAN, ITEM, NOON, UPC, answer, packed, titles

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.resume.parquet"


def journal_of(path: Path, *replies: list[Answer]) -> bytes:
    """The journal's bytes after some replies; no file is left behind."""
    with Store(path, "localhost") as store:
        for reply in replies:
            store.put(reply)
        journal = path.with_suffix(".journal").read_bytes().rstrip(b"\0")
    path.unlink()
    return journal


def test_answers_come_back_after_closing(path: Path) -> None:
    with Store(path, "localhost") as store:
        store.put([answer(UPC, ITEM, {"asin": "B01NAL48FU"}), answer(ASIN)])
    with Store(path, "localhost") as store:
        known = store.known(packed(EAN, ASIN, UPC))
        assert known.found.tolist() == [False, False, True]
        assert known.not_found.tolist() == [False, True, False]
        assert known.fetched_ms.tolist() == [-1, NOON.timestamp() * 1000, NOON.timestamp() * 1000]
        products, key_at = store.latest(packed(EAN, ASIN, UPC))
        rows = dict(zip(products.table(["asin"])["asin"].to_pylist(), key_at.tolist(), strict=True))
    assert rows == {"B088H39PXX": 2, "B01NAL48FU": 2, None: 1}


def test_a_reply_is_on_disk_before_put_returns(path: Path) -> None:
    with Store(path, "localhost") as store:
        store.put([answer(UPC, ITEM)])
        lines = path.with_suffix(".journal").read_bytes().rstrip(b"\0").splitlines()
        assert len(lines) == 2
        assert json.loads(lines[1][9:])[0]["items"] == [ITEM]


def test_after_a_clean_close_only_the_parquet_file_and_the_lock_are_left(path: Path) -> None:
    with Store(path, "localhost") as store:
        store.put([answer(UPC, ITEM)])
    assert sorted(file.name for file in path.parent.iterdir()) == ["catalog.resume.lock", "catalog.resume.parquet"]


def test_the_newest_answer_wins_and_the_older_one_stays_as_history(path: Path) -> None:
    with Store(path, "localhost") as store:
        store.put([answer(UPC, ITEM)])
        store.put([answer(UPC, {"asin": "B01NAL48FU"}, at=NOON + timedelta(days=1))])
        products, _ = store.latest(packed(UPC))
        assert products.table(["asin"])["asin"].to_pylist() == ["B01NAL48FU"]
    assert len(pd.read_parquet(path)) == 2


def test_an_answer_in_both_files_counts_once(path: Path) -> None:
    with Store(path, "localhost") as store:
        store.put([answer(UPC, ITEM)])
        journal = path.with_suffix(".journal").read_bytes()
    path.with_suffix(".journal").write_bytes(journal)  # as after a kill between the fold and the emptying
    with Store(path, "localhost") as store:
        assert len(store.latest(packed(UPC))[0]) == 1


@pytest.mark.parametrize("read_only", [True, False])
def test_a_last_line_that_lacks_its_newline_alone_is_kept(path: Path, *, read_only: bool) -> None:
    whole = journal_of(path, [answer(UPC, ITEM)], [answer(ASIN, ITEM)])
    path.with_suffix(".journal").write_bytes(whole[:-1] + bytes(10))
    with Store(path, "localhost", read_only=read_only) as store:
        assert not store.dropped_torn_line
        assert titles(store, UPC, ASIN) == [["Dart Board"], ["Dart Board"]]


def test_what_comes_after_a_line_that_lacked_its_newline_is_kept_too(path: Path) -> None:
    whole = journal_of(path, [answer(UPC, ITEM)])
    path.with_suffix(".journal").write_bytes(whole[:-1] + bytes(10))
    with contextlib.suppress(KeyboardInterrupt), Store(path, "localhost") as store:
        store.put([answer(ASIN, ITEM)])
        raise KeyboardInterrupt
    with Store(path, "localhost") as store:
        assert titles(store, UPC, ASIN) == [["Dart Board"], ["Dart Board"]]


def test_sectors_that_are_missing_in_any_but_the_last_commit_are_damage(path: Path) -> None:
    journal = bytearray(journal_of(path, [answer(UPC, {"title": "x" * 3_000})], [answer(ASIN)]) + bytes(9))
    journal[1024:1536] = bytes(512)
    path.with_suffix(".journal").write_bytes(journal)
    with pytest.raises(StoreError, match="damaged at line 2"):
        Store(path, "localhost")


def test_a_file_without_its_seal_is_refused(path: Path) -> None:
    with Store(path, "localhost") as store:
        store.put([answer(UPC, ITEM)])
    path.write_bytes(path.read_bytes().replace(b'{"crc32":"', b'{"drc32":"'))
    with pytest.raises(StoreError, match="checksum is wrong"):
        Store(path, "localhost")


def test_after_a_fold_each_key_has_its_own_product(path: Path) -> None:
    with Store(path, "localhost") as store:
        store.put([answer(UPC, {"title": "one"})])
        assert titles(store, UPC) == [["one"]]
        store.fold()
        store.put([answer(ASIN, {"title": "two"})])
        assert titles(store, UPC, ASIN) == [["one"], ["two"]]


def test_a_run_that_fails_before_its_first_reply_leaves_no_journal(path: Path) -> None:
    with contextlib.suppress(KeyboardInterrupt), Store(path, "localhost"):
        raise KeyboardInterrupt
    assert [file.suffix for file in path.parent.iterdir()] == [".lock"]


@pytest.mark.parametrize("kind", ["a folder", "a pipe"])
def test_what_is_no_file_is_refused_at_once(path: Path, kind: str) -> None:
    path.mkdir() if kind == "a folder" else os.mkfifo(path)
    with pytest.raises(StoreError, match="is no file"):
        Store(path, "localhost")
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize("is_missing", [True, False])
def test_a_parquet_file_older_than_its_journal_is_refused(path: Path, *, is_missing: bool) -> None:
    with Store(path, "localhost") as store:
        store.put([answer(UPC, ITEM)])
    older = path.read_bytes()
    with Store(path, "localhost") as store:
        store.put([answer(EAN, ITEM)])
        store.fold()
        store.put([answer(ASIN, ITEM)])
        journal = path.with_suffix(".journal").read_bytes()
    path.with_suffix(".journal").write_bytes(journal)
    path.unlink() if is_missing else path.write_bytes(older)
    for read_only in (True, False):
        with pytest.raises(StoreError, match=r"is (missing|an older one): its journal goes on where 2 answers were"):
            Store(path, "localhost", read_only=read_only)


@pytest.mark.parametrize("cut", [2, 5, 40])
def test_a_torn_last_line_is_dropped_and_said(path: Path, cut: int) -> None:
    whole = journal_of(path, [answer(UPC, ITEM)], [answer(ASIN)])
    path.with_suffix(".journal").write_bytes(whole[:-cut] + bytes(cut))
    with Store(path, "localhost") as store:
        assert store.dropped_torn_line
        known = store.known(packed(UPC, ASIN))
    assert known.found.tolist() == [True, False]


def test_another_services_answers_are_refused(path: Path) -> None:
    with Store(path, "localhost") as store:
        store.put([answer(UPC, ITEM)])
    with pytest.raises(StoreError, match=r"answers of a sandbox on this machine.*--store"):
        Store(path, "api.asinscope.com")
    with Store(path, "localhost"):  # the refused run has let go of the lock
        pass


def test_a_newer_format_is_refused(path: Path) -> None:
    text = b'{"format":99,"host":"localhost"}'
    path.with_suffix(".journal").write_bytes(b"%08x %s\n" % (zlib.crc32(text), text))
    with pytest.raises(StoreError, match="newer enricher"):
        Store(path, "localhost")


def test_another_parquet_file_is_no_resume_file(path: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(StoreError, match="no resume file"):
        Store(path, "localhost")


def test_a_second_run_is_told_who_holds_the_file(path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(StoreLockedError, match=f"process {holder.pid}"):
        Store(path, "localhost")
    holder.kill()
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    with Store(path, "localhost"):  # the lock died with its process
        pass


_HOLD = """
import sys; from pathlib import Path; from enricher.store import Store
with Store(Path(sys.argv[1]), "localhost"): print("held", flush=True); sys.stdin.read()
"""


def test_pandas_reads_it_as_a_plain_table_of_products(path: Path) -> None:
    with Store(path, "localhost") as store:
        store.put([answer(UPC, {**ITEM, "new": {"x": 1}})])
    row = pd.read_parquet(path).iloc[0]
    assert (row["code"], row["title"], row["bsr"], row["lowest_new_price"]) == ("012345678905", "Dart Board", 95, 22.79)
    assert json.loads(row["raw"]) == {"new": {"x": 1}}


def test_nothing_the_api_said_is_lost_to_a_wrong_type(path: Path) -> None:
    odd = {
        "asin": 7,
        "title": "x\ud800",
        "bsr": 2**70,
        "packageDimensions": {"height": "tall", "depth": 3},
        "images": ["a", 1],
    }
    with Store(path, "localhost") as store:
        store.put([answer(UPC, odd)])
    row = pd.read_parquet(path).iloc[0]
    assert json.loads(row["raw"]) == odd
    assert (row["title"], list(row["images"])) == ("x\ufffd", ["a"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
NAMES = [name for field in FIELDS.values() for name in field.path]


@given(st.dictionaries(st.sampled_from([*NAMES, "new"]), JSON | st.just(10**400), max_size=6))
def test_any_item_can_be_kept(item: dict[str, Any]) -> None:
    row = rows.to_table([answer(UPC, item)]).to_pylist()[0]
    rest = json.loads(row["raw"] or "{}")
    for name, value in item.items():
        kept = [field for field in FIELDS.values() if field.path[0] == name]
        assert value is None or rest.get(name) == value or any(row[field.name] is not None for field in kept)


def test_files_of_the_users_own_are_not_taken_for_ours(path: Path) -> None:
    path.with_suffix(".lock").write_text('{"a": 1}', encoding="utf-8")
    with Store(path, "localhost"):
        pass
    assert path.with_suffix(".lock").read_text(encoding="utf-8") == '{"a": 1}'
    path.with_suffix(".journal").write_text("my precious notes", encoding="utf-8")
    with pytest.raises(StoreError, match="no journal of enricher"):
        Store(path, "localhost")
    assert path.with_suffix(".journal").read_text(encoding="utf-8") == "my precious notes"


def test_a_link_leads_to_one_shared_file_with_one_lock(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    link = tmp_path / "s.parquet"
    link.symlink_to(tmp_path / "shared" / "s.parquet")
    with Store(link, "localhost") as store:
        store.put([answer(UPC, ITEM)])
        with pytest.raises(StoreLockedError):
            Store(tmp_path / "shared" / "s.parquet", "localhost")
    assert link.is_symlink()
    assert len(pd.read_parquet(tmp_path / "shared" / "s.parquet")) == 1


def test_a_folder_that_is_moved_keeps_its_memory(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with Store(tmp_path / "old" / "s.parquet", "localhost") as store:
        store.remember_output(tmp_path / "old" / "out.csv", "digest")
    (tmp_path / "old").rename(tmp_path / "new")
    with Store(tmp_path / "new" / "s.parquet", "localhost") as store:
        assert store.wrote(tmp_path / "new" / "out.csv", "digest")


def test_it_remembers_the_outputs_written_from_it(path: Path, tmp_path: Path) -> None:
    output = tmp_path / "catalog.enriched.xlsx"
    with Store(path, "localhost") as store:
        store.remember_output(output, "first")
        store.remember_output(output, "second")
    with Store(path, "localhost") as store:
        assert store.wrote(output, "first")
        assert store.wrote(output, "second")
        assert not store.wrote(output, "third")
        assert not store.wrote(tmp_path / "other.xlsx", "first")
