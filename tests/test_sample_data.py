"""The samples: made by one script, the same every time, with the dirt they promise."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from stdnum import ean

from enricher.model import CodeType, Domain
from enricher.sandbox import PRO, Catalog

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "sample_data"
ASIN = re.compile(r"B0[0-9A-Z]{8}")
FULL_BUCKET_TO_SPARE = 112


@pytest.fixture(scope="module")
def made_again(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folders = [tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("again")]
    for folder in folders:
        subprocess.run([sys.executable, SAMPLES / "make.py", folder], check=True, capture_output=True)
    return folders


@pytest.mark.parametrize(
    "name",
    ["enricher/sandbox/catalog.jsonl", "sample_data/catalog.csv", "sample_data/marketplaces.csv"],
)
def test_text_samples_are_made_again_to_the_byte(made_again: list[Path], name: str) -> None:
    for folder in made_again:
        assert (folder / name).read_bytes() == (ROOT / name).read_bytes()


def test_the_workbook_is_made_again_to_the_byte(made_again: list[Path]) -> None:
    first, second = (folder / "sample_data/catalog.xlsx" for folder in made_again)

    assert first.read_bytes() == second.read_bytes()
    # Another zlib packs the same parts differently: across machines the parts are what must agree.
    with zipfile.ZipFile(first) as made, zipfile.ZipFile(SAMPLES / "catalog.xlsx") as committed:
        assert made.namelist() == committed.namelist()
        assert [entry.date_time for entry in made.infolist()] == [entry.date_time for entry in committed.infolist()]
        for name in made.namelist():
            assert made.read(name) == committed.read(name), name


def code_cells() -> list[Any]:
    sheet = load_workbook(SAMPLES / "catalog.xlsx")["Catalog"]
    return [row[2] for row in sheet.iter_rows(min_row=2)]


def sendable(value: Any) -> str | None:
    """Read a code cell the patient way: (type and) canonical code, or None for what can't be sent."""
    text = re.sub(r"[\s-]", "", str(value or "")).upper()
    asin = ASIN.search(text)
    if asin:
        return asin[0]
    return text.zfill(14) if text.isdigit() and ean.is_valid(text.zfill(13)) else None


def test_the_workbook_can_be_answered_from_one_full_pro_bucket() -> None:
    codes = {sendable(cell.value) for cell in code_cells()} - {None}

    assert 100 <= len(codes) <= FULL_BUCKET_TO_SPARE < PRO.bucket_capacity


def test_the_workbooks_codes_hold_the_dirt_they_promise() -> None:
    cells = code_cells()
    texts = [cell.value for cell in cells if isinstance(cell.value, str)]
    numbers = [cell for cell in cells if isinstance(cell.value, int)]
    catalog = Catalog.shipped()

    assert len(cells) == 300
    assert max(Counter(texts).values()) > 2
    assert sum(cell.value is None for cell in cells) == 12
    assert any(cell.number_format == "000000000000" for cell in numbers)
    assert any(cell.number_format == "0" and len(str(cell.value)) == 11 for cell in numbers)
    assert any(re.fullmatch(r"\d{12}", text) and not ean.is_valid(text) for text in texts)
    assert any(ASIN.fullmatch(text.upper()) and text.islower() for text in texts)
    assert any(text.startswith("https://www.amazon.com/dp/B0") for text in texts)
    assert any(re.fullmatch(r"\d-\d{5}-\d{5}-\d", text) for text in texts)
    assert any(re.fullmatch(r"\d \d{5} \d{5} \d", text) for text in texts)
    assert any(text != text.strip() for text in texts)
    assert "W-10077" in texts
    known = {code for code in map(sendable, texts) if code and _known(catalog, code)}
    assert len({sendable(text) for text in texts} - known - {None}) == 4


def test_all_known_products_of_the_workbook_are_for_sale_in_com() -> None:
    catalog = Catalog.shipped()
    codes = {sendable(cell.value) for cell in code_cells()} - {None}
    offered = [code for code in codes if code and any(item["totalNew"] is not None for item in _known(catalog, code))]

    assert len(offered) == len(codes) - 4  # all that the catalog knows at all


def test_the_workbook_looks_like_somebodys() -> None:
    book = load_workbook(SAMPLES / "catalog.xlsx")
    sheet = book["Catalog"]
    results = load_workbook(SAMPLES / "catalog.xlsx", data_only=True)["Catalog"]

    assert book.sheetnames == ["Catalog", "Notes"]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == "A1:I301"
    assert sheet["A1"].font.b
    assert sheet["H2"].value == "=F2*G2"
    for row in results.iter_rows(min_row=2, values_only=True):
        assert row[7] == pytest.approx(float(str(row[5])) * float(str(row[6])), abs=0.005)
    assert sheet["I2"].is_date


def test_the_german_list_is_what_a_german_spreadsheet_program_exports() -> None:
    raw = (SAMPLES / "catalog.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(raw.decode("cp1252"), newline=""), delimiter=";"))

    assert raw.count(b"\r\n") == raw.count(b"\n") == len(rows) + 1
    assert list(rows[0]) == ["Artikelnummer", "Bezeichnung", "EAN", "Lieferant", "Menge", "EK-Preis"]
    assert 75 <= len(rows) <= 85
    assert all(re.fullmatch(r"\d+,\d\d", row["EK-Preis"]) for row in rows)
    catalog = Catalog.shipped()
    sold = [
        row
        for row in rows
        if any(item["totalNew"] is not None for item in catalog.lookup(CodeType.EAN, row["EAN"], Domain.DE))
    ]
    assert all(len(row["EAN"]) == 13 and ean.is_valid(row["EAN"]) for row in rows if row["EAN"])
    assert len(sold) == len(rows) - 3


def test_the_marketplace_list_names_a_marketplace_in_every_row() -> None:
    rows = list(csv.DictReader(io.StringIO((SAMPLES / "marketplaces.csv").read_text(encoding="utf-8"))))

    assert list(rows[0]) == ["sku", "asin", "ean", "marketplace"]
    assert len(rows) == 60
    assert {"de", "UK", "amazon.fr", "com"} <= {row["marketplace"] for row in rows}
    assert all(bool(row["asin"]) != bool(row["ean"]) for row in rows)


def _known(catalog: Catalog, code: str) -> list[dict[str, Any]]:
    return catalog.lookup(CodeType.UPC if code.isdigit() else CodeType.ASIN, code, Domain.COM)
