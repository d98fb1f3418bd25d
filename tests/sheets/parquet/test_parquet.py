from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enricher.cells import Additions
from enricher.errors import InputError
from enricher.sheets.grid import CellKind
from enricher.sheets.parquet import ParquetSource, is_parquet

if TYPE_CHECKING:
    from pathlib import Path

NEW: dict[str, list[Any]] = {"title": ["A", None], "price": [1.5, 2.5], "count": [1, 2], "sold": [True, False]}


def additions(index: list[int], columns: dict[str, list[Any]] | None = None) -> Additions:
    return Additions(pa.table(columns or NEW), np.array(index, np.int32))


def written(path: Path, added: Additions) -> Path:
    target = path.with_name("out.parquet")
    ParquetSource(path).write(target, 0, added, lambda _: None)
    return target


def texts(path: Path) -> dict[str, list[str | None]]:
    cells = [column.text.to_pylist() for column in ParquetSource(path).preview(100).columns]
    return {str(column[0]): column[1:] for column in cells}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "in.parquet"


EVERY_TYPE = {
    "integer": (pa.array([12345678905, None]), ["12345678905", None]),
    "unsigned": (pa.array([2**64 - 1, 0], pa.uint64()), ["18446744073709551615", "0"]),
    "whole double": (pa.array([12345678905.0, None]), ["12345678905", None]),
    "double": (pa.array([0.1, 1.5e-7]), ["0.1", "0.00000015"]),
    "large double": (pa.array([1e22, float("nan")]), ["10000000000000000000000", None]),
    "float": (pa.array([0.1, 3], pa.float32()), ["0.1", "3"]),
    "decimal": (pa.array([Decimal("12345678905.00"), Decimal("1.50")]), ["12345678905", "1.5"]),
    "boolean": (pa.array([True, None]), ["TRUE", None]),
    "date": (pa.array([dt.date(2024, 2, 29), None]), ["2024-02-29", None]),
    "time of day": (pa.array([dt.time(1, 2, 3), dt.time(1, 2, 3, 500_000)]), ["01:02:03", "01:02:03.500"]),
    "elapsed": (pa.array([dt.timedelta(hours=30), None]), ["30:00:00", None]),
    "moment": (
        pa.array([dt.datetime(2024, 1, 2), dt.datetime(2024, 1, 2, 3, 4, 5)]),  # noqa: DTZ001 - that is the type
        ["2024-01-02", "2024-01-02T03:04:05"],
    ),
    "instant": (pa.array([dt.datetime(2024, 1, 2, tzinfo=dt.UTC), None]), ["2024-01-02T00:00:00Z", None]),
    "category": (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
    "large text": (pa.array([" 007 ", ""], pa.large_string()), [" 007 ", ""]),
    "bytes": (pa.array([b"abc", b"\xff\x00"]), ["abc", "ff00"]),
    "list": (pa.array([["a", "é"], []]), ['["a","é"]', "[]"]),
    "struct": (pa.array([{"a": 1, "b": [Decimal("1.5")]}, None]), ['{"a":1,"b":["1.5"]}', None]),
    "nothing": (pa.nulls(2), [None, None]),
}


@pytest.mark.parametrize("name", EVERY_TYPE)
def test_every_type_is_read_as_the_text_a_person_would_see(path: Path, name: str) -> None:
    values, expected = EVERY_TYPE[name]
    pq.write_table(pa.table({"row": ["1", "2"], name: values}), path)
    assert texts(path)[name] == expected


def test_the_kind_of_a_value_goes_with_it_to_other_kinds_of_file(path: Path) -> None:
    names = ["double", "boolean", "date", "time of day", "category"]
    pq.write_table(pa.table({name: EVERY_TYPE[name][0] for name in names}), path)
    header, rows = ParquetSource(path).grids()
    assert header.numbers.tolist() == [0]
    assert header.texts_of(0) == names
    assert rows.numbers.tolist() == [1, 2]
    kinds = [CellKind.TEXT if column.kinds is None else CellKind(column.kinds[0]) for column in rows.columns]
    assert kinds == [CellKind.NUMBER, CellKind.BOOLEAN, CellKind.DATE, CellKind.TIME, CellKind.TEXT]


def test_names_are_row_0_and_every_row_is_data_even_one_of_nulls(path: Path) -> None:
    pq.write_table(pa.table({"EAN": [1, None, 3], "x": ["a", None, None]}), path)
    source = ParquetSource(path)
    preview = source.preview(10)
    assert preview.has_names
    assert preview.row_numbers == (0, 1, 3)
    (batch,) = source.batches(0, [1, 0])
    assert [cells.text.to_pylist() for cells in batch.columns] == [["a", None, None], ["1", None, "3"]]
    assert batch.columns[1].numeric.tolist() == [True, False, True]
    assert batch.row_numbers.tolist() == [1, 2, 3]
    assert not batch.empty.any()


def test_batches_and_row_groups_follow_each_other_without_a_gap(path: Path) -> None:
    pq.write_table(pa.table({"n": range(50_000)}), path, row_group_size=30_000)
    batches = list(ParquetSource(path).batches(0, [0]))
    assert np.concatenate([batch.row_numbers for batch in batches]).tolist() == list(range(1, 50_001))
    assert pa.concat_arrays([batch.columns[0].text for batch in batches]).to_pylist() == [*map(str, range(50_000))]
    assert batches[-1].share_read == 1.0


def test_the_wider_a_table_the_fewer_rows_are_in_memory_at_once(path: Path) -> None:
    pq.write_table(pa.table({f"c{at}": np.arange(3000) for at in range(400)}), path)
    source = ParquetSource(path)
    grids = list(source.grids())
    assert max(len(grid) * len(grid.columns) for grid in grids) <= 1_000_000
    assert np.concatenate([grid.numbers for grid in grids]).tolist() == list(range(3001))
    assert sum(len(batch.empty) for batch in source.batches(0, [7])) == 3000


def test_columns_of_the_same_name_or_without_one_are_told_apart(path: Path) -> None:
    columns = [pa.array(["a"]), pa.array(["b"]), pa.array(["c"]), pa.array(["d"])]
    pq.write_table(pa.Table.from_arrays(columns, names=["x", "x", "", "x.y"]), path)
    (batch,) = ParquetSource(path).batches(0, [1, 3, 0, 2])
    assert [cells.text[0].as_py() for cells in batch.columns] == ["b", "d", "a", "c"]
    out = pq.ParquetFile(written(path, additions([0]))).read()
    assert out.column_names == ["x", "x", "", "x.y", *NEW]
    assert [column[0].as_py() for column in out.columns[:4]] == ["a", "b", "c", "d"]


def test_the_copy_keeps_types_values_and_metadata_and_has_the_new_columns_typed(path: Path) -> None:
    fields = [pa.field(name, values.type, metadata={"note": "é"}) for name, (values, _) in EVERY_TYPE.items()]
    schema = pa.schema(fields, metadata={"owner": "shop"})
    pq.write_table(pa.table([values for values, _ in EVERY_TYPE.values()], schema=schema), path)
    before, after = pq.read_table(path), pq.read_table(written(path, additions([1, -1])))
    assert pa.schema(list(after.schema)[: len(fields)], after.schema.metadata).equals(
        before.schema, check_metadata=True
    )
    same = [name for name in EVERY_TYPE if name != "large double"]  # a NaN equals nothing
    assert after.select(same).equals(before.select(same))
    assert after.select([*NEW]).to_pylist() == [
        {"title": None, "price": 2.5, "count": 2, "sold": False},
        dict.fromkeys(NEW),
    ]
    assert [str(after.schema.field(name).type) for name in NEW] == ["string", "double", "int64", "bool"]


def test_row_groups_and_compression_are_kept_and_pages_get_checksums(path: Path) -> None:
    table = pa.table({"text": [f"text {row}" for row in range(100)], "number": range(100)})
    pq.write_table(table, path, row_group_size=40, compression={"text": "gzip", "number": "zstd"})
    out = written(path, additions([0] * 100))
    metadata = pq.read_metadata(out)
    assert [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)] == [40, 40, 20]
    assert [metadata.row_group(0).column(at).compression for at in range(2)] == ["GZIP", "ZSTD"]
    data = bytearray(out.read_bytes())
    data[metadata.row_group(0).column(0).data_page_offset + 40] ^= 1
    out.write_bytes(data)
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(out, page_checksum_verification=True)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [1, 2]}, index=pd.Index(["p", "q"], name="sku")),
        pd.DataFrame({"a": ["x", "y"]}),
        pd.DataFrame([[1, "x"], [2, "y"]]),
        pd.DataFrame([[1, 2], [3, 4]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])),
    ],
    ids=["named index", "plain", "numbers as names", "names of two levels"],
)
def test_pandas_reads_the_copy_of_what_it_wrote_with_its_index(path: Path, frame: pd.DataFrame) -> None:
    try:
        frame.to_parquet(path)
    except ValueError:  # pandas itself refuses names that are no texts in some releases
        pq.write_table(pa.Table.from_pandas(frame), path)
    back = pd.read_parquet(written(path, additions([0, 1])))
    assert back.index.equals(frame.index)
    assert back["title"].isna().tolist() == [False, True]
    assert back["count"].tolist() == [1, 2]
    assert back.iloc[:, 0].tolist() == frame.iloc[:, 0].tolist()


