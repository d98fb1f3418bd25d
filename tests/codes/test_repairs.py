"""What spreadsheets have done to numbers: repaired where the whole column speaks for it, and otherwise reported."""

from __future__ import annotations

import random

import pytest

from enricher.codes import Policy, asin, gtin, reasons
from enricher.model import CodeType
from tests.codes.reading import ASINS, EANS, ISBNS, UPCS, cells, codes_of, identify, read, read_column

LOST = [code[1:] for code in UPCS if code[0] == "0" and code[1] != "0"]
"""UPCs without their zero."""
BOOKS = [
    asin.to_isbn13(isbn) for isbn in (*ISBNS, "0743273567", "0525478817", "0618260307", "0316769177", "1416524797")
]


def without_check_digits(count: int, first: str, digits: int) -> list[str]:
    """Make numbers that begin so and never got a check digit: one in ten passes all the same."""
    rng = random.Random(7)  # noqa: S311 - made-up numbers
    numbers = [first + "".join(rng.choices("0123456789", k=digits - len(first))) for _ in range(count)]
    assert any(map(gtin.is_valid, numbers))
    return numbers


# --- lost zeros -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("numeric", [True, False])
@pytest.mark.parametrize("header", ["UPC", "EAN", "GTIN", "Barcode", ""])
def test_lost_zeros_come_back_in_a_column_of_gtins(header: str, numeric: bool) -> None:  # noqa: FBT001
    kept = [code for code in UPCS if code[0] != "0"]
    results = read_column([*LOST, *kept, *EANS], header, numeric=numeric)[: len(LOST)]
    assert [(result.code, result.note) for result in results] == [
        (f"0{code}", f"leading zero restored: {code} is 0{code}") for code in LOST
    ]


def test_two_lost_zeros_come_back_where_all_of_that_length_agree() -> None:
    lost = [body + gtin.check_digit(body) for body in ("512345678", "731200001", "890123456", "555000111")]
    assert [result.code for result in read_column([*lost, *EANS], "EAN")][:4] == [f"00{code}" for code in lost]
    assert read(lost[0], "EAN", EANS).code is None


def test_a_column_where_every_upc_lost_its_zero_is_believed_by_its_header() -> None:
    assert [result.code for result in read_column(LOST, "UPC", numeric=True)] == [f"0{code}" for code in LOST]


def test_a_single_number_of_eleven_digits_proves_nothing() -> None:
    result = read("12345678905", among=["thing"])
    assert result[::2] == (None, "11 digits: if this is a UPC that lost zeros, write it as 012345678905")


@pytest.mark.parametrize("cell", ["01234567895", "00123456784"])
def test_a_text_that_kept_a_zero_has_lost_none(cell: str) -> None:
    assert gtin.is_valid(cell)
    assert read(cell, "UPC", UPCS).code is None


@pytest.mark.parametrize("first", ["3", "7"])
def test_no_zero_comes_back_where_other_numbers_of_that_length_fail(first: str) -> None:
    numbers = without_check_digits(60, first, 11)
    results = read_column([*numbers, *EANS, *EANS, *EANS, *EANS, *EANS, *EANS], "UPC", numeric=True)[: len(numbers)]
    assert not any(result.code for result in results)


@pytest.mark.parametrize("header", ["ASIN", "", "Ref"])
def test_no_zero_comes_back_in_a_column_of_asins(header: str) -> None:
    assert read(LOST[0], header, ASINS).code is None


def test_lost_zeros_of_isbn_10s_come_back_in_their_column() -> None:
    lost = [isbn.lstrip("0") for isbn in ISBNS]
    assert [result.code for result in read_column(lost, "ISBN")] == ISBNS
    assert read("439023483", "ISBN", lost).note == "leading zero of the ISBN-10 restored: 0439023483"
    assert read("439023483", "ISBN", ISBNS).code is None, "others have kept their zeros: it may lack another digit"
    assert read("439023483", "Item", EANS).code is None


