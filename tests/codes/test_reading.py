from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enricher.codes.reading import Evidence, read
from enricher.model import CodeType, Domain

GTINS = Evidence(header="ean", gtin_share=0.9)
ASINS = Evidence(header="asin", asin_share=0.9)
UNKNOWN = Evidence()


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ('="0367672960"', "0367672960"),
        ('"""1499810695"""', "1499810695"),
        ("b088h39pxx", "B088H39PXX"),
        ("\u00a0B088H39PXX ", "B088H39PXX"),
        ("https://www.amazon.com/gp/product/B01IG0E1F0/ref=s9u", "B01IG0E1F0"),
        ("https://amazon.com/s?asin=B01IG0E1F0&x=1", "B01IG0E1F0"),
    ],
)
def test_an_asin_is_read_through_its_wrapping(cell: str, code: str) -> None:
    reading = read(cell, 0, ASINS, numeric=False)
    assert (reading.code, reading.code_type) == (code, CodeType.ASIN)


@pytest.mark.parametrize(
    ("cell", "code", "code_type"),
    [
        ("'7350177880121", "7350177880121", CodeType.EAN),
        ("['00885561220629']", "885561220629", CodeType.UPC),
        ("8902102164166 :1", "8902102164166", CodeType.EAN),
        ("5905910443594-FNSKU", "5905910443594", CodeType.EAN),
        ("4006381333931.0", "4006381333931", CodeType.EAN),
        ("400-638133 393 1", "4006381333931", CodeType.EAN),
        (
            "\uff14\uff10\uff10\uff16\uff13\uff18\uff11\uff13\uff13\uff13\uff19\uff13\uff11",
            "4006381333931",
            CodeType.EAN,
        ),
        ("7301433152895, 0730143315289", "730143315289", CodeType.UPC),
        ("0004006381333931", "4006381333931", CodeType.EAN),
        ("4.006381333931E+12", "4006381333931", CodeType.EAN),
    ],
)
def test_a_gtin_is_read_through_its_wrapping(cell: str, code: str, code_type: CodeType) -> None:
    reading = read(cell, 0, GTINS, numeric=False)
    assert (reading.code, reading.code_type) == (code, code_type)


@pytest.mark.parametrize("cell", ["8.49E+11", "3,76E+12", "9.78043902348e+12"])
def test_a_number_that_lost_digits_is_not_guessed(cell: str) -> None:
    reading = read(cell, 0, GTINS, numeric=False)
    assert reading.code is None
    assert "digits are lost" in reading.note


def test_a_wrong_check_digit_is_named_with_the_right_one() -> None:
    assert "098765432109 would have to end in 5" in read("098765432109", 0, GTINS, numeric=False).note


def test_a_lost_zero_comes_back_when_the_column_agrees() -> None:
    reading = read("12345678905", 0, GTINS, numeric=True)
    assert (reading.code, reading.note) == ("012345678905", "leading zero restored")


def test_a_lost_zero_stays_lost_without_evidence() -> None:
    reading = read("12345678905", 0, UNKNOWN, numeric=False)
    assert reading.code is None
    assert "012345678905" in reading.note


def test_a_number_format_of_zeros_is_evidence() -> None:
    assert read("12345678905", 12, UNKNOWN, numeric=True).code == "012345678905"


def test_eight_digits_that_can_be_two_things_are_reported() -> None:
    assert "EAN-8 or a short UPC-E" in read("01234565", 0, Evidence(header="upc"), numeric=False).note
    assert read("73513537", 0, Evidence(header="upc"), numeric=False).code == "73513537"


@pytest.mark.parametrize("cell", ["2024-01-03", "20240103", "03.01.2024", "20240110", "2024/01/27"])
def test_a_date_is_never_bought(cell: str) -> None:
    assert read(cell, 0, Evidence(header="ean", gtin_share=0.9), numeric=False).code is None


def test_ten_digits_in_a_column_of_upcs_are_no_book() -> None:
    for header in ("upc", "ean", "gtin"):
        reading = read("7329150614", 0, Evidence(header=header, asin_share=0.08, gtin_share=0.03), numeric=True)
        assert reading.code is None
        assert "can be an ISBN-10 or a UPC that lost zeros" in reading.note


@pytest.mark.parametrize("cell", ["BLUE123456", "B1-2345-6789", "BX 1234567 8", "B0-1234-5678"])
def test_what_only_adds_up_to_an_asin_is_none(cell: str) -> None:
    assert read(cell, 0, GTINS, numeric=False).code is None


@pytest.mark.parametrize("cell", ["\u2776", "\u2780", "\u1369", "9" * 5000, "1E" + "9" * 50, "\u0664" * 13])
def test_an_odd_cell_is_data_and_no_crash(cell: str) -> None:
    assert read(cell, 0, GTINS, numeric=False).note


@pytest.mark.parametrize("cell", ["'2012345678900", "0212345678909", "9912345678900"])
def test_an_in_store_number_is_never_bought(cell: str) -> None:
    reading = read(cell, 0, GTINS, numeric=False)
    assert reading.code is None


def test_a_case_pack_is_another_article() -> None:
    assert "GTIN-14 of a case" in read("14006381333938", 0, GTINS, numeric=False).note


def test_the_marketplace_comes_from_the_address() -> None:
    assert read("https://www.amazon.co.uk/dp/B003E7UNE4", 0, ASINS, numeric=False).domain is Domain.UK


def test_a_marketplace_that_is_not_offered_is_reported() -> None:
    reading = read("https://www.amazon.com.br/dp/B003E7UNE4", 0, ASINS, numeric=False)
    assert reading.code is None
    assert "amazon.com.br" in reading.note


@pytest.mark.parametrize(
    "cell", ["X001XNL7UV", "W-10077", "BASKETBALL", "12345", "n/a", "1596240000000", "0000000000000"]
)
def test_what_is_no_code_is_never_read_as_one(cell: str) -> None:
    reading = read(cell, 0, UNKNOWN, numeric=False)
    assert reading.code is None
    assert reading.note


@given(st.text(max_size=40), st.integers(0, 20), st.booleans())
def test_any_cell_is_a_code_or_has_a_reason(text: str, zeros: int, numeric: bool) -> None:  # noqa: FBT001
    reading = read(text, zeros, GTINS, numeric=numeric)
    assert (reading.code is None) == (reading.code_type is None)
    assert reading.code is not None or reading.note


@given(
    st.sampled_from(["4006381333931", "793610399007", "B088H39PXX"]),
    st.sampled_from(["{}", " {} ", "'{}", '"{}"', '="{}"', "['{}']", "\u00a0{}", "{}\u200b"]),
)
def test_any_wrapping_of_a_code_reads_back_to_it(code: str, wrapping: str) -> None:
    assert read(wrapping.format(code), 0, UNKNOWN, numeric=False).code == code
