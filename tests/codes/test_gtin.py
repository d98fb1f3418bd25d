from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean

from enricher.codes import gtin

REAL_CODES = ["4006381333931", "0012345678905", "73513537", "793610399007", "9780471117094", "14006381333938"]
UPC_ES = {
    "01278907": "012000007897",
    "04252614": "042100005264",
    "04182635": "041800000265",
    "01234505": "012000003455",
    "01234036": "012300000406",
    "01234048": "012340000008",
    "11234098": "112340000098",
}
_NUMBER = st.integers(8, 14).flatmap(lambda length: st.from_regex(rf"[0-9]{{{length}}}", fullmatch=True))


@pytest.mark.parametrize("code", REAL_CODES)
def test_real_codes_are_valid(code: str) -> None:
    assert gtin.is_valid(code)


@given(_NUMBER)
def test_stdnum_agrees_on_every_number(code: str) -> None:
    assert gtin.is_valid(code) == (ean.calc_check_digit(code[:-1]) == code[-1])
    assert bool(gtin.valid_array(np.array([int(code)], np.uint64))[0]) == gtin.is_valid(code)


@given(_NUMBER)
def test_the_digit_that_a_number_should_end_in_makes_it_valid(code: str) -> None:
    digit = gtin.check_digit(code[:-1])
    assert gtin.is_valid(code[:-1] + digit)
    assert str(gtin.check_digits_array(np.array([int(code)], np.uint64))[0]) == digit


@given(st.sampled_from(REAL_CODES), st.data())
def test_one_changed_digit_never_passes(code: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(code) - 1))
    digit = data.draw(st.sampled_from([char for char in "0123456789" if char != code[place]]))
    assert not gtin.is_valid(code[:place] + digit + code[place + 1 :])


@pytest.mark.parametrize(("short", "full"), UPC_ES.items())
def test_a_upc_e_expands_to_its_upc_a(short: str, full: str) -> None:
    assert gtin.is_upc_e(short)
    assert gtin.expand_upc_e(short) == full


@pytest.mark.parametrize("code", ["01278906", "04182634", "24182635", "73513537"])
def test_other_eight_digits_are_no_upc_e(code: str) -> None:
    assert not gtin.is_upc_e(code)


@given(st.from_regex(r"[01][0-9]{7}", fullmatch=True))
def test_upc_es_expand_one_by_one_as_they_do_many_at_a_time(code: str) -> None:
    assert int(gtin.expand_upc_e_array(np.array([int(code)], np.uint64))[0]) == int(gtin.expand_upc_e(code))


@pytest.mark.parametrize(
    ("case", "unit"),
    [("14006381333938", 4006381333931), ("50012345678900", 12345678905), ("10000096385071", 96385074)],
)
def test_a_case_has_a_single_article_inside(case: str, unit: int) -> None:
    assert int(gtin.units_array(np.array([int(case)], np.uint64))[0]) == unit
    assert gtin.is_valid(str(unit))


@pytest.mark.parametrize(
    "ean13",
    [
        *("2012345678900", "2999999999990", "0212345678909", "0299999999990", "0412345678907", "0512345678900"),
        *("9812345678901", "9800000000000", "9912345678900", "9999999999990"),
    ],
)
def test_in_store_and_coupon_numbers_are_restricted(ean13: str) -> None:
    assert gtin.is_restricted(ean13)
    assert gtin.restricted_array(np.array([int(ean13)], np.uint64))[0]


@pytest.mark.parametrize("ean13", [*(code.zfill(13) for code in REAL_CODES[:5]), "0312345678906", "9771234567898"])
def test_articles_drugs_and_magazines_are_not_restricted(ean13: str) -> None:
    assert not gtin.is_restricted(ean13)
    assert not gtin.restricted_array(np.array([int(ean13)], np.uint64))[0]
