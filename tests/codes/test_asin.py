from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import isbn

from enricher.codes import asin, marketplaces
from enricher.model import Domain

if TYPE_CHECKING:
    from pathlib import Path

OWN, BOOK = "B088H39PXX", "0367672960"

MARKED = [
    "/dp/{}",
    "/dp/product/{}",
    "/dp/{}/ref=sr_1_3?keywords=lego&qid=1596240000",
    "/Some-Name-10-Pack/dp/{}?th=1&psc=1",
    "/Ale-Navide%C3%B1o/dp/{}/",
    "/Some%20Name/dp/{}",
    "/-/en/dp/{}",
    "/-/en/Some-Name/dp/{}",
    "/gp/product/{}/ref=s9u_nwrsa_gw_i3?ie=UTF8&fpl=fresh",
    "/gp/aw/d/{}",
    "/gp/aw/ol/{}",
    "/gp/offer-listing/{}/ref=dp_olp_new?condition=new",
    "/gp/product/glance/{}",
    "/gp/reader/{}",
    "/exec/obidos/ASIN/{}",
    "/exec/obidos/ASIN/{}/ref=nosim/tag-20",
    "/exec/obidos/tg/detail/-/{}",
    "/o/ASIN/{}",
    "/d/{}",
    "/d/Hair-Gel/Eco-Styler-Olive-Oil-Styling/{}",
    "/Some-Name/product-reviews/{}/ref=cm_cr?reviewerType=all",
    "/review/product/{}",
    "/review/R1ABCDEF234567/ref=cm_cr?ie=UTF8&ASIN={}",
    "/gp/customer-reviews/R1ABCDEF234567/ref=cm?ASIN={}",
    "/gp/customer-reviews/{}",
    "/review/create-review/?asin={}",
    "/s?asin={}&x=1",
    "/gp/aws/cart/add.html?ASIN.1={}&Quantity.1=1",
    "/gp/redirect.html?tag=x-20&amp;creativeASIN={}",
    "/gp/slredirect/picassoRedirect.html?ie=UTF8&adId=A0&url=%2FSome-Name%2Fdp%2F{}%2Fref%3Dsr_1_1%3Fth%3D1&qualifier=1",
    "/gp/r.html?U=https%253A%252F%252Fwww.amazon.de%252Fdp%252F{}%252Fref",
    "//dp/{}",
    ":443/dp/{}",
    "/dp/{}#customerReviews",
    "/dp/{}, the blue one",
    "/dp/{})",
]


@pytest.mark.parametrize("code", [OWN, BOOK, "080442957X"])
@pytest.mark.parametrize("shape", MARKED)
def test_an_address_of_any_shape_gives_its_asin(shape: str, code: str) -> None:
    assert asin.from_url("https://www.amazon.de" + shape.format(code)) == (code, "www.amazon.de")
    assert asin.from_url("www.amazon.de" + shape.format(code.lower())) == (code, "www.amazon.de")


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("amazon.com", "amazon.com"),
        ("HTTPS://WWW.AMAZON.CO.JP", "www.amazon.co.jp"),
        ("http://smile.amazon.co.uk", "smile.amazon.co.uk"),
        ("m.amazon.com.mx", "m.amazon.com.mx"),
        ("//www.amazon.in", "www.amazon.in"),
        ("https://sellercentral.amazon.de", "sellercentral.amazon.de"),
        ("https://www.amazon.com.br", "www.amazon.com.br"),
        ("https://amzn.com", "amzn.com"),
    ],
)
def test_the_host_is_given_in_lower_case(address: str, host: str) -> None:
    assert asin.from_url(f"{address}/dp/{OWN}") == (OWN, host)


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("https://www.amazon.de/dp/B088H39PXX";"link")',
        "see https://www.amazon.de/dp/B088H39PXX (blue)",
        "Link:www.amazon.de/dp/B088H39PXX",
        "<https://www.amazon.de/dp/B088H39PXX>",
        "'https://www.amazon.de/dp/B088H39PXX",
        "https://www.amazon.de/Some name with spaces/dp/B088H39PXX",
        "https://www.google.com/url?q=https%3A%2F%2Fwww.amazon.de%2Fdp%2FB088H39PXX&sa=D",
    ],
)
def test_an_address_may_stand_in_a_text(text: str) -> None:
    assert asin.from_url(text) == (OWN, "www.amazon.de")


@pytest.mark.parametrize("path", ["/B088H39PXX", "/Some-Name/B088H39PXX/ref=x", "/gp/video/detail/b088h39pxx?x=1"])
def test_an_own_asin_may_be_any_whole_segment(path: str) -> None:
    assert asin.from_url(f"https://www.amazon.com{path}") == (OWN, "www.amazon.com")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/s?k=lego",
        "/s?k=B088H39PXX",
        f"/{BOOK}",
        f"/Some-Name/{BOOK}/ref=x",
        "/dp/0367672961",
        "/dp/BASKETBALL",
        "/dp/B088H39PXX1",
        "/B088H39PXX-Some-Name",
        "/review/R1ABCDEF234567",
        "/gp/browse.html?node=1234567890",
        "/Some-Author/e/B000AQ0842",
        "/stores/author/B000AQ0842/about",
    ],
)
def test_an_address_without_an_asin_gives_none(path: str) -> None:
    assert asin.from_url(f"https://www.amazon.com{path}") is None