# --- number formats ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cell", "width", "code"), [("12345678905", 12, "012345678905"), ("412345678", 12, None)])
def test_a_number_format_of_zeros_shows_how_many_were_lost(cell: str, width: int, code: str | None) -> None:
    result = read(cell, numeric=True, zeros=width)
    assert result.code == code
    if code:
        assert result.note == f"leading zero restored, as the cell's format shows it: {code}"


@pytest.mark.parametrize(("width", "digits"), [(12, 11), (13, 12), (13, 11), (14, 13)])
def test_a_number_format_doesnt_give_a_column_its_check_digits_back(width: int, digits: int) -> None:
    results = read_column(without_check_digits(100, "3", digits), "EAN", numeric=True, zeros=width)
    assert not any(result.code for result in results)


# --- lost check digits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["EAN", "UPC", "EAN-8", "ISBN", ""])
@pytest.mark.parametrize(
    ("first", "digits"),
    [("4", 13), ("7", 12), ("07", 12), ("004", 14), ("0004", 16), ("00004", 12), ("4", 8), ("1", 8)],
)
def test_of_a_column_that_lost_its_check_digits_nothing_is_read(header: str, first: str, digits: int) -> None:
    assert not any(result.code for result in read_column(without_check_digits(100, first, digits), header))


def test_a_right_number_among_those_that_lost_their_check_digit_is_called_one_of_them() -> None:
    numbers = without_check_digits(100, "4", 13)
    at = next(at for at, number in enumerate(numbers) if gtin.is_valid(number))
    assert "seems to have lost its check digit" in read_column(numbers, "EAN")[at].note


def test_a_few_numbers_of_another_length_are_no_better_than_the_rest_of_the_column() -> None:
    numbers = [*without_check_digits(300, "4", 13), "796103990071", "790123456789", "712345678904"]
    assert gtin.is_valid(numbers[-1])
    assert not any(result.code for result in read_column(numbers, "EAN"))


# --- lost digits ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("4.006381333931E+12", "4006381333931"),
        ("4,006381333931e12", "4006381333931"),
        ("4.0063813339310E+12", "4006381333931"),
        ("1.2345678905E+10", "012345678905"),
        ("7.93610399007E11", "793610399007"),
    ],
)
def test_scientific_notation_with_all_its_digits_is_written_out(cell: str, code: str) -> None:
    result = read(cell, "EAN", EANS)
    assert result.code == code
    assert result.note


@pytest.mark.parametrize("cell", ["8.49E+11", "3,76E+12", "9.78043902348e+12", "4E12", "6.64e11", "1E+99"])
def test_scientific_notation_that_lost_digits_is_not_guessed(cell: str) -> None:
    result = read(cell, "EAN", EANS)
    assert result.code is None
    assert result.note.startswith(f"shortened to {cell} by a spreadsheet: the other digits are lost")


@pytest.mark.parametrize("dress", ["{}", "'{}", "{}.0", "0{}", "000{}"])
@pytest.mark.parametrize("cell", ["3760050000000", "3760130000000", "9780439000000", "844000000000", "849000000000"])
def test_a_rounded_number_is_refused_even_if_its_check_digit_is_right(cell: str, dress: str) -> None:
    result = read(dress.format(cell), "EAN", EANS)
    assert result.code is None
    assert f"{cell} was rounded by a spreadsheet: its last digits are lost" in result.note


def test_a_number_as_exact_as_a_32_bit_float_holds_it_is_refused() -> None:
    assert gtin.is_valid("4006384238592")
    assert int("4006384238592") % 2**18 == 0
    assert "rounded" in read("4006384238592", "EAN", EANS).note


def test_milder_rounding_is_told_by_the_column() -> None:
    rounded = [f"{isbn13[:12]}0" for isbn13 in BOOKS]
    by_chance = [number for number in rounded if gtin.is_valid(number)]
    assert by_chance
    assert not any(result.code for result in read_column(rounded, "ISBN13"))
    assert read(by_chance[0], "ISBN13", EANS).code == by_chance[0]