def test_sparks_own_schema_knows_the_new_columns(path: Path) -> None:
    key = b"org.apache.spark.sql.parquet.row.metadata"
    spark = {"type": "struct", "fields": [{"name": "a", "type": "string", "nullable": True, "metadata": {}}]}
    pq.write_table(pa.table({"a": ["x"]}).replace_schema_metadata({key: json.dumps(spark)}), path)
    described = json.loads(pq.read_schema(written(path, additions([0]))).metadata[key])
    types = [(field["name"], field["type"]) for field in described["fields"]]
    assert types == [("a", "string"), ("title", "string"), ("price", "double"), ("count", "long"), ("sold", "boolean")]


def test_far_dates_in_the_old_form_of_times_survive(path: Path) -> None:
    moments = pa.array([dt.datetime(9999, 12, 31), dt.datetime(2024, 1, 2, 3)], pa.timestamp("us"))  # noqa: DTZ001
    pq.write_table(pa.table({"t": moments}), path, use_deprecated_int96_timestamps=True, store_schema=False)
    assert texts(path)["t"] == ["9999-12-31", "2024-01-02T03:00:00"]
    out = written(path, additions([0, 0]))
    assert pq.read_metadata(out).schema.column(0).physical_type == "INT96"
    assert texts(out)["t"] == ["9999-12-31", "2024-01-02T03:00:00"]


