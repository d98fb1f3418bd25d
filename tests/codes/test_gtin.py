from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean

from enricher.codes import gtin

REAL_CODES = ["4006381333931", "0012345678905", "73513537", "793610399007", "9780471117094"]


@pytest.mark.parametrize("code", REAL_CODES)
def test_real_codes_are_valid(code: str) -> None:
    assert gtin.is_valid(code)


@given(st.integers(8, 14).flatmap(lambda length: st.from_regex(rf"[0-9]{{{length}}}", fullmatch=True)))
def test_stdnum_agrees_on_every_number(code: str) -> None:
    assert gtin.is_valid(code) == (ean.calc_check_digit(code[:-1]) == code[-1])
    assert bool(gtin.valid_array(np.array([int(code)], np.uint64))[0]) == gtin.is_valid(code)


@given(st.sampled_from(REAL_CODES), st.data())
def test_one_changed_digit_never_passes(code: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(code) - 1))
    digit = data.draw(st.sampled_from([char for char in "0123456789" if char != code[place]]))
    assert not gtin.is_valid(code[:place] + digit + code[place + 1 :])


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("01278907", "012000007897"),
        ("04182635", "041800000265"),
        ("01201303", "012000000133"),
        ("01234565", "012345000065"),
    ],
)
def test_a_upc_e_expands_to_its_upc_a(short: str, full: str) -> None:
    assert gtin.expand_upc_e(short)[:-1] == full[:-1]


@pytest.mark.parametrize("ean13", ["2012345678900", "0212345678909", "0412345678907", "9812345678901", "9912345678900"])
def test_in_store_and_coupon_numbers_are_restricted(ean13: str) -> None:
    assert gtin.is_restricted(ean13)
    assert gtin.restricted_array(np.array([int(ean13)], np.uint64))[0]


@pytest.mark.parametrize("code", REAL_CODES)
def test_real_articles_are_not_restricted(code: str) -> None:
    assert not gtin.is_restricted(code.zfill(13))