def test_numbers_rounded_much_dont_cast_doubt_on_others_that_end_in_zero() -> None:
    bodies = [f"{number:012}" for number in range(301_762_042_001, 301_762_043_001)]
    good = [body + gtin.check_digit(body) for body in bodies]
    rounded = [f"{prefix}0000000" for prefix in range(301_700, 301_740)]
    results = read_column([*good, *rounded], "EAN")
    assert [result.code for result in results] == [*good, *(None for _ in rounded)]


def test_an_isbn_10_stands_in_for_a_rounded_isbn_13() -> None:
    found = identify(
        ("isbn13", cells(["9780440000000", "9.78043902348e+12"], numeric=True)),
        ("isbn", cells(["439554934", "439023483"], numeric=True)),
    )
    assert codes_of(found) == ["0439554934", "0439023483"]
    assert "code taken from column 'isbn'; before it: 9780440000000 was rounded" in found.notes[0][0]
    assert found.notes[0][1].endswith("leading zero of the ISBN-10 restored: 0439023483")
    assert len(found.candidates) == 1


# --- as asked ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [LOST[0], "4.006381333931E+12"])
def test_nothing_is_repaired_with_repairs_off(cell: str) -> None:
    off = Policy(repair=False)
    result = read(cell, "EAN", EANS, policy=off)
    assert result.code is None
    assert "--repair off" in result.note
    assert read("439023483", "ISBN", ISBNS, policy=off).code is None
    assert read("12345678905", "UPC", UPCS, policy=off, numeric=True, zeros=12).code is None


@pytest.mark.parametrize(
    "cell", ["4006381333931", "'4006381333931", "04006381333931", "4006381333931.0", "4006381333931 x"]
)
def test_what_needs_no_repair_is_read_with_repairs_off(cell: str) -> None:
    assert read(cell, "EAN", EANS, policy=Policy(repair=False)).code == "4006381333931"


def test_a_wrong_check_digit_is_named_with_the_right_one() -> None:
    result = read("098765432109", "EAN", EANS)
    assert result[::2] == (None, "check digit wrong: 098765432109 would have to end in 5; a mistyped digit?")


def test_a_wrong_check_digit_is_sent_if_asked_for() -> None:
    result = read("4006381333930", "EAN", EANS, policy=Policy(send_invalid=True))
    assert (result.code, result.code_type) == ("4006381333930", CodeType.EAN)
    assert result.note == "check digit of 4006381333930 is wrong, sent all the same (--send-invalid)"


@pytest.mark.parametrize("cell", ["8.49E+11", "3760050000000", "12345", "20240103", "0000000000000", "n/a"])
def test_what_can_be_no_code_is_never_sent(cell: str) -> None:
    assert read(cell, "EAN", EANS, policy=Policy(send_invalid=True)).code is None


def test_a_book_with_a_wrong_check_digit_has_no_isbn_10_to_send() -> None:
    result = read("9780439023480", "EAN", EANS, policy=Policy(wanted=CodeType.ASIN, send_invalid=True))
    assert result.code is None
    assert result.note


# --- several things at once -------------------------------------------------------------------------------------


def test_all_that_was_done_to_a_code_is_named_and_none_of_it_done_with_repairs_off() -> None:
    cell = "4.006381333930E+12"
    sent = read(cell, "EAN", EANS, policy=Policy(send_invalid=True))
    assert "sent all the same" in sent.note
    assert "written out from scientific notation" in sent.note
    assert read(cell, "EAN", EANS, policy=Policy(send_invalid=True, repair=False)).code is None


def test_of_two_upc_es_in_a_cell_the_first_is_taken_and_it_is_said() -> None:
    result = read("04182635 / 01234565", "UPC-E", ["01278907", "04252614", "01234505"])
    assert result.code == "041800000265"
    assert "several codes in the cell" in result.note


def test_sending_invalid_codes_sends_no_eight_digits() -> None:
    eights = without_check_digits(100, "7", 8)
    assert not any(result.code for result in read_column(eights, "", policy=Policy(send_invalid=True)))


def test_no_two_problems_have_the_same_name_and_other_advice() -> None:
    named = [reason for reason in vars(reasons).values() if isinstance(reason, reasons.Reason)]
    assert len({reason.what for reason in named}) == len(named)
