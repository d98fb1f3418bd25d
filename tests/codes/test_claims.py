"""What the column beside a code says about its type: obeyed, and where it can't be, reported."""

from __future__ import annotations

import pytest

from enricher.codes import Policy
from enricher.codes.claims import claim_column
from enricher.model import CodeType
from tests.codes.reading import EANS, cells, codes_of, identify


def claimed(cell: str, claim: str | None, wanted: CodeType | None = None) -> tuple[str | None, str]:
    """Read a product-id beside its product-id-type, in a column of many kinds."""
    codes, claims = [cell, *EANS, "B088H39PXX"], [claim, *("4" for _ in EANS), "1"]
    found = identify(("product-id", cells(codes)), claims=cells(claims), policy=Policy(wanted=wanted))
    return codes_of(found)[0], found.notes[0].get(0, "")


@pytest.mark.parametrize(
    ("claim", "cell", "code"),
    [
        *((claim, "B088H39PXX", "B088H39PXX") for claim in ("1", "1.0", "ASIN", "asin", " Asin ")),
        *((claim, "0439023483", "0439023483") for claim in ("1", "ASIN", "2", "ISBN", "isbn-10", "ISBN_10")),
        *((claim, "9780439023481", "9780439023481") for claim in ("2", "ISBN", "ISBN-13", "4", "EAN")),
        *((claim, "012345678905", "012345678905") for claim in ("3", "3.0", "UPC", "upc-a", "GTIN-12", "4", "EAN")),
        *((claim, "4006381333931", "4006381333931") for claim in ("4", "EAN", "EAN-13", "ean 13", "JAN", "GTIN")),
        ("1", "9780439023481", "0439023483"),
        ("3", "04182635", "041800000265"),
        ("3", "01234565", "012345000065"),
        ("4", "12345670", "12345670"),
        ("1", "B1A2B3C4D5", "B1A2B3C4D5"),
        ("2", "439023483", "0439023483"),
    ],
)
def test_a_code_is_read_as_what_its_row_says(claim: str, cell: str, code: str) -> None:
    assert claimed(cell, claim)[0] == code


@pytest.mark.parametrize(
    ("claim", "cell", "note"),
    [
        ("1", "4006381333931", "4006381333931 is an EAN, but its row says ASIN"),
        ("1", "012345678905", "012345678905 is a UPC or EAN, but its row says ASIN"),
        ("2", "B088H39PXX", "B088H39PXX is an ASIN, but its row says ISBN"),
        ("2", "4006381333931", "4006381333931 is an EAN, but its row says ISBN"),
        ("UPC", "B088H39PXX", "B088H39PXX is an ASIN, but its row says UPC"),
        ("3", "B1A2B3C4D5", "neither an ASIN nor a UPC or EAN"),
        ("4", "B088H39PXX", "B088H39PXX is an ASIN, but its row says EAN"),
        ("4", "080442957X", "080442957X is an ASIN, but its row says EAN"),
    ],
)
def test_a_code_that_is_not_what_its_row_says_is_reported(claim: str, cell: str, note: str) -> None:
    assert claimed(cell, claim) == (None, note)


@pytest.mark.parametrize("claim", ["5", "0", "SKU", "11", "private label"])
def test_an_unknown_type_is_reported_with_its_words(claim: str) -> None:
    code, note = claimed("4006381333931", claim)
    assert code is None
    assert note == f"the row's type of code is not known: {claim}"


@pytest.mark.parametrize("claim", [None, "", " "])
def test_a_row_may_leave_its_type_open(claim: str | None) -> None:
    assert claimed("4006381333931", claim) == ("4006381333931", "")


def test_a_row_without_a_code_needs_no_type() -> None:
    found = identify(("product-id", cells(["", None])), claims=cells(["5", "1"]))
    assert not found.invalid.any()
    assert not found.notes[0]


def test_a_lost_zero_comes_back_under_the_type_upc() -> None:
    found = identify(("product-id", cells(["36000291452", "B088H39PXX", None])), claims=cells(["3", "1", "1"]))
    assert codes_of(found) == ["036000291452", "B088H39PXX", None]


def test_the_type_asked_for_counts_beside_the_type_of_the_row() -> None:
    assert claimed("B088H39PXX", "1", CodeType.EAN)[0] is None
    assert claimed("9780439023481", "2", CodeType.ASIN)[0] == "0439023483"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["product-id", "price", "product-id-type"], 2),
        (["product-id-type", "x", "product-id"], None),
        (["external_product_id", "external_product_id_type"], 1),
        (["Barcode", "Barcode Type"], 1),
        (["productId", "Product ID Type"], 1),
        (["EAN", "type"], None),
        (["EAN", "UPC type"], None),
        (["", "type"], None),
        (["", ""], None),
    ],
)
def test_the_type_column_is_called_like_the_codes_own(names: list[str], found: int | None) -> None:
    assert claim_column(names, 0) == found
