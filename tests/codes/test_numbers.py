"""Which number is which, what it is asked for as, and what is no single global product."""

from __future__ import annotations

import pytest

from enricher.codes import Policy
from enricher.model import CodeType
from tests.codes.reading import ASINS, EANS, ISBNS, UPCS, read, read_column

EAN8S = ["96385074", "73513537", "54491472", "40822938", "80177173", "87157215", "50184385", "90162602"]
UPC_ES = ["01278907", "04252614", "04182635", "01234505", "01234000", "11234007", "01234019", "11234016"]
"""None of them passes as an EAN-8, as 42 % of UPC-Es don't."""
BOTH = {"01234565": "012345000065", "11234050": "112340000050", "11234098": "112340000098"}
"""UPC-Es that pass as EAN-8s, and the UPCs that they stand for."""


@pytest.mark.parametrize(
    ("cell", "code_type", "code"),
    [
        ("B088H39PXX", CodeType.ASIN, "B088H39PXX"),
        ("080442957X", CodeType.ASIN, "080442957X"),
        ("012345678905", CodeType.UPC, "012345678905"),
        ("0012345678905", CodeType.UPC, "012345678905"),
        ("00012345678905", CodeType.UPC, "012345678905"),
        ("4006381333931", CodeType.EAN, "4006381333931"),
        ("04006381333931", CodeType.EAN, "4006381333931"),
        ("9780439023481", CodeType.EAN, "9780439023481"),
        ("9791843123391", CodeType.EAN, "9791843123391"),
        ("96385074", CodeType.EAN, "96385074"),
    ],
)
def test_every_kind_of_number_has_its_parameter(cell: str, code_type: CodeType, code: str) -> None:
    assert read(cell, among=EANS)[:3] == (code, code_type, "")


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("0000012345678905", "012345678905"),
        ("0004006381333931", "4006381333931"),
        ("00000096385074", "96385074"),
        ("000096385074", "96385074"),
        ("000004006381333931", "4006381333931"),
    ],
)
def test_padding_beyond_a_gtins_own_zeros_is_removed_and_said(cell: str, code: str) -> None:
    assert read(cell, "EAN", EANS)[::2] == (code, f"padding zeros removed: {code}")


def test_a_padded_case_is_still_a_case() -> None:
    assert "GTIN-14 of a case" in read("0014006381333938", "EAN", EANS).note


# --- UPC-E and EAN-8 --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cell", "upc"), BOTH.items())
def test_eight_digits_that_can_be_two_things_are_reported(cell: str, upc: str) -> None:
    for header in ("UPC", "Barcode", "GTIN", "Item"):
        result = read(cell, header, [*UPCS, *EANS])
        assert result.code is None
        assert "can be an EAN-8 or a short UPC-E" in result.note
    assert read(cell, "UPC-E").code == upc


@pytest.mark.parametrize("header", ["UPC-E", "UPC", "Barcode", ""])
@pytest.mark.parametrize(("cell", "upc"), BOTH.items())
def test_among_upc_es_eight_digits_are_a_upc_e(header: str, cell: str, upc: str) -> None:
    result = read(cell, header, UPC_ES)
    assert (result.code, result.code_type) == (upc, CodeType.UPC)
    assert result.note == f"UPC-E {cell} written out as {upc}"


@pytest.mark.parametrize("header", ["EAN-8", "EAN", "Barcode", ""])
def test_among_ean_8s_eight_digits_are_an_ean_8(header: str) -> None:
    assert read("11234050", header, EAN8S)[:3] == ("11234050", CodeType.EAN, "")


@pytest.mark.parametrize("header", ["EAN", "UPC e EAN", "EAN e UPC", "EAN 13"])
def test_a_header_that_names_eans_doesnt_make_a_upc_e_of_an_ean_8(header: str) -> None:
    assert read("12345670", header, EANS).code in {"12345670", None}


def test_a_upc_e_that_is_no_ean_8_is_written_out_under_upc() -> None:
    assert read("04182635", "UPC", UPCS).code == "041800000265"


def test_a_upc_e_gets_its_zero_back_in_a_column_of_upc_es() -> None:
    assert read("4182635", "UPC-E", ["4252614", "1278907"]).code == "041800000265"
    assert read("4182635", "UPC", UPCS).code is None


def test_what_fails_both_checks_has_a_wrong_check_digit() -> None:
    assert "would have to end in 4" in read("96385075", "EAN", EANS).note
    assert "96385074 is no UPC-E" in read("96385074", "UPC-E", UPC_ES).note


# --- cases, weights, shops' own ---------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["14006381333938", "54006381333936", "10012345678902", "19780439023488"])
def test_a_case_is_another_article(case: str) -> None:
    note = f"{case} is the GTIN-14 of a case, another article than the single one"
    assert read(case, "EAN", EANS)[::2] == (None, note)


@pytest.mark.parametrize(
    ("case", "unit"),
    [("14006381333938", "4006381333931"), ("10012345678902", "012345678905"), ("10000096385071", "96385074")],
)
def test_the_article_inside_a_case_is_looked_up_if_asked_for(case: str, unit: str) -> None:
    result = read(case, "EAN", EANS, policy=Policy(unpack_cases=True))
    assert result.code == unit
    assert result.note == f"{case} is a case; the single article inside, {unit}, is looked up (--unpack-cases)"


