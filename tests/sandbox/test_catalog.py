"""Catalogs: what files may look like, and what is said about those that can't be read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stdnum import ean

from enricher.errors import InputError
from enricher.model import FIELDS, CodeType, Domain, Item
from enricher.sandbox import Catalog

CORPUS = Path(os.environ.get("ENRICHER_CORPUS") or Path(__file__).parents[2].parent / "shared" / "corpus")
LOCAL = (Domain.COM, Domain.DE, Domain.UK, Domain.FR, Domain.JP)
FLAT = {"asin": "B0XTEST001", "upc": "012345678905", "ean": "0012345678905", "lowest_new_price": "1,234.50"}


def only(catalog: Catalog, domain: Domain = Domain.COM, asin: str = "B0XTEST001") -> Item:
    (item,) = catalog.lookup(CodeType.ASIN, asin, domain)
    return item


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def flattened(item: Item) -> dict[str, str]:
    """Write an item as a CSV row under enricher's own field names."""
    row = {}
    for field in FIELDS.values():
        value: Any = item
        for step in field.path:
            value = value[step]
        row[field.name] = "|".join(value) if isinstance(value, list) else str(value)
    return row


def test_csv_jsonl_and_parquet_give_the_same_products(tmp_path: Path, sample: Item) -> None:
    flat = flattened(sample)
    as_csv = write(tmp_path / "c.csv", ",".join(flat) + "\n" + ",".join(f'"{value}"' for value in flat.values()))
    as_jsonl = write(tmp_path / "c.jsonl", json.dumps(sample) + "\n\n")
    pq.write_table(pa.Table.from_pylist([sample]), tmp_path / "c.parquet")

    for path in (as_csv, as_jsonl, tmp_path / "c.parquet"):
        assert only(Catalog.load(path), asin="B088H39PXX") == sample


def test_text_codes_keep_their_leading_zeros(tmp_path: Path) -> None:
    item = only(Catalog.load(write(tmp_path / "c.csv", "asin,upc\nB0XTEST001,012345678905\n")))

    assert item["upc"] == "012345678905"
    assert item["upcList"] == ["012345678905"]


def test_a_price_list_of_simple_columns_will_do(tmp_path: Path) -> None:
    text = (
        "\ufeffASIN;all_eans;Price;currency;marketplace;image;shelf\n"
        "b0xtest001;4006381333931|0012345678905;22.79;EUR;DE;https://images.example.com/1.jpg;7\n"
    )
    item = only(Catalog.load(write(tmp_path / "c.csv", text)), Domain.DE)

    assert item["ean"] == "4006381333931"
    assert item["eanList"] == ["4006381333931", "0012345678905"]
    assert item["lowestFormattedPrice"] == "22,79 €"
    assert item["smallImage"] == item["mediumImage"] == "https://images.example.com/1.jpg"
    assert item["images"] == ["https://images.example.com/1.jpg"]


@pytest.mark.parametrize(
    ("marketplace", "domain"),
    [
        ("DE", "de"),
        ("amazon.de", "de"),
        ("www.amazon.co.jp", "jp"),
        ("US", "com"),
        ("GB", "uk"),
        ("co.uk", "uk"),
        ("amazon.com", "com"),
        ("com.au", "au"),
        ("amazon.com.mx", "mx"),
        ("ca", "ca"),
    ],
)
def test_a_marketplace_may_be_written_in_many_ways(marketplace: str, domain: str) -> None:
    catalog = Catalog([{"asin": "B0XTEST001", "price": 5, "marketplace": marketplace}])

    assert [here for here in Domain if only(catalog, here)["lowestNewPrice"] is not None] == [domain]


def test_elsewhere_a_product_keeps_its_identity_and_loses_its_offer(sample: Item) -> None:
    catalog = Catalog([{**sample, "domain": "com"}])
    elsewhere = only(catalog, Domain.DE, "B088H39PXX")

    offer = {"lowestNewPrice", "lowestFormattedPrice", "totalNew", "soldByAmazon", "bsr"}
    assert {key for key in sample if elsewhere[key] != sample[key]} == offer
    assert all(elsewhere[key] is None for key in offer)


