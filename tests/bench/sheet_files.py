"""Made-up sheets, answers and resume files for the measurements; the same each time."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xlsxwriter

from enricher import config
from enricher.codes.gtin import check_digit
from enricher.model import FIELDS, LOOKUP_FIELDS
from enricher.pipeline import Task
from enricher.store import file, rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRODUCT_FIELDS = tuple(FIELDS)[:20]
"""With what enricher says about a row: 25 new columns."""
_FETCHED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_NAMES = ("SKU", "EAN", "Title", "Brand", "Price", "Stock", "Category", "Listed", "Note", "Weight", "Link", "Supplier")
_NOTES = ("", "", "NA", "None", "fragile", ' 12" wide, heavy ', "seasonal; see list")
_WITHOUT_CODE = 0.05
_DAY_ONE = 45_000


def codes(count: int) -> list[str]:
    """Make up so many different EANs."""
    bodies = (f"400{number * 3 + 10**8:09}" for number in range(count))
    return [body + check_digit(body) for body in bodies]


def make_answers(path: Path, count: int) -> None:
    """Write answers to so many codes: column `code`, then 25 new columns as they go into a sheet."""
    products = _products(count)
    arrays = {"code": products["code"]}
    for name in PRODUCT_FIELDS:
        column = products[name]
        arrays[f"amazon_{name}"] = pc.binary_join(column, "; ") if pa.types.is_list(column.type) else column
    said = {
        "lookup_status": pa.array(["found"] * count),
        "lookup_note": pa.nulls(count, pa.string()),
        "lookup_code": products["code"],
        "match_count": pa.array([1] * count),
        "fetched_at": pa.array(["2026-01-02T03:04:05Z"] * count),
    }
    pq.write_table(pa.table({**arrays, **{name: said[name] for name in LOOKUP_FIELDS}}), path)


def make_store(path: Path, count: int) -> None:
    """Write a resume file with the same answers."""
    host = Task(path, config.load(None, {}, {})).host
    file.write(path, _products(count).to_batches(), count, host, {})


def _products(count: int) -> pa.Table:
    chance = random.Random(2)
    numbers = range(count)
    made = {
        "code_type": ["ean"] * count,
        "domain": ["com"] * count,
        "code": codes(count),
        "outcome": ["found"] * count,
        "fetched_at": [_FETCHED] * count,
        "item": [0] * count,
        "asin": [f"B0{at:08}" for at in numbers],
        "title": [f"{_title(at)}, {at % 90} cm{' (Größe L)' if at % 50 == 0 else ''}" for at in numbers],
        "brand": [f"Brand {at % 4999}" for at in numbers],
        "category": [f"Home & Kitchen > Storage {at % 211}" for at in numbers],
        "product_group": [f"Group {at % 31}" for at in numbers],
        "mpn": [f"MPN-{at * 7}" if at % 3 else None for at in numbers],
        "bsr": [chance.randrange(1, 2_000_000) for _ in numbers],
        "upc": [f"{at:012}" if at % 2 else None for at in numbers],
        "ean": codes(count),
        "lowest_new_price": [chance.randrange(100, 50_000) / 100 for _ in numbers],
        "lowest_formatted_price": [f"${chance.randrange(100, 50_000) / 100:.2f}" for _ in numbers],
        "total_new": [at % 40 for at in numbers],
        "sold_by_amazon": [at % 5 == 0 for at in numbers],
        "package_height": [chance.randrange(1, 2000) / 10 for _ in numbers],
        "package_width": [chance.randrange(1, 2000) / 10 for _ in numbers],
        "package_length": [chance.randrange(1, 2000) / 10 for _ in numbers],
        "package_weight": [chance.randrange(1, 2000) / 100 if at % 4 else None for at in numbers],
        "upc_list": [[f"{at:012}", f"{at + 1:012}"] if at % 2 else [] for at in numbers],
        "ean_list": [[code] for code in codes(count)],
        "small_image": [f"https://images.example.com/I/{at:011}._SL75_.jpg" for at in numbers],
        "medium_image": [f"https://images.example.com/I/{at:011}._SL160_.jpg" for at in numbers],
        "images": [[f"https://images.example.com/I/{at:011}.jpg"] for at in numbers],
        "raw": [None] * count,
    }
    return pa.table(made, schema=rows.SCHEMA)


def _title(at: int) -> str:
    return f"Stackable Storage Box number {at} with Lid and Handles"


def make_csv(path: Path, rows: int, width: int, distinct: int) -> None:
    """Write a sheet with a code in its second column; one row in twenty has none."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_header(width))
        writer.writerows(_csv_rows(rows, width, distinct))


def _csv_rows(rows: int, width: int, distinct: int) -> Iterator[list[str]]:
    chance = random.Random(3)
    known = codes(distinct)
    for row in range(rows):
        code = chance.choice(("", "n/a")) if chance.random() < _WITHOUT_CODE else known[int(chance.random() * distinct)]
        made = [
            f"SKU-{row:08}",
            code,
            _title(row),
            f"Brand {row % 499}",
            f"{row % 9973 / 100:.2f}",
            str(row % 311),
            "Kitchen, Dining" if row % 9 == 0 else "Kitchen",
            f"2025-{row % 12 + 1:02}-{row % 28 + 1:02}",
            _NOTES[row % len(_NOTES)],
            f"{row % 700 / 10}",
            f"https://shop.example.com/p/{row}",
            f"Supplier {row % 97}",
        ]
        yield (made + [str(row * at % 1009) for at in range(width - len(made))])[:width]


def make_workbook(path: Path, rows: int, width: int, distinct: int, *, is_streamed: bool) -> None:
    """Write a workbook of texts, codes, numbers, dates and blanks, with shared strings unless it is streamed."""
    chance = random.Random(4)
    known = codes(distinct)
    book = xlsxwriter.Workbook(path, {"constant_memory": is_streamed})
    page = book.add_worksheet("Stock")
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    page.write_row(0, 0, _header(width))
    for row in range(1, rows + 1):
        page.write_string(row, 0, f"SKU-{row:08}")
        page.write_string(row, 1, known[int(chance.random() * distinct)])
        page.write_string(row, 2, _title(row))
        page.write_string(row, 3, f"Brand {row % 499}")
        page.write_number(row, 4, row % 9973 / 100)
        page.write_number(row, 5, row % 311)
        page.write_number(row, 6, _DAY_ONE + row % 500, day)
        if row % 3 == 0:
            page.write_string(row, 7, "seasonal; see list")
        for column in range(8, width):
            page.write_number(row, column, chance.random())
    book.close()


def _header(width: int) -> list[str]:
    return [*_NAMES, *(f"Field {at}" for at in range(len(_NAMES), width))][:width]
