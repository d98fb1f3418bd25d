"""The marketplace of a row: from its column or an address, never guessed, and never two."""

from __future__ import annotations

import pytest

from enricher.keys import unpack
from enricher.model import CodeType, Domain
from tests.codes.reading import ASINS, EANS, cells, codes_of, identify, read

ASIN = "B088H39PXX"


def asked_in(marketplace: str | None, cell: str = ASIN) -> tuple[Domain | None, str]:
    """Tell where a code is asked for whose row names a marketplace, and what is said about it."""
    found = identify(("ASIN", cells([cell])), domains=cells([marketplace]))
    packed = int(found.candidates[0][0])
    return unpack([packed])[0].domain if packed else None, found.notes[0].get(0, "")


@pytest.mark.parametrize(
    ("marketplace", "domain"),
    [
        *(
            (name, Domain.DE)
            for name in ("de", "DE", "amazon.de", "Germany", "Deutschland", "A1PA6795UKMFR9", "3", "3.0")
        ),
        *((name, Domain.UK) for name in ("Amazon.co.uk", "UK", "GB", "United Kingdom", "https://www.amazon.co.uk/")),
        *((name, Domain.COM) for name in ("com", "US", "USA", "www.amazon.com")),
    ],
)
def test_each_row_is_asked_for_in_its_own_marketplace(marketplace: str, domain: Domain) -> None:
    assert asked_in(marketplace) == (domain, "")


@pytest.mark.parametrize("marketplace", ["Narnia", "amazon.com.br", "de, fr", "99"])
def test_an_unknown_marketplace_is_reported_and_never_defaulted(marketplace: str) -> None:
    assert asked_in(marketplace) == (None, f"unknown marketplace {marketplace!r}")


@pytest.mark.parametrize("marketplace", [None, "", " \u00a0"])
def test_a_row_without_a_marketplace_gets_the_default_and_is_told(marketplace: str | None) -> None:
    assert asked_in(marketplace) == (Domain.COM, "no marketplace in the row, so com")


def test_a_row_without_a_code_needs_no_marketplace() -> None:
    found = identify(("ASIN", cells([None, "", ASIN])), domains=cells(["Narnia", None, "Narnia"]))
    assert found.invalid.tolist() == [False, False, True]
    assert list(found.notes[0]) == [2]
    assert [(problem.reason.what, problem.rows) for problem in found.problems(found.invalid)] == [
        ("unknown marketplace", 1)
    ]


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("https://www.amazon.co.uk/dp/B088H39PXX", Domain.UK),
        ("amazon.de/gp/product/B088H39PXX?th=1", Domain.DE),
        ("https://www.amazon.com.mx/Some-Name/dp/B088H39PXX", Domain.MX),
        ("https://keepa.com/#!product/3-B088H39PXX", Domain.DE),
        ("https://www.amazon.de/s?k=B088H39PXX", Domain.DE),
    ],
)
def test_the_marketplace_comes_from_the_address(address: str, domain: Domain) -> None:
    result = read(address, "Link", ASINS)
    assert (result.code, result.domain) == (ASIN, domain)


def test_an_ean_in_an_amazon_address_is_asked_for_there() -> None:
    result = read("https://www.amazon.de/s?k=4006381333931", "EAN", EANS)
    assert result[:2] == ("4006381333931", CodeType.EAN)
    assert result.domain is Domain.DE


@pytest.mark.parametrize(
    "address",
    [
        "https://www.amazon.com.br/dp/B088H39PXX",
        "https://keepa.com/#!product/12-B088H39PXX",
        "https://www.amazon.com.br/s?k=B088H39PXX",
    ],
)
def test_the_address_of_a_marketplace_that_is_not_offered_is_reported(address: str) -> None:
    result = read(address, "Link", ASINS)
    assert result.code is None
    assert "a marketplace that the service does not offer" in result.note


def test_an_address_and_a_column_may_agree() -> None:
    address = f"https://www.amazon.de/dp/{ASIN}"
    assert asked_in("Germany", address) == (Domain.DE, f"{ASIN} taken from the address")


def test_an_address_and_a_column_may_not_contradict_each_other() -> None:
    found = identify(("Link", cells([f"https://www.amazon.de/dp/{ASIN}", ASIN])), domains=cells(["fr", "fr"]))
    assert codes_of(found) == [None, ASIN]
    assert found.invalid.tolist() == [True, False]
    assert found.notes[0] == {0: "the address names another marketplace than the row"}


@pytest.mark.parametrize("marketplace", [None, ""])
def test_an_address_counts_where_the_column_is_empty(marketplace: str | None) -> None:
    address = f"https://www.amazon.de/dp/{ASIN}"
    assert asked_in(marketplace, address) == (Domain.DE, f"{ASIN} taken from the address")


def test_the_same_code_in_two_marketplaces_is_asked_for_twice() -> None:
    found = identify(("ASIN", cells([ASIN])), ("Link", cells([f"https://www.amazon.de/dp/{ASIN}"])))
    domains = [unpack([int(keys[0])])[0].domain for keys in found.candidates]
    assert domains == [Domain.COM, Domain.DE]
