from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enricher.cells import Additions
from enricher.errors import InputError
from enricher.sheets.parquet import ParquetSource

if TYPE_CHECKING:
    from pathlib import Path


def use(path: Path) -> None:
    """Do with a file all that a run does."""
    source = ParquetSource(path)
    source.preview(1000)
    rows = sum(len(batch.empty) for batch in source.batches(0, [0]))
    list(source.grids())
    added = Additions(pa.table({"new": ["x"]}), np.zeros(rows, np.int32))
    source.write(path.with_name("out.parquet"), 0, added, lambda _: None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "in.parquet"
    table = pa.table({"asin": [f"B0{row:08}" for row in range(300)], "n": range(300), "tags": [["a", "b"]] * 300})
    pq.write_table(table, path, row_group_size=100, compression="none", write_page_checksum=True)
    return path


@pytest.mark.parametrize("length", [4, 8, 11, 100, 500, -1, -4, -8, -50])
def test_a_file_that_is_cut_off_is_refused_in_one_line(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match=r"^in\.parquet is damaged or no parquet file \([^\n]+\)\. Export it again"):
        use(path)


def test_a_flipped_bit_in_the_data_is_noticed(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(b"B000000007")] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="is damaged"):
        use(path)


def test_an_encrypted_file_is_named_as_such(path: Path) -> None:
    path.write_bytes(b"PARE" + path.read_bytes()[4:-4] + b"PARE")
    with pytest.raises(InputError, match=r"in\.parquet is encrypted\. Export it without encryption"):
        use(path)


@pytest.mark.parametrize("seed", range(8))
def test_damage_of_any_kind_is_refused_or_harmless(path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - which bytes, not a secret
    whole = path.read_bytes()
    refused = 0
    for _ in range(40):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        try:
            use(path)
        except InputError:
            refused += 1
    assert refused


def test_a_few_bytes_that_stand_for_gigabytes_of_text_are_refused(path: Path) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, np.int32)), pa.array(["x" * 1_000_000]))
    pq.write_table(pa.table({"a": texts}), path, compression="zstd", store_schema=False)
    with pytest.raises(InputError, match=r"column 'a': .* bytes can't hold as much as they unpack to"):
        use(path)


def test_more_rows_than_a_file_of_that_size_can_hold_are_refused(path: Path) -> None:
    pq.write_table(pa.table({"a": pa.nulls(20_000_000, pa.string())}), path, row_group_size=20_000_000)
    with pytest.raises(InputError, match="bytes hold 20,000,000 rows"):
        use(path)


def test_a_column_of_few_long_texts_is_read_and_copied_in_parts(path: Path) -> None:
    longs = ["x" * 300_000, "y" * 300_000]
    numbers = pa.array(np.arange(800, dtype=np.int32) % 2)
    pq.write_table(pa.table({"a": pa.DictionaryArray.from_arrays(numbers, pa.array(longs))}), path, store_schema=False)
    batches = list(ParquetSource(path).batches(0, [0]))
    assert max(len(batch.empty) for batch in batches) < 800
    assert sum(len(batch.empty) for batch in batches) == 800
    use(path)
    assert pq.read_table(path.with_name("out.parquet"), columns=["a"]).equals(pq.read_table(path))
