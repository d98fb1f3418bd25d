"""Rows in another order, through a file: as a sort in memory would have them, whatever the number of parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from enricher.pipeline import sorting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class Rows:
    """A table as Products, in batches of 50 rows."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    def table(self, columns: Sequence[str]) -> pa.Table:
        return self._table.select(columns)

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self._table.to_batches(50)


@pytest.mark.parametrize("rows", [0, 1, 99, 100, 101, 1234])
def test_rows_come_in_order_and_keep_all_their_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(sorting, "PART_ROWS", 100)
    random = np.random.default_rng(rows)
    table = pa.table(
        {
            "code": pa.array([f"{number:03}" for number in random.integers(0, 40, rows)], pa.string()),
            "at": pa.array(random.permutation(rows), pa.int64()),
            "images": pa.array([[str(number)] * (number % 3) for number in range(rows)], pa.list_(pa.string())),
        }
    )
    heard: list[int] = []
    with sorting.SortedRows(Rows(table), ["code", "at"], tmp_path / "rows.arrow", heard.append) as ordered:
        expected = table.sort_by([("code", "ascending"), ("at", "ascending")])
        for _ in range(2):  # may be read again
            assert pa.Table.from_batches(ordered.batches(), table.schema).equals(expected)
        assert ordered.table(["at"]).equals(expected.select(["at"]))
        assert len(ordered) == sum(heard) == rows
