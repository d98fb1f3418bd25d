"""Files as format 1 had them: no seal, an answer a line, no room at the end."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from enricher.errors import StoreError
from enricher.store import Store, verify
from enricher.store.rows import SCHEMA, to_table
from tests.store.stored import ASIN, EAN, ITEM, NOON, UPC, answer, packed, titles

if TYPE_CHECKING:
    from pathlib import Path

    from enricher.model import Answer


def line(payload: dict[str, Any]) -> bytes:
    text = json.dumps(payload, separators=(",", ":")).encode()
    return b"%08x %b\n" % (zlib.crc32(text), text)


def write_old_file(path: Path, *answers: Answer) -> None:
    rows = to_table(answers)
    header = {"format": 1, "host": "localhost", "outputs": {"out.csv": ["digest"]}, "rows": len(rows)}
    schema = SCHEMA.with_metadata({b"enricher": line(header)})
    pq.write_table(rows.cast(schema), path, compression="zstd", write_page_checksum=True)


def old_journal(*answers: Answer) -> bytes:
    told = [
        {**key._asdict(), "fetched_at": round(NOON.timestamp() * 1000), "items": items}
        for key, items in ((answer.key, answer.items) for answer in answers)
    ]
    return line({"format": 1, "host": "localhost"}) + b"".join(map(line, told))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A resume file of format 1, left by a run that was killed in the middle of a line."""
    path = tmp_path / "catalog.resume.parquet"
    write_old_file(path, answer(UPC, ITEM, {"title": "second"}))
    path.with_suffix(".journal").write_bytes(old_journal(answer(ASIN), answer(EAN, ITEM))[:-9])
    return path


def test_an_older_format_is_brought_up_to_date_and_kept_as_a_copy(path: Path) -> None:
    before = {file.suffix: file.read_bytes() for file in path.parent.iterdir()}
    with Store(path, "localhost") as store:
        assert store.migrated == path.with_name("catalog.resume.format-1.parquet")
        assert store.dropped_torn_line
        assert store.facts().format == 2
        assert titles(store, UPC, ASIN, EAN) == [["Dart Board", "second"], [None], []]
        assert store.wrote(path.with_name("out.csv"), "digest")
        store.put([answer(EAN, {"title": "again"})])
    assert {file.suffix: file.read_bytes() for file in path.parent.glob("*.format-1.*")} == before
    assert verify(path) == []
    with Store(path, "localhost") as store:
        assert store.migrated is None
        assert titles(store, UPC, EAN) == [["Dart Board", "second"], ["again"]]
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "catalog.resume.format-1.journal",
        "catalog.resume.format-1.parquet",
        "catalog.resume.lock",
        "catalog.resume.parquet",
    ]


def test_a_reader_takes_an_older_format_as_it_is(path: Path) -> None:
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    with Store(path, read_only=True) as store:
        assert store.facts().format == 1
        assert titles(store, UPC, ASIN) == [["Dart Board", "second"], [None]]
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


@pytest.mark.parametrize("of", ["parquet", "journal"])
def test_damage_to_an_older_format_is_refused_and_nothing_is_changed(path: Path, of: str) -> None:
    damaged = path.with_suffix(f".{of}")
    data = bytearray(damaged.read_bytes())
    data[100] ^= 4
    damaged.write_bytes(data)
    with pytest.raises(StoreError, match="damaged"):
        Store(path, "localhost")
    assert damaged.read_bytes() == data
    assert not list(path.parent.glob("*.format-1.*"))


def test_a_journal_alone_is_brought_up_to_date_too(path: Path) -> None:
    path.unlink()
    with Store(path, "localhost") as store:
        assert titles(store, ASIN) == [[None]]
    with Store(path, "localhost") as store:
        assert store.known(packed(ASIN, EAN)).not_found.tolist() == [True, False]
