"""Every real file against EXPECTED.tsv: the header's row, the columns, and how many cells there are of each kind.

EXPECTED.tsv counts by simpler rules than ours. Where the two differ, a `Move` says how many cells went from which kind
to which, and why; with the moves made, the counts have to be the same.
"""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from enricher.cells import Cells, Preview
from enricher.codes import Layout, Policy, Reader, find_columns
from enricher.model import Domain
from enricher.sheets import open_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from enricher.codes import Judged

KINDS = {
    "asin_B0": "asin",
    "isbn10_lost0": "isbn10_lost_zero",
    "padded16_ok": "padded",
    "instore": "in_store",
    "lost0_gtin": "lost_zero",
    "sci": "scientific",
    "multi": "several",
}
"""EXPECTED.tsv's names for our kinds; the others are called the same."""
NO_KINDS = {"rows", "dup", "deco", "types"}
"""What it also tells of a column: cells that repeat others, what stands around codes, and the file's types."""


class Move(NamedTuple):
    """So many cells are not of the one kind, as EXPECTED.tsv says, but of the other. None: they are not cells here."""

    cells: int
    listed: str
    ours: str | None
    why: str


MOVES: dict[tuple[str, str], list[Move]] = {
    ("goodbooks_isbn13_sci12.csv", "isbn"): [
        Move(818, "bad_check", "isbn10_lost_zero", "8 digits are an ISBN-10 without two zeros, not a wrong EAN-8"),
        Move(111, "other", "isbn10_lost_zero", "7 digits are one without three"),
    ],
    ("goodbooks_isbn13_sci12.csv", "isbn13"): [
        Move(3, "scientific", "gtin12", "a UPC with all of its 12 digits: nothing is lost"),
    ],
    ("fr_order_no_header.xlsx", "(no header)"): [
        Move(34, "blank", None, "rows before the first and after the last value are no data"),
    ],
    ("ar_supermarket_padded16.xlsx", "EAN"): [
        Move(8, "padded", "in_store", "right check digits, but prefixes for shops"),
        Move(4, "padded", "case", "16 digits of which 14 matter are a GTIN-14"),
        Move(52, "other", "padded", "11 digits that matter are a UPC with its own zero, padded"),
        Move(13, "other", "bad_check", "and those whose check digit is wrong"),
    ],
    ("ar_supermarket_padded16.xlsx", "(blank header, case GTIN)"): [
        Move(5666, "padded", "case", "14 digits that matter, with an indicator from 1 to 8"),
        Move(5, "padded", "in_store", "prefixes for shops"),
        Move(3, "other", "padded", "11 digits that matter are a UPC with its own zero, padded"),
    ],
    ("in_pos_barcodes.xls", "Barcode"): [
        Move(26, "other", "gtin13", "EANs with ' : 1' behind them"),
        Move(3, "other", "gtin12", "UPCs with ' : 1' behind them"),
        Move(
            3, "other", "bad_check", "12 or 13 digits with a space in them, or ' : 1' behind, and a wrong check digit"
        ),
        Move(2, "gtin13", "in_store", "98 is a prefix for coupons"),
        Move(8, "gtin12", "in_store", "UPCs that begin with 4 are a shop's own"),
        Move(2, "gtin12", "in_store", "EAN-8s that begin with 0, padded to 12, are a shop's own"),
        Move(2, "gtin14", "case", "indicators 7 and 8"),
        Move(5, "bad_check", "upc_e", "8 digits with the check digit of the UPC-A they stand for"),
        Move(1, "bad_check", "date", "8 digits that are a day of 2023"),
        Move(1, "lost_zero", "other", "10 digits: right with two zeros in front, but so is one number in ten"),
    ],
    ("walmart_standardupc_list.csv", "standardUpc"): [
        Move(19, "gtin14", "in_store", "UPCs that begin with 4, padded to 14, are a shop's own"),
    ],
    ("off_it_latin1_semicolon.csv", "code"): [
        Move(35, "gtin8", "in_store", "EAN-8s that begin with 2 are a shop's own"),
        Move(3, "gtin8", "date", "8 digits that begin with 2 and can be a day: no global number either"),
        Move(2, "bad_check", "upc_e", "8 digits with the check digit of the UPC-A they stand for"),
    ],
    ("liquor_upc_pipe.csv", "UPC"): [
        Move(1, "gtin14", "case", "indicator 1"),
        Move(
            2, "other", "isbn10_lost_zero", "7 digits with the check digit of an ISBN-10, by chance; they are not used"
        ),
    ],
}

NOT_READ = {
    ("amz_manage_inventory.csv", "fnsku"): ("B", "FNSKUs are labels of a seller's stock"),
    ("ar_supermarket_padded16.xlsx", "(blank header, case GTIN)"): ("P", "cases are other articles"),
}
"""Columns of EXPECTED.tsv that are not chosen: where they are, and why."""
ALSO_READ = {
    ("off_it_latin1_semicolon.csv", "url"): "the addresses have the codes that the first column has lost",
}
"""Columns that are chosen without being listed there."""
UNNAMED = "(no header)"
FILES = (
    "keepa_de_processors.csv",
    "keepa_deals_formula_asin.csv",
    "amz_active_listings_2020.txt",
    "amz_manage_inventory.csv",
    "fr_order_no_header.xlsx",
    "ar_supermarket_padded16.xlsx",
    "in_pos_barcodes.xls",
    "tr_technopolis_eans.xlsx",
    "goodbooks_isbn13_sci12.csv",
    "asins_movies_253k.csv",
    "walmart_standardupc_list.csv",
    "shopify_export_apostrophe.csv",
    "off_it_latin1_semicolon.csv",
    "liquor_upc_pipe.csv",
    "jp_asin_jan_headerless.csv",
)


