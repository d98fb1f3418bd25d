"""The quick way of splicing writes the bytes that the careful one would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.parsers import expat

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from enricher.cells import Additions
from enricher.errors import InputError
from enricher.sheets.xlsx.cells.styles import PLAIN
from enricher.sheets.xlsx.opc.markup import new_parser
from enricher.sheets.xlsx.read.reading import SheetReader
from enricher.sheets.xlsx.read.rows import DataRows
from enricher.sheets.xlsx.write.placement import decide
from enricher.sheets.xlsx.write.places import Places
from enricher.sheets.xlsx.write.plain_splice import PlainSplice
from enricher.sheets.xlsx.write.splice import Splicer
from enricher.sheets.xlsx.write.splicing import SheetSplicer
from enricher.sheets.xlsx.write.verify import _Form
from tests.sheets.xlsx.sheet_makers import SIZES, damaged_sheet, pieces, plain_rows, rows_of, shared, sheet

if TYPE_CHECKING:
    from enricher.sheets.xlsx.write.placement import Placement

ANSWERS = pa.table(
    {
        "title": ["Sony & <co>", None, " edge ", "x" * 40_000, "€\n", None],
        "price": pa.array([1.5, None, float("nan"), 1e-7, 2.0, None]),
        "count": pa.array([1, None, 10**15, -5, 0, None]),
        "sold": pa.array([True, None, False, None, True, None]),
    }
)


class Plan:
    """A sheet that was read, and what is to be added to it."""

    def __init__(self, part: bytes, header_row: int, seed: int = 0) -> None:
        reader = SheetReader("a.xlsx", shared(), header_row, frozenset({0}))
        for _ in DataRows(reader.facts, [0], PLAIN, None).batches(reader.blocks(pieces(part, 5000)), float):
            pass
        facts = reader.facts
        index = np.random.default_rng(seed).integers(-1, ANSWERS.num_rows, facts.data_rows).astype(np.int32)
        self.part = part
        self.placement: Placement = decide(facts, [], ANSWERS.schema, "a.xlsx", [])
        self.additions = Additions(ANSWERS, index)
        self.watch = facts.cells_right >= self.placement.first_column or facts.row_extensions

    def carefully(self) -> tuple[bytes, tuple[int, ...]]:
        splicer = Splicer("a.xlsx", self.placement, self.additions, watch=self.watch)
        written = splicer.feed(self.part) + splicer.close()
        return written, (splicer.done.row_tags, splicer.done.data_rows, splicer.done.cut_texts, len(written))

    def quickly(self, size: int) -> tuple[bytes, tuple[int, ...]]:
        splicer = SheetSplicer("a.xlsx", self.placement, self.additions, watch=self.watch)
        ticks: list[int] = []
        written = b"".join(splicer.pieces(pieces(self.part, size), ticks.append))
        done = splicer.done
        for probe in done.probes:
            assert written.startswith(b"<row", probe.offset)
        assert sum(ticks) == done.data_rows
        assert done.written_bytes == len(written)
        return written, (done.row_tags, done.data_rows, done.cut_texts, len(written))


@settings(max_examples=60, deadline=None)
@given(rows_of(odd=False), SIZES, st.integers(0, 3), st.integers(0, 9))
def test_plain_sheets_are_written_alike(rows: str, size: int, header_row: int, seed: int) -> None:
    try:
        plan = Plan(sheet(rows), header_row, seed)
    except InputError:
        assume(False)
    assert plan.quickly(size) == plan.carefully()


@settings(max_examples=80, deadline=None)
@given(rows_of(odd=False), st.integers(0, 2**32), SIZES, st.integers(0, 2))
def test_damaged_sheets_are_written_alike(rows: str, seed: int, size: int, header_row: int) -> None:
    try:
        plan = Plan(damaged_sheet(rows, seed), header_row, seed)
        expected = plan.carefully()
    except InputError:
        return  # as most damage is; what is not refused must be written alike
    assert plan.quickly(size) == expected


ROWS = {
    "spans behind the number": ('spans="1:2"', '<c r="A{0}"><v>1</v></c>'),
    "spans elsewhere": ('ht="9" spans="1:2 4:5" s="1"', '<c r="A{0}"><v>1</v></c>'),
    "a text that says spans": ("", '<c r="A{0}" t="str"><v>x spans="1:2" y</v></c>'),
    "both": ('ht="9" spans="1:2"', '<c r="A{0}" t="str"><v>x spans="1:2" y</v></c>'),
    "long spans": (f'spans="{"1:2 " * 20}"', '<c r="A{0}"><v>1</v></c>'),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_are_written_quickly_and_without_their_spans(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    attributes, row = ROWS[name]
    tag = f'<row r="{{0}}"{" " if attributes else ""}{attributes}>'
    part = sheet("".join(f"{tag}{row}</row>".format(number) for number in range(1, 601)))
    written: list[int] = []
    original = PlainSplice.write

    def counted(self: PlainSplice, block: bytes) -> Any:
        found = original(self, block)
        written.append(0 if found is None else block.count(b"<row"))
        return found

    monkeypatch.setattr(PlainSplice, "write", counted)
    plan = Plan(part, 0)
    assert plan.quickly(4096) == plan.carefully()
    assert sum(written) > 500


def test_answers_too_large_to_be_kept_encoded_are_written_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enricher.sheets.xlsx.write.new_cells._KEPT_BYTES", 0)
    plan = Plan(sheet(plain_rows(300)), 1)
    assert plan.quickly(2000) == plan.carefully()
    monkeypatch.setattr("enricher.sheets.xlsx.write.plain_splice._MAX_NEW_BYTES", 1000)
    assert plan.quickly(2000) == plan.carefully()


def test_cells_in_the_way_and_closed_rows_are_left_to_the_careful_way() -> None:
    row = '<c r="A{0}"><v>1</v></c><c r="D{0}" s="1"/>'
    part = sheet(plain_rows(100, row) + '<row r="101" spans="1:1"/><row r="102"><c r="A102"><v>5</v></c></row>')
    for seed in range(5):
        plan = Plan(part, 0, seed)
        assert plan.quickly(700) == plan.carefully()


@settings(max_examples=60, deadline=None)
@given(rows_of(odd=False), st.integers(0, 2**32), SIZES)
def test_the_check_afterwards_refuses_what_a_parser_refuses(rows: str, seed: int, size: int) -> None:
    part = damaged_sheet(rows, seed)

    def is_refused(read: Any) -> bool:
        try:
            read()
        except (InputError, expat.ExpatError):
            return True
        return False

    quick = is_refused(lambda: _Form("sheet1.xml").read(pieces(part, size)))
    assert quick == is_refused(lambda: _carefully(part))
    assert quick or not is_refused(lambda: new_parser("sheet1.xml").Parse(part, True))


def _carefully(part: bytes) -> None:
    places = Places("sheet1.xml", 0, watch=False)
    places.feed(part, last=True)
