"""What holds for every code: reading it again changes nothing, and a changed digit is noticed."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from enricher.codes import Policy, asin, gtin
from enricher.model import CodeType
from tests.codes.reading import ASINS, EANS, ISBNS, UPCS, read

_GTINS = st.sampled_from([*EANS, *UPCS])
_BODY = st.from_regex(r"[0-9]{6,13}", fullmatch=True)
_LIKELY = st.one_of(
    _BODY.map(lambda body: body + gtin.check_digit(body)),
    _BODY.map(lambda body: f"0{body}{gtin.check_digit(body)} x"),
    _BODY.map(lambda body: f"{body[0]}.{body[1:]}{gtin.check_digit(body)}E{len(body)}"),
    st.from_regex(r"[0-9]{9}[0-9X]|[0-9]{1,5}-[0-9]{1,7}-[0-9]{1,7}-[0-9X]|B[0-9A-Z]{9}", fullmatch=True),
)
_UNPACKING = Policy(unpack_cases=True)


def _changed(code: str, data: st.DataObject, alphabet: str = "0123456789") -> str:
    place = data.draw(st.integers(0, len(code) - 1))
    return code[:place] + data.draw(st.sampled_from(alphabet.replace(code[place], ""))) + code[place + 1 :]


@given(_LIKELY, st.data())
def test_reading_what_came_out_changes_nothing(cell: str, data: st.DataObject) -> None:
    header, among = data.draw(st.sampled_from([("EAN", EANS), ("UPC", UPCS), ("ASIN", ASINS), ("ISBN", ISBNS)]))
    first = read(cell, header, among, policy=_UNPACKING)
    if first.code is not None:
        again = read(first.code, header, among, policy=_UNPACKING)
        assert again[:2] == (first.code, first.code_type)
        assert not again.note or "unusual ASIN" in again.note


@given(st.from_regex(r"(000[1-9]|01|03|0[6-9]|[13-8][0-9]|9[0-7])[0-9]{8,10}", fullmatch=True))
def test_every_global_number_reads_as_itself(start: str) -> None:
    body = start[:11].ljust(11, "3") + "7"
    ean = body + gtin.check_digit(body)
    result = read(ean, "EAN", EANS)
    assert result[:2] == ((ean[1:], CodeType.UPC) if ean[0] == "0" else (ean, CodeType.EAN))


@given(_GTINS, st.data())
def test_a_gtin_with_one_digit_changed_is_never_read(code: str, data: st.DataObject) -> None:
    wrong = _changed(code, data)
    dressed = data.draw(st.sampled_from(["{}", "'{}", "{}.0", "0{}", "00{}", "000{}", "{} x", "['{}']"])).format(wrong)
    for header, among in (("EAN", [*EANS, *UPCS]), ("", EANS), ("Barcode", [])):
        result = read(dressed, header, among)
        assert result.code is None
        assert result.note


@given(st.sampled_from(ISBNS), st.data())
def test_an_isbn_10_with_one_digit_changed_is_never_read(code: str, data: st.DataObject) -> None:
    wrong = _changed(code, data)
    assume(not wrong.endswith("X") or wrong[:-1].isdigit())
    for header, among in (("ISBN", ISBNS), ("ASIN", ASINS), ("", []), ("EAN", EANS)):
        assert read(wrong, header, among).code is None


@given(_GTINS, st.integers(0, 12))
def test_a_gtin_that_lost_any_one_digit_is_never_read(code: str, place: int) -> None:
    assume(place < len(code) and not (place == 0 and code[0] == "0"))
    shorter = code[:place] + code[place + 1 :]
    assume(not gtin.is_valid(shorter))
    assert read(shorter, "EAN", [*EANS, *UPCS]).code is None


@pytest.mark.parametrize("isbn", ISBNS)
def test_a_book_goes_to_its_isbn_13_and_back(isbn: str) -> None:
    ean = read(isbn, "ISBN", ISBNS, policy=Policy(wanted=CodeType.EAN))
    assert ean.code == asin.to_isbn13(isbn)
    assert read(str(ean.code), "EAN", EANS, policy=Policy(wanted=CodeType.ASIN))[:2] == (isbn, CodeType.ASIN)