class Table(NamedTuple):
    """A table of a file: its preview, and how to read columns of the rows below a header."""

    preview: Preview
    read: Callable[[int, Sequence[int]], Iterable[Sequence[Cells]]]


class Listed(NamedTuple):
    """A line of EXPECTED.tsv: how many cells of each of our kinds each column has, the columns in order."""

    sheet: str
    header_row: int
    columns: list[tuple[str, Counter[str]]]


def _listed(corpus: Path) -> dict[str, Listed]:
    with (corpus / "EXPECTED.tsv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file, delimiter="\t"))
    return {
        line["file"]: Listed(
            line["data_sheet"], int(line["header_row"]), [*map(_column, line["code_counts"].split(" || "))]
        )
        for line in lines
    }


def _column(text: str) -> tuple[str, Counter[str]]:
    """Read the likes of "[EAN] rows=51;blank=34;gtin13=17"."""
    name, counts = text.removeprefix("[").split("] ")
    pairs = [pair.split("=") for pair in counts.split(";")]
    kinds = Counter({KINDS.get(kind, kind): int(count) for kind, count in pairs if kind not in NO_KINDS})
    assert str(kinds.total()) == dict(pairs)["rows"]
    return name, kinds


def _table(path: Path, sheet: str) -> Table:
    if path.suffix == ".xls":
        return _legacy_table(path)
    source = open_sources(path)[0]
    assert (source.sheet or "") == sheet
    return Table(
        source.preview(1000), lambda header, wanted: (batch.columns for batch in source.batches(header, wanted))
    )


def _legacy_table(path: Path) -> Table:
    """Read a workbook of the old format, which the program itself can't yet; in this one every cell is a text."""
    calamine = pytest.importorskip("python_calamine")
    rows = calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)

    def cells(start: int, end: int | None = None) -> list[Cells]:
        none = np.zeros(len(rows[start:end]), np.bool_)
        texts = [pa.array(column, pa.string()) for column in zip(*rows[start:end], strict=True)]
        return [Cells(text, none, none.astype(np.uint8)) for text in texts]

    preview = Preview(tuple(cells(0, 1000)), tuple(range(1, 1001)))
    return Table(preview, lambda header, wanted: [[cells(header)[at] for at in wanted]])


def _judged(table: Table, wanted: Sequence[str] = ()) -> tuple[Layout, tuple[Judged, ...]]:
    layout = find_columns(table.preview, wanted=wanted)
    reader = Reader(layout, Domain.COM, Policy())
    for columns in table.read(layout.header_row, layout.read_columns):
        reader.add(columns)
    return layout, reader.finish().columns


def test_the_table_has_every_file_of_the_list(corpus: Path) -> None:
    assert set(_listed(corpus)) == set(FILES)


@pytest.mark.parametrize("file", FILES)
def test_a_real_file_is_read_as_listed(corpus: Path, file: str) -> None:
    listed = _listed(corpus)[file]
    table = _table(corpus / file, listed.sheet)
    layout, chosen = _judged(table)
    expected = [name for name, _ in listed.columns if (file, name) not in NOT_READ]
    expected += [name for other, name in ALSO_READ if other == file]
    print(f"\n{file}: header in row {layout.header_row}")  # noqa: T201 - the table, with -s
    for column in layout.code_columns:
        print(f"    {column.name or UNNAMED}: {column.reason}")  # noqa: T201
    assert layout.header_row == listed.header_row
    assert [column.name or UNNAMED for column in layout.code_columns] == expected
    left = list(chosen)
    for name, counts in listed.columns:
        if (file, name) in NOT_READ:
            letter, why = NOT_READ[file, name]
            (judged,) = _judged(table, [letter])[1]
            print(f"  {name}, not read: {why}")  # noqa: T201
        else:
            judged = left.pop(0)
            print(f"  {name}")  # noqa: T201
        _compare(counts, judged, MOVES.get((file, name), []))


def _compare(listed: Counter[str], judged: Judged, moves: Sequence[Move]) -> None:
    """Print what a column holds, and check it against the list with the moves made."""
    kinds = {str(kind): counts for kind, counts in judged.kinds().items()}
    for kind in sorted({*listed, *kinds}, key=lambda kind: -listed[kind]):
        cells, used = kinds.get(kind, (0, 0))
        print(f"    {kind:18}{listed[kind]:8,} listed {cells:8,} here {used:8,} used")  # noqa: T201
    moved = Counter(listed)
    for move in moves:
        print(f"      {move.cells:,} {move.listed} are {move.ours or 'nothing'}: {move.why}")  # noqa: T201
        moved[move.listed] -= move.cells
        if move.ours:
            moved[move.ours] += move.cells
    assert {kind: cells for kind, cells in moved.items() if cells} == {
        kind: cells for kind, (cells, _) in kinds.items()
    }


def test_every_explanation_is_of_a_listed_column(corpus: Path) -> None:
    listed = _listed(corpus)
    columns = {(file, name) for file, line in listed.items() for name, _ in line.columns}
    assert {*MOVES, *NOT_READ} <= columns
    assert not columns & set(ALSO_READ)
