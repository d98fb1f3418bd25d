"""What stands around a code doesn't matter, and what is no code never turns into one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enricher.codes import Policy
from enricher.model import CodeType
from tests.codes.reading import ASINS, EANS, ISBNS, UPCS, read, read_column


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ('="0367672960"', "0367672960"),
        ('"""1499810695"""', "1499810695"),
        ("ISBN 0-439-02348-3", "0439023483"),
        ("ISBN-10: 080442957x", "080442957X"),
        ("b088h39pxx", "B088H39PXX"),
        ("\u00a0B088H39PXX ", "B088H39PXX"),
        ("\ufeffB088H39PXX\u200b", "B088H39PXX"),
        ("ASIN: B088H39PXX", "B088H39PXX"),
        ("B088H39PXX (blue)", "B088H39PXX"),
        ("\uff22\uff10\uff18\uff18\uff28\uff13\uff19\uff30\uff38\uff38", "B088H39PXX"),
        ("https://www.amazon.com/gp/product/B01IG0E1F0/ref=s9u", "B01IG0E1F0"),
        ("https://amazon.com/s?asin=B01IG0E1F0&x=1", "B01IG0E1F0"),
        ('=HYPERLINK("https://www.amazon.com/dp/B01IG0E1F0";"B01IG0E1F0")', "B01IG0E1F0"),
    ],
)
def test_an_asin_is_read_through_what_stands_around_it(cell: str, code: str) -> None:
    result = read(cell, "ASIN", ASINS)
    assert (result.code, result.code_type) == (code, CodeType.ASIN)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("'7350177880121", "7350177880121"),
        ("&#39;7350177880121", "7350177880121"),
        ("['00885561220629']", "885561220629"),
        ("['00885561220629', '885561220629']", "885561220629"),
        ("8902102164166 :1", "8902102164166"),
        ("5905910443594-FNSKU", "5905910443594"),
        ("4006381333931 (2 Stk.)", "4006381333931"),
        ("4006381333931.0", "4006381333931"),
        ("4006381333931,00", "4006381333931"),
        ("EAN: 4006381333931", "4006381333931"),
        ("ean-13 #4006381333931", "4006381333931"),
        ("GTIN 04006381333931", "4006381333931"),
        ("(01)04006381333931(17)260101", "4006381333931"),
        ("978-0-439-02348-1", "9780439023481"),
        ("978\u20130\u2013439\u201302348\u20131", "9780439023481"),
        ("ISBN-13: 978-0439023481", "9780439023481"),
        ("4 006381 333931", "4006381333931"),
        ("400-638133 393 1", "4006381333931"),
        ("4.006.381.333.931", "4006381333931"),
        ("4,006,381,333,931", "4006381333931"),
        ("4'006'381'333'931", "4006381333931"),
        ("0 12345 67890 5", "012345678905"),
        ("\u0664\u0660\u0660\u0666\u0663\u0668\u0661\u0663\u0663\u0663\u0669\u0663\u0661", "4006381333931"),
        ("EAN 8 902102 164166", "8902102164166"),
    ],
)
def test_a_gtin_is_read_through_what_stands_around_it(cell: str, code: str) -> None:
    assert read(cell, "EAN", EANS).code == code


def test_numbers_in_addresses_are_codes_where_all_have_the_right_check_digit() -> None:
    addresses = [f"https://shop.example/p/{code}?x=1" for code in EANS]
    assert [result.code for result in read_column(addresses, "EAN")] == EANS
    assert "need not be the product's number" in read(addresses[0], "EAN", EANS).note


def test_what_was_picked_out_of_a_text_or_an_address_is_said() -> None:
    assert read("8902102164166 :1", "EAN", EANS).note == "code taken from the text around it: 8902102164166"
    assert read("www.amazon.com/dp/B01IG0E1F0", "ASIN", ASINS).note == "B01IG0E1F0 taken from the address"
    assert not read('="8902102164166"', "EAN", EANS).note


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("7301433152896, 0730143315289", "7301433152896"),
        ("7301433152895, 0730143315289", "730143315289"),
        ("2012345678903 / 4006381333931", "4006381333931"),
        ("14006381333938;4006381333931", "4006381333931"),
        ("4006381333931 4210201072959", "4006381333931"),
        ("B088H39PXX, B01NAL48FU", "B088H39PXX"),
        ("EAN 4006381333931 UPC 012345678905", "4006381333931"),
        ("\n".join(EANS * 20), EANS[0]),
    ],
)
def test_of_several_codes_in_a_cell_the_first_valid_one_is_taken_and_said(cell: str, code: str) -> None:
    result = read(cell, "EAN", EANS)
    assert result.code == code
    assert result.note == f"several codes in the cell; took {code}, the first valid one"


def test_of_several_codes_in_a_cell_the_first_of_the_wanted_type_is_taken() -> None:
    assert read("B088H39PXX (4006381333931)", "EAN", EANS, policy=Policy(wanted=CodeType.EAN)).code == "4006381333931"
    assert read("4006381333931 / B088H39PXX", "ASIN", ASINS, policy=Policy(wanted=CodeType.ASIN)).code == "B088H39PXX"


@pytest.mark.parametrize("cell", ["2024-01-03", "20240103", "03.01.2024", "20240110", "2024/01/27", "'2024-01-27"])
def test_a_date_is_never_read_as_an_ean_8(cell: str) -> None:
    assert read(cell, "EAN", EANS)[::2] == (None, "a date, not a code")


@pytest.mark.parametrize(
    "cell",
    ["BLUE123456", "B1-2345-6789", "BX 1234567 8", "B0-1234-5678", "W-10077", "BASKETBALL", "12345", "0-0"],
)
def test_pieces_of_something_else_are_never_put_together(cell: str) -> None:
    result = read(cell, "EAN", EANS)
    assert result.code is None
    assert result.note


@pytest.mark.parametrize(
    "cell", ["123456.70", "9638507.4", "96.385074", "40063813.33931", "0.123456789012", "4.00638133393155E+12"]
)
def test_a_decimal_number_is_no_code(cell: str) -> None:
    assert read(cell, "EAN", EANS, numeric=True).code is None


@pytest.mark.parametrize("cell", ["012345678905\u2070", "793610399007\u2074", "730143315289\u2076"])
def test_the_mark_of_a_footnote_is_no_digit(cell: str) -> None:
    assert read(cell, "EAN", EANS).code in {None, cell[:-1]}


@pytest.mark.parametrize(
    "address",
    [
        "https://www.amazon.com/Some-Author/e/B000AQ0842",
        "https://www.amazon.com/stores/author/B000AQ0842/about",
        "https://www.amazon.com/s?k=lego&qid=1596240000003",
    ],
)
def test_not_every_number_in_an_amazon_address_is_a_product(address: str) -> None:
    assert read(address, "ASIN", ASINS).code is None


def test_numbers_in_addresses_are_no_codes_because_one_in_ten_passes() -> None:
    addresses = [f"https://shop.example/item/{number}" for number in range(41_239_400, 41_239_500)]
    assert not any(result.code for result in read_column(addresses, "EAN link"))


@pytest.mark.parametrize("cell", ["", " ", "\u00a0", "\t\n", "-", "\u2013", "n/a", "NA", "None", "null", "nan", "''"])
def test_an_empty_cell_gives_neither_a_code_nor_a_reason(cell: str) -> None:
    assert read(cell, "EAN", EANS) == (None, None, "", None)


@pytest.mark.parametrize(
    "cell",
    ["\u2776", "\u2780", "\u1369", "9" * 5000, "1E" + "9" * 50, "1E99", "\u0664" * 13, "\x00", "{code}", "%", "//"],
)
def test_an_odd_cell_is_data_and_no_crash(cell: str) -> None:
    assert read(cell, "EAN", EANS).note


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 20), st.booleans())
def test_any_cell_at_all_is_a_code_or_blank_or_has_a_reason(text: str, zeros: int, numeric: bool) -> None:  # noqa: FBT001
    result = read(text, "EAN", EANS, numeric=numeric, zeros=zeros)
    letters = "".join(char for char in text if char.isascii() and char.isalnum())
    assert result.code or result.note or letters.casefold() in {"", "na", "none", "null", "nan"}


_SEPARATED = st.sampled_from(
    ["{}", "'{}", '"{}"', '="{}"', '"""{}"""', "['{}']", "({})", "<{}>", "{},", " {}", "{}\u200b"]
)
_SPACED = st.sampled_from(["{}", " {}", "{} ", "\u00a0{}", "{}\u00a0\t", "\ufeff{}", "{}\n", "\u3000{}"])


@given(
    st.sampled_from(EANS), _SEPARATED, _SPACED, st.sampled_from(["{}", "{}.0", "EAN: {}", "GTIN {}", "0{}", "000{}"])
)
def test_any_dress_of_an_ean_reads_back_to_it(code: str, inner: str, outer: str, innermost: str) -> None:
    assert read(outer.format(inner.format(innermost.format(code))), "EAN", EANS).code == code


@given(
    st.sampled_from(UPCS), _SEPARATED, _SPACED, st.sampled_from(["{}", "{}.0", "UPC: {}", "UPC-A {}", "0{}", "00{}"])
)
def test_any_dress_of_a_upc_reads_back_to_it(code: str, inner: str, outer: str, innermost: str) -> None:
    assert read(outer.format(inner.format(innermost.format(code))), "UPC", UPCS).code == code


@given(st.sampled_from(ASINS), _SEPARATED, _SPACED, st.sampled_from(["{}", "ASIN: {}", "asin {}"]), st.booleans())
def test_any_dress_of_an_asin_reads_back_to_it(code: str, inner: str, outer: str, innermost: str, lower: bool) -> None:  # noqa: FBT001
    cell = outer.format(inner.format(innermost.format(code)))
    assert read(cell.lower() if lower else cell, "ASIN", ASINS).code == code


@given(st.sampled_from(ISBNS), _SEPARATED, _SPACED, st.sampled_from(["{}", "ISBN {}", "ISBN-10: {}"]), st.data())
def test_any_dress_of_an_isbn_10_reads_back_to_it(
    code: str, inner: str, outer: str, innermost: str, data: st.DataObject
) -> None:
    first, second = data.draw(st.tuples(st.integers(1, 4), st.integers(5, 8)))
    hyphenated = f"{code[:first]}-{code[first:second]}-{code[second:9]}-{code[9]}"
    cell = data.draw(st.sampled_from([code, hyphenated, hyphenated.replace("-", " "), code.lower()]))
    assert read(outer.format(inner.format(innermost.format(cell))), "ISBN", ISBNS).code == code