def test_a_new_column_never_shares_its_name_whatever_the_case(path: Path) -> None:
    pq.write_table(pa.table({"Title": ["x"]}), path)
    assert pq.read_schema(written(path, additions([0]))).names == ["Title", "title_2", "price", "count", "sold"]


def test_a_file_without_rows_gets_the_columns_all_the_same(path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([], pa.string())}), path)
    assert list(ParquetSource(path).batches(0, [0])) == []
    assert pq.read_table(written(path, additions([]))).column_names == ["a", *NEW]


def test_bytes_that_some_writer_called_text_harm_nothing(path: Path) -> None:
    raw = pa.array([b"caf\xe9", b"ok"])
    text = pa.Array.from_buffers(pa.string(), 2, raw.buffers())
    pq.write_table(pa.table({"a": text}), path)
    assert texts(path)["a"] == ["caf\ufffd", "ok"]
    out = pq.read_table(written(path, additions([0, 0])), columns=["a"]).column("a").combine_chunks()
    assert out.cast(pa.binary()).to_pylist() == [b"caf\xe9", b"ok"]


def test_a_file_that_changes_while_it_is_written_is_noticed(path: Path) -> None:
    pq.write_table(pa.table({"a": ["x"]}), path)
    source = ParquetSource(path)
    with pytest.raises(InputError, match="was changed while"):
        source.write(path.with_name("out.parquet"), 0, additions([0]), lambda _: path.touch())


def test_parquet_is_known_by_its_first_bytes() -> None:
    assert is_parquet(b"PAR1\x15\x04")
    assert is_parquet(b"PARE\x15\x04")
    assert not is_parquet(b"PARTS,EAN\n")