def test_another_row_of_the_same_asin_gives_its_marketplaces_offer() -> None:
    catalog = Catalog(
        [
            {"asin": "B0XTEST001", "domain": "com", "title": "Hedgehog", "brand": "Gizzelby", "price": 10},
            {"asin": "B0XTEST001", "domain": "de", "title": "Igel", "price": 12.5, "upc": "012345678905"},
        ]
    )

    assert (only(catalog)["title"], only(catalog)["lowestFormattedPrice"]) == ("Hedgehog", "$10.00")
    german = only(catalog, Domain.DE)
    assert (german["title"], german["brand"], german["lowestFormattedPrice"]) == ("Igel", "Gizzelby", "12,50 €")
    assert only(catalog, Domain.FR)["title"] == "Hedgehog"
    assert len(catalog) == 1
    assert catalog.lookup(CodeType.EAN, "0012345678905", Domain.COM) == [only(catalog)]


def test_without_a_marketplace_the_offer_holds_everywhere_in_local_dress() -> None:
    catalog = Catalog([{"asin": "B0XTEST001", "price": "1,234.50"}])

    shown = {domain: only(catalog, domain)["lowestFormattedPrice"] for domain in LOCAL}
    assert shown == {"com": "$1,234.50", "de": "1.234,50 €", "uk": "£1,234.50", "fr": "1\u202f234,50 €", "jp": "¥1,235"}


def test_a_formatted_price_in_the_file_is_left_alone() -> None:
    catalog = Catalog([{"asin": "B0XTEST001", "price": 5, "lowestFormattedPrice": "five", "domain": "com"}])

    assert only(catalog)["lowestFormattedPrice"] == "five"


def test_changing_an_answer_does_not_change_the_catalog() -> None:
    catalog = Catalog([{"asin": "B0XTEST001", "upc": "012345678905"}])
    only(catalog)["upcList"].append("nonsense")

    assert only(catalog)["upcList"] == ["012345678905"]