def test_goods_sold_by_weight_are_never_unpacked() -> None:
    result = read("94006381333934", "EAN", EANS, policy=Policy(unpack_cases=True))
    assert result[::2] == (None, "94006381333934 is the GTIN-14 of goods sold by weight or length")


@pytest.mark.parametrize(
    "cell",
    [
        *("2012345678903", "0212345678909", "212345678909", "0412345678903", "412345678903", "0512345678900"),
        *(
            "9812345678902",
            "9912345678909",
            "9800000000014",
            "'2012345678903",
            "02012345678903",
            "20123451",
            "02345673",
        ),
    ],
)
def test_a_shops_own_number_and_a_coupon_are_no_global_product(cell: str) -> None:
    result = read(cell, "EAN", EANS)
    assert result.code is None
    assert "is an in-store or coupon number, not a global product" in result.note


@pytest.mark.parametrize("header", ["EAN", "UPC", "ASIN", ""])
@pytest.mark.parametrize("cell", ["0", "0000000000000", "00000000", "0000000000"])
def test_zeros_are_no_code(cell: str, header: str) -> None:
    assert read(cell, header, EANS)[::2] == (None, "only zeros")


# --- ten characters ---------------------------------------------------------------------------------------------


def test_an_fnsku_is_named() -> None:
    note = "X001XNL7UV is an FNSKU, Amazon's label of one seller's stock; give the ASIN"
    assert read("X001XNL7UV", "ASIN", ASINS)[::2] == (None, note)


def test_another_b_is_an_asin_among_asins_only() -> None:
    assert read("B1A2B3C4D5", "ASIN", ASINS).code == "B1A2B3C4D5"
    assert read("B1A2B3C4D5", "EAN", EANS).code is None


@pytest.mark.parametrize("header", ["ISBN", "ASIN", ""])
def test_an_isbn_10_is_the_asin_of_a_book(header: str) -> None:
    assert [result[:2] for result in read_column(ISBNS, header)] == [(isbn, CodeType.ASIN) for isbn in ISBNS]


@pytest.mark.parametrize("header", ["UPC", "EAN", "GTIN", ""])
def test_ten_digits_in_a_column_of_gtins_are_no_book(header: str) -> None:
    result = read("7329150614", header, [*EANS, *UPCS], numeric=True)
    assert result.code is None
    assert "can be an ISBN-10 or a UPC that lost zeros" in result.note


@pytest.mark.parametrize("cell", ["0439023483", "0-439-02348-3", "ISBN 0439023483"])
def test_a_text_of_ten_digits_with_its_zero_is_no_upc_that_lost_zeros(cell: str) -> None:
    assert read(cell, "EAN", EANS).code == "0439023483"


@pytest.mark.parametrize("header", ["ASIN", "ISBN", "Ref", ""])
def test_ten_digits_are_no_books_where_most_fail(header: str) -> None:
    numbers = [str(number) for number in range(4_650_917_800, 4_650_917_900)]
    assert not any(result.code for result in read_column(numbers, header))


# --- the type asked for -----------------------------------------------------------------------------------------

_ASKED = ["B088H39PXX", "080442957X", "9780439023481", "9791843123391", "4006381333931", "012345678905"]


@pytest.mark.parametrize(
    ("wanted", "codes"),
    [
        (CodeType.ASIN, ["B088H39PXX", "080442957X", "0439023483", None, None, None]),
        (CodeType.EAN, [None, "9780804429573", "9780439023481", "9791843123391", "4006381333931", "012345678905"]),
        (CodeType.UPC, [None, None, None, None, None, "012345678905"]),
    ],
)
def test_only_the_type_asked_for_is_read_and_books_are_converted(wanted: CodeType, codes: list[str | None]) -> None:
    results = read_column(_ASKED, policy=Policy(wanted=wanted))
    assert [result.code for result in results] == codes
    assert all(result.code or f"only {wanted.upper()}s were asked for" in result.note for result in results)


@pytest.mark.parametrize("header", ["ISBN", ""])
def test_a_converted_isbn_is_said(header: str) -> None:
    ean, upc = read_column(["9780439023481", "012345678905"], header, policy=Policy(wanted=CodeType.ASIN))
    assert ean.note == "ISBN-13 9780439023481 asked for as its ISBN-10 0439023483"
    assert upc.code is None
    for isbn, result in zip(ISBNS, read_column(ISBNS, header, policy=Policy(wanted=CodeType.EAN)), strict=True):
        assert (result.code_type, result.note) == (
            CodeType.EAN,
            f"ISBN-10 {isbn} asked for as its ISBN-13 {result.code}",
        )


@pytest.mark.parametrize("isbn", ["0439023483", "1499810695", "080442957X"])
def test_an_isbn_10_among_isbn_13s_is_asked_for_as_one(isbn: str) -> None:
    assert (
        read(isbn, "", ["9780439023481", "9780439554930"], policy=Policy(wanted=CodeType.EAN)).code_type is CodeType.EAN
    )
