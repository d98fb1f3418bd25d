"""What headers say, in the languages that merchandisers write them in."""

from __future__ import annotations

import pytest

from enricher.codes.headers import is_never_codes, kind_of_header, names_another_article, names_some_code


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("asin", ["ASIN", "asin", "asin1", "Amazon ASIN", "ASIN-Code", "Artikel (ASIN)", "product_asin", "ASIN:"]),
        ("isbn", ["ISBN", "isbn10", "ISBN-10", "ISBN Number"]),
        ("upc", ["UPC", "UPC-A", "upc code", "standardUpc", "Item UPC", "Product Codes: UPC", "UPC#", "UPC_12"]),
        ("upc_e", ["UPC-E", "upce", "UPC E"]),
        ("ean8", ["EAN-8", "EAN8", "ean_8", "GTIN-8"]),
        (
            "ean",
            [
                *("EAN", "EAN13", "EAN 13", "EAN-Code", "ean_code", "Code EAN article", "EAN-Nummer", "Codice EAN"),
                *("Product Codes: EAN", "Barkod (EAN Number)", "Kod EAN", "JAN", "JANコード", "isbn13", "ISBN-13"),
                *("Código EAN", "Ean-kod", "EANs"),
            ],
        ),
        (
            "gtin",
            [
                *("GTIN", "gtin14", "Variant Barcode", "Barcode", "barcodes", "Barkod", "Barkodu", "Strichcode"),
                *("Code barre", "Code-barres", "Codes barres", "Código de barras", "Codigo de barras", "Streepjescode"),
                *("Codice a barre", "Kod kreskowy", "Streckkod", "Strekkode", "Stregkode", "Viivakoodi"),
                *("バーコード", "条形码", "Штрихкод"),
            ],
        ),
    ],
)
def test_a_header_names_a_kind_of_code_in_many_languages(kind: str, headers: list[str]) -> None:
    assert {header: kind_of_header(header) for header in headers} == dict.fromkeys(headers, kind)


@pytest.mark.parametrize("header", ["UPC e EAN", "EAN e UPC", "UPC (e-commerce)"])
def test_an_e_beside_upc_means_upc_e_only_right_behind_it(header: str) -> None:
    assert kind_of_header(header) != "upc_e"


@pytest.mark.parametrize("header", ["EANcode", "EANCode", "UPCCode", "ASINs", "GTINCode", "codebarre", "Codebarres"])
def test_a_header_in_one_word_names_its_kind_too(header: str) -> None:
    assert kind_of_header(header) is not None


@pytest.mark.parametrize(
    "header",
    ["", "Title", "Ocean", "Cleaning", "JANUARY", "Japan", "Beans", "Price", "Item", "Artikel", "Occupancy", "No."],
)
def test_other_headers_name_none(header: str) -> None:
    assert kind_of_header(header) is None
    assert not names_some_code(header)


@pytest.mark.parametrize(
    "header", ["FNSKU", "fnsku", "SKU", "sellerSku", "Seller SKU", "EAN price", "UPC qty", "Preis"]
)
def test_what_is_never_a_code_names_none(header: str) -> None:
    assert is_never_codes(header)
    assert kind_of_header(header) is None


@pytest.mark.parametrize("header", ["product-id", "external_product_id", "Code", "Codigo", "Item code", "productId"])
def test_a_header_may_speak_of_a_code_of_any_kind(header: str) -> None:
    assert names_some_code(header)
    assert kind_of_header(header) is None


@pytest.mark.parametrize(
    "header", ["Parent ASIN", "Case UPC", "EAN Umkarton", "Carton GTIN", "Competitor ASIN", "Old EAN"]
)
def test_a_header_may_speak_of_another_article(header: str) -> None:
    assert names_another_article(header)
    assert kind_of_header(header) is not None
