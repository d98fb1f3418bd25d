"""Other programs read the resume file as what it is: a plain table of products."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enricher.model import FIELDS, Answer, CodeType, Domain, Key
from enricher.store import Store
from tests.bench import store_answers as made

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DARTS = {
    "asin": "B088H39PXX",
    "title": 'Dart Board, 12" (größer)',
    "brand": "=SUM(1)",
    "bsr": 95,
    "lowestNewPrice": 22.79,
    "soldByAmazon": False,
    "packageDimensions": {"height": 1.77, "weight": 2},
    "upcList": ["793610399007", "012345678905"],
    "totalNew": None,
    "color": "red",
}
UPC = Key(CodeType.UPC, Domain.DE, "012345678905")
EAN = Key(CodeType.EAN, Domain.COM, "4006381333931")
ASIN = Key(CodeType.ASIN, Domain.COM, "B088H39PXX")
ANSWERS = [
    Answer(UPC, (DARTS, {"asin": "B01NAL48FU"}), NOON),
    Answer(EAN, (), NOON),
    Answer(ASIN, (DARTS,), NOON),
    Answer(UPC, ({**DARTS, "lowestNewPrice": 19.5},), NOON + timedelta(days=1, milliseconds=7)),
]
KINDS = {"text": "VARCHAR", "number": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN", "list": "VARCHAR[]"}
NEWEST = """
    SELECT code_type, domain, code, outcome, asin, lowest_new_price
    FROM answers
    QUALIFY fetched_at = max(fetched_at) OVER (PARTITION BY code_type, domain, code)
    ORDER BY code, item
"""
RIGHT_NEWEST = [
    ("upc", "de", "012345678905", "found", "B088H39PXX", 19.5),
    ("ean", "com", "4006381333931", "not_found", None, None),
    ("asin", "com", "B088H39PXX", "found", "B088H39PXX", 22.79),
]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, and so rows that were rewritten by the second."""
    path = tmp_path_factory.mktemp("read") / "catalog.resume.parquet"
    for answers in (ANSWERS[:2], ANSWERS[2:]):
        with Store(path, "localhost") as store:
            store.put(answers)
    return path


def test_pandas_reads_types_and_values(path: Path) -> None:
    table = pd.read_parquet(path)
    assert table["code"].tolist() == ["012345678905", "012345678905", "4006381333931", "B088H39PXX", "012345678905"]
    assert table["item"].tolist() == [0, 1, 0, 0, 0]
    assert table["outcome"].tolist() == ["found", "found", "not_found", "found", "found"]
    assert str(table["fetched_at"].dtype) == "datetime64[ms, UTC]"
    assert table["fetched_at"].tolist()[-1] == pd.Timestamp(ANSWERS[-1].fetched_at)
    first = table.iloc[0]
    assert (first["title"], first["brand"], first["bsr"]) == (DARTS["title"], "=SUM(1)", 95)
    assert (first["lowest_new_price"], first["package_weight"]) == (22.79, 2.0)
    assert first["sold_by_amazon"] is False
    assert list(first["upc_list"]) == DARTS["upcList"]
    assert first["raw"] == '{"color":"red"}'
    assert table.iloc[2][[*FIELDS]].isna().all()
    assert pd.api.types.is_float_dtype(table["lowest_new_price"])


def test_pandas_finds_the_newest_answer_of_each_key(path: Path) -> None:
    table = pd.read_parquet(path).sort_values(["fetched_at", "item"])
    newest = table[table["fetched_at"] == table.groupby(["code_type", "domain", "code"])["fetched_at"].transform("max")]
    assert newest.sort_values("code")["lowest_new_price"].tolist()[::2] == [19.5, 22.79]
    assert len(newest) == len(RIGHT_NEWEST)


def test_duckdb_reads_types_counts_and_the_newest_answers(path: Path) -> None:
    with duckdb.connect() as connection:
        connection.from_parquet(str(path)).create_view("answers")
        types = {row[0]: row[1] for row in connection.execute("DESCRIBE answers").fetchall()}
        assert {name: types[name] for name in FIELDS} == {field.name: KINDS[field.kind] for field in FIELDS.values()}
        assert (types["code"], types["item"], types["raw"]) == ("VARCHAR", "SMALLINT", "VARCHAR")
        assert types["fetched_at"] == "TIMESTAMP WITH TIME ZONE"
        counts = connection.execute(
            "SELECT outcome, count(*) FROM answers GROUP BY outcome ORDER BY outcome"
        ).fetchall()
        assert counts == [("found", 4), ("not_found", 1)]
        assert connection.execute(NEWEST).fetchall() == RIGHT_NEWEST
        prices = "SELECT lowest_new_price FROM answers WHERE code_type = 'upc' AND item = 0 ORDER BY fetched_at"
        assert connection.execute(prices).fetchall() == [(22.79,), (19.5,)]
        raw = "SELECT DISTINCT raw ->> 'color' FROM answers WHERE raw IS NOT NULL"
        assert connection.execute(raw).fetchall() == [("red",)]


def test_polars_reads_types_and_the_newest_answers(path: Path) -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    table = polars.read_parquet(path)
    assert table["fetched_at"].dtype == polars.Datetime("ms", "UTC")
    assert table["upc_list"].dtype == polars.List(polars.String)
    assert table["bsr"].to_list() == [95, None, None, 95, 95]
    newest = table.filter(
        polars.col("fetched_at") == polars.col("fetched_at").max().over("code_type", "domain", "code")
    )
    columns = ["code_type", "domain", "code", "outcome", "asin", "lowest_new_price"]
    assert newest.sort("code", "item").select(columns).rows() == RIGHT_NEWEST


def test_pages_carry_checksums_that_a_reader_may_check(path: Path) -> None:
    assert len(pq.ParquetFile(path, page_checksum_verification=True).read()) == 5
    whole = path.read_bytes()
    at = whole.index(b"4006381333931")
    damaged = pa.BufferReader(whole[:at] + b"5" + whole[at + 1 :])
    with pytest.raises(OSError, match="CRC checksum"):
        pq.ParquetFile(damaged, page_checksum_verification=True).read()


def test_a_run_may_write_while_its_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two blocks that a reader reads of the journal, the writer puts two replies."""
    path = tmp_path / "s.parquet"
    first, *waiting = [chunk[:5] for chunk in made.chunks(50)]
    open_file = io.open
    with Store(path, "localhost") as store:
        store.put(first)

        class Interrupted(io.FileIO):
            def readinto(self, buffer: Any) -> int | None:
                size_bytes = super().readinto(buffer)
                for reply in waiting[:2]:
                    store.put(reply)
                del waiting[:2]
                return size_bytes

        def interrupted(file: Any, mode: str = "r", *how: Any, **more: Any) -> Any:
            is_read = mode == "rb" and str(file).endswith(".journal")
            return Interrupted(file) if is_read else open_file(file, mode, *how, **more)

        monkeypatch.setattr(io, "open", interrupted)
        with Store(path, None, read_only=True) as reader:
            assert reader.known(made.make_keys(range(5))).found.all()
        assert not waiting


def test_an_empty_resume_file_is_an_empty_table(tmp_path: Path) -> None:
    with Store(tmp_path / "s.parquet", "localhost") as store:
        store.remember_output(tmp_path / "out.csv", "0" * 64)
    table: Any = pd.read_parquet(tmp_path / "s.parquet")
    assert (len(table), [*table.columns][:3]) == (0, ["code_type", "domain", "code"])
