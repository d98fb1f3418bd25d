from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from enricher.errors import StoreError
from enricher.store import Store, file, verify
from enricher.store.rows import SCHEMA, to_table
from tests.store.stored import ASIN, EAN, ITEM, UPC, answer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.resume.parquet"


def test_a_sound_file_has_no_faults_and_every_row_is_read(path: Path) -> None:
    seen: list[int] = []
    with Store(path, "localhost") as store:
        store.put([answer(UPC, ITEM, ITEM), answer(ASIN)])
        store.fold()
        store.put([answer(EAN, ITEM)])
        assert verify(path, seen.append) == []
    assert sum(seen) == 4


def test_damage_is_told(path: Path) -> None:
    with Store(path, "localhost") as store:
        store.put([answer(UPC, ITEM)])
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    assert [fault for fault in verify(path) if "checksum is wrong" in fault]


def test_a_file_that_is_missing_is_no_fault_but_an_error(path: Path) -> None:
    with pytest.raises(StoreError, match="no such resume file"):
        verify(path)


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("code", "12345678905", "canonical"),
        ("raw", "[1]", "no JSON object"),
        ("raw", "{", "no JSON object"),
        ("outcome", "lost", "neither found nor not_found"),
        ("outcome", "not_found", "has a product"),
        ("item", 1, "middle of an answer"),
        ("domain", "xx", "xx"),
    ],
)
def test_what_the_format_does_not_allow_is_told(path: Path, column: str, value: Any, fault: str) -> None:
    rows = to_table([answer(UPC, ITEM)])
    at = rows.schema.get_field_index(column)
    field = SCHEMA.field(column)
    rows = rows.set_column(at, field, pa.array([value], field.type))
    file.write(path, rows.to_batches(), 1, "localhost", {})
    assert [told for told in verify(path) if fault in told]