def test_a_marker_outweighs_a_mere_segment() -> None:
    assert asin.from_url(f"https://www.amazon.com/B000000001/dp/{OWN}") == (OWN, "www.amazon.com")


@pytest.mark.parametrize(
    "text",
    [
        "notamazon.com/dp/B088H39PXX",
        "https://notamazon.com/dp/B088H39PXX",
        "https://not-amazon.com/dp/B088H39PXX",
        "https://amazon.com.evil.io/dp/B088H39PXX",
        "https://amazon.com-evil.io/dp/B088H39PXX",
        "https://amazon.com@evil.io/dp/B088H39PXX",
        "https://amazon.com:80@evil.io/dp/B088H39PXX",
        "https://evil.io/amazon.com/dp/B088H39PXX",
        "https://evil.io/dp/B088H39PXX?from=amazon.com",
        "someone@amazon.com/dp/B088H39PXX",
        "https://m.media-amazon.com/images/I/B088H39PXX.jpg",
        "https://notkeepa.com/#!product/1-B088H39PXX",
    ],
)
def test_a_host_that_only_looks_like_amazon_gives_none(text: str) -> None:
    assert asin.from_url(text) is None


@pytest.mark.parametrize("text", ["https://amzn.to/3xYzAbC", "https://amzn.eu/d/abc1234", "a.co/d/xyz", "amzn.com/x"])
def test_a_short_link_without_an_asin_gives_none(text: str) -> None:
    assert asin.from_url(text) is None


def test_another_sites_number_is_not_amazons() -> None:
    assert asin.from_url("https://www.amazon.de/ https://shop.example/product/B088H39PXX") is None
    both = "https://www.amazon.de/ https://www.amazon.fr/dp/B088H39PXX"
    assert asin.from_url(both) == (OWN, "www.amazon.fr")


@pytest.mark.parametrize("code", [OWN, BOOK])
@pytest.mark.parametrize(
    "address", ["https://keepa.com/#!product/3-{}", "keepa.com/#!product/3-{}|tab", "www.keepa.com/#product/3-{} x"]
)
def test_keepas_address_gives_the_asin_and_the_marketplace(address: str, code: str) -> None:
    found = asin.from_url(address.format(code))
    assert found == (code, "amazon.de")
    assert marketplaces.parse(found[1]) is marketplaces.parse(address.format(code).split()[0]) is Domain.DE


def test_keepas_address_of_a_site_that_is_not_offered_names_that_site() -> None:
    assert asin.from_url(f"https://keepa.com/#!product/12-{OWN}") == (OWN, "amazon.com.br")


@pytest.mark.parametrize(
    "text", ["https://keepa.com/#!product/99-B088H39PXX", "https://keepa.com/#!deals", "keepa.com"]
)
def test_keepas_other_addresses_give_none(text: str) -> None:
    assert asin.from_url(text) is None


@pytest.mark.parametrize("text", ["", "B088H39PXX", "amazon", "[amazon.de/", "//[", "http://[::1", "%", "a." * 20_000])
def test_an_odd_text_gives_none(text: str) -> None:
    assert asin.from_url(text) is None


@given(st.text())
def test_any_text_without_an_address_gives_none(text: str) -> None:
    assert asin.from_url(text) is None


def test_published_isbns_convert_both_ways(corpus: Path) -> None:
    for vector in json.loads((corpus / "code_vectors.json").read_text(encoding="utf-8"))["isbn"]:
        compact = re.sub(r"[\s-]", "", vector["value"]).upper()
        if len(compact) == asin.LENGTH and vector["isbn13"]:
            assert asin.to_isbn13(compact) == vector["isbn13"]
            assert asin.from_isbn13(vector["isbn13"]) == compact
        elif len(compact) == 13:
            is_book = vector["valid"] and compact.startswith("978")
            assert (asin.from_isbn13(compact) is not None) == is_book, vector


@pytest.mark.parametrize(
    "ean", ["9791843123391", "4006381333931", "9780804429570", "080442957X", "", "978080442957X", "97808044295735"]
)
def test_what_is_no_978_has_no_isbn10(ean: str) -> None:
    assert asin.from_isbn13(ean) is None


@given(st.from_regex(r"[0-9]{9}", fullmatch=True))
def test_stdnum_agrees_on_every_book(body: str) -> None:
    for check in "0123456789X":
        assert asin.is_isbn10(body + check) == isbn.is_valid(body + check)
    isbn13 = asin.to_isbn13(body + "0")
    isbn10 = asin.from_isbn13(isbn13)
    assert isbn10 is not None
    assert isbn13 == isbn.to_isbn13(isbn10)
    assert asin.to_isbn13(isbn10) == isbn13