def test_an_asin_is_compared_as_written() -> None:
    catalog = Catalog([FLAT])

    assert catalog.lookup(CodeType.ASIN, "b0xtest001", Domain.COM) == []
    assert list(catalog) == ["B0XTEST001"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("c.csv", "title,price\nX,1\n", "c.csv, row 2, column 'asin': is missing"),
        ("c.csv", "asin\nB0XTEST001\nB0X\n", "c.csv, row 3, column 'asin': 'B0X' is no ASIN"),
        ("c.csv", "asin,upc,upc\nB0XTEST001,,\n", "c.csv, row 1: has two columns 'upc'"),
        ("c.csv", "asin,Price\nB0XTEST001,cheap\n", "c.csv, row 2, column 'Price': 'cheap' is no price"),
        ("c.csv", 'asin,Price\nB0XTEST001,"22,79"\n', "c.csv, row 2, column 'Price': '22,79' is no price"),
        ("c.csv", "asin,upc\nB0XTEST001,1.2E+11\n", "c.csv, row 2, column 'upc': '1.2E+11' is no UPC or EAN"),
        ("c.csv", "asin,all_eans\nB0XTEST001,4006381333931|x\n", "row 2, column 'all_eans': 'x'"),
        ("c.csv", "asin,market place,bsr\nB0XTEST001,br,9\n", "row 2, column 'market place': 'br' is no marketplace"),
        ("c.csv", "asin,package_height\nB0XTEST001,tall\n", "row 2, column 'package_height': 'tall'"),
        ("c.csv", "asin,bsr\nB0XTEST001,-1\n", "row 2, column 'bsr': '-1'"),
        ("c.csv", "asin,price,lowestNewPrice\nB0XTEST001,1,2\n", "row 2, column 'lowestNewPrice': holds the same"),
        ("c.csv", "asin,title\nB0XTEST001,a,b\n", "c.csv, row 2: has 3 values for 2 columns"),
        ("c.csv", 'asin,title\nB0XTEST001,"a\n', "c.csv, row 2: is no CSV"),
        ("c.jsonl", '{"asin": "B0XTEST001"}\n{"asin": \n', "c.jsonl, row 2: is no JSON"),
        ("c.jsonl", '["B0XTEST001"]\n', "c.jsonl, row 1: is no JSON object"),
        ("c.jsonl", '{"asin": "B0XTEST001", "price": NaN}\n', "row 1, column 'price': nan"),
        ("c.jsonl", '{"asin": "B0XTEST001", "upc": 1.5}\n', "row 1, column 'upc': 1.5"),
        ("c.jsonl", '{"title": "X"}\n', "c.jsonl, row 1, column 'asin': is missing"),
        ("c.parquet", "PAR2", "c.parquet: is no readable parquet file"),
        ("c.xlsx", "", "c.xlsx: a catalog is a .csv, .jsonl, .parquet file"),
    ],
)
def test_a_bad_file_is_refused_with_file_row_and_column(tmp_path: Path, name: str, text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        Catalog.load(write(tmp_path / name, text))

    assert words in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_file_that_is_not_there_or_no_utf8_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes("asin,title\nB0XTEST001,Größe\n".encode("latin-1"))

    with pytest.raises(InputError, match=r"latin\.csv: is not UTF-8 text"):
        Catalog.load(tmp_path / "latin.csv")
    with pytest.raises(InputError, match=r"none\.csv: No such file"):
        Catalog.load(tmp_path / "none.csv")


@pytest.mark.skipif(not (CORPUS / "catalog.csv").exists(), reason="the corpus is not on this machine")
def test_the_corpus_catalog_loads_whole() -> None:
    catalog = Catalog.load(CORPUS / "catalog.csv")

    assert len(catalog) == 8_968
    answers = catalog.lookup(CodeType.UPC, "814914025376", Domain.DE)
    assert ("B07KXMWHBY", "151,59 €") in [(item["asin"], item["lowestFormattedPrice"]) for item in answers]
    assert only(catalog, Domain.COM, "B07KXMWHBY")["lowestNewPrice"] is None
    assert only(catalog, Domain.DE, "B09LG1L3SW")["lowestNewPrice"] == 268.18  # "268.18 -C0A" in the file


def test_the_shipped_catalog_has_a_thousand_products_in_many_marketplaces() -> None:
    catalog = Catalog.shipped()
    offers = {
        domain: [asin for asin in catalog if only(catalog, domain, asin)["totalNew"] is not None] for domain in Domain
    }

    assert len(catalog) == 1_000
    assert {domain for domain, sold in offers.items() if len(sold) > 100} == {"com", "ca", "uk", "au", "de", "fr", "jp"}
    both = set(offers[Domain.COM]) & set(offers[Domain.DE])
    differing = [a for a in both if only(catalog, Domain.COM, a) != only(catalog, Domain.DE, a)]
    assert len(differing) > 50


def test_the_shipped_catalog_has_valid_codes_shared_ones_and_gaps() -> None:
    catalog = Catalog.shipped()
    items = [only(catalog, Domain.COM, asin) for asin in catalog]
    codes = {code for item in items for code in (*(item["upcList"] or ()), *(item["eanList"] or ()))}

    assert all(ean.is_valid(code) for code in codes)
    shared = [len(catalog.lookup(CodeType.EAN, code, Domain.COM)) for code in codes]
    assert {1, 2, 3} == set(shared)
    assert any(len(item["upcList"] or ()) > 1 for item in items)
    for gap in ("upc", "ean", "mpn", "packageDimensions", "images", "bsr", "lowestNewPrice"):
        assert any(item[gap] is None for item in items), gap
    for start in ("=", "+"):
        assert any(item["title"].startswith(start) for item in items)
    assert any("\n" in item["title"] for item in items)
    assert all(url.startswith("https://images.example.com/") for item in items for url in item["images"] or ())
