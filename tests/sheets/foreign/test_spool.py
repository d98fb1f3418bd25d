"""The spool: any rows come back as they went in, whatever the blocks."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enricher.sheets.foreign import spool
from enricher.sheets.foreign.source import Book, SpooledTable
from enricher.sheets.foreign.spool import RowCollector, SpoolReader, SpoolWriter, TableEntry, read_footer
from enricher.sheets.grid import CellKind
from enricher.sheets.stamp import Stamp

if TYPE_CHECKING:
    from pathlib import Path


class Held(NamedTuple):
    text: str
    kind: CellKind
    zeros: int


ROWS = st.dictionaries(
    st.integers(1, 40),
    st.dictionaries(
        st.integers(0, 12),
        st.builds(Held, st.text(min_size=1, max_size=4), st.sampled_from(CellKind), st.sampled_from([0, 0, 0, 12])),
        min_size=1,
        max_size=6,
    ),
    max_size=25,
)


@given(ROWS, st.integers(1, 60), st.integers(0, 40))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_goes_in_comes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: dict[int, dict[int, Held]], most: int, header_row: int
) -> None:
    monkeypatch.setattr(spool, "MAX_CELLS", most)
    file = io.BytesIO()
    entry = TableEntry("A")
    collector = RowCollector(SpoolWriter(file), entry)
    for number in sorted(rows):
        collector.add(number, [(column, *cell) for column, cell in rows[number].items()])
    collector.flush()
    path = tmp_path / "file"
    path.touch()
    table = SpooledTable(Book(path, Stamp(path), SpoolReader(file), "made up, table"), entry)

    seen = {
        int(number): {
            at: column.text[row].as_py() for at, column in enumerate(grid.columns) if column.text[row].as_py()
        }
        for grid in table.grids()
        for row, number in enumerate(grid.numbers)
    }
    assert seen == {number: {at: _seen(cell) for at, cell in cells.items()} for number, cells in rows.items()}
    columns = [5, 0, 12]
    read = {
        int(number): [
            (cells.text[row].as_py(), bool(cells.numeric[row]), int(cells.zeros[row])) for cells in batch.columns
        ]
        for batch in table.batches(header_row, columns)
        for row, number in enumerate(batch.row_numbers)
    }
    nothing = Held("", CellKind.TEXT, 0)
    held = {number: [rows[number].get(column, nothing) for column in columns] for number in rows if number > header_row}
    assert read == {
        number: [(_text(cell), cell.kind is CellKind.NUMBER, cell.zeros) for cell in cells]
        for number, cells in held.items()
    }
    preview = table.preview(3)
    first = sorted(rows)[:3]
    assert preview.row_numbers == tuple(first)
    width = max((at + 1 for number in first for at in rows[number]), default=0)
    assert [cells.text.to_pylist() for cells in preview.columns] == [
        [_text(rows[number].get(at, nothing)) for number in first] for at in range(width)
    ]


def _text(cell: Held) -> str:
    """What UTF-8 can hold: Hypothesis makes no lone surrogates by itself."""
    return cell.text


def _seen(cell: Held) -> str:
    digits = cell.text.isdigit() and cell.zeros > 1
    return cell.text.zfill(cell.zeros) if digits else cell.text


def test_a_lone_surrogate_becomes_the_sign_for_what_can_not_be_read() -> None:
    assert spool.text_array(["a\ud800b", "😀"]).to_pylist() == ["a\ufffdb", "😀"]


@pytest.mark.parametrize("keep", [0, 1, 10, -1])
def test_a_spool_that_was_never_finished_has_no_footer(keep: int) -> None:
    file = io.BytesIO()
    SpoolWriter(file).finish({"tables": []})
    assert read_footer(file) == {"tables": []}
    assert read_footer(io.BytesIO(file.getvalue()[:keep])) is None
