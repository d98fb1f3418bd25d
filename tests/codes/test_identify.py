from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from enricher.codes import identify
from enricher.codes.gtin import check_digit
from enricher.codes.reading import Evidence
from enricher.keys import NO_KEY, unpack
from enricher.model import Cells, CodeType, Domain, Key


def cells(*texts: str | None, numeric: bool = False, zeros: int = 0) -> Cells:
    count = len(texts)
    return Cells(pa.array(texts, pa.string()), np.full(count, numeric), np.full(count, zeros, np.uint8))


def keys_of(*texts: str | None, evidence: Evidence | None = None) -> list[Key | None]:
    found = identify([("code", cells(*texts), evidence or Evidence())], None, Domain.COM)
    return [None if key == NO_KEY else unpack([int(key)])[0] for key in found.keys]


def test_a_upc_and_the_ean_made_of_it_are_one_key() -> None:
    first, second, third = keys_of("012345678905", "0012345678905", "00012345678905")
    assert first == second == third == Key(CodeType.UPC, Domain.COM, "012345678905")


def test_blank_cells_are_neither_keys_nor_invalid() -> None:
    found = identify([("code", cells(None, "", "  "), Evidence())], None, Domain.COM)
    assert not found.keys.any()
    assert not found.invalid.any()


def test_the_first_column_with_a_code_wins_and_the_fallback_is_noted() -> None:
    columns = [
        ("ASIN", cells("B088H39PXX", "junk", None), Evidence()),
        ("EAN", cells(*["4006381333931"] * 3), Evidence()),
    ]
    found = identify(columns, None, Domain.COM)
    assert [key.code_type for key in unpack(found.keys)] == [CodeType.ASIN, CodeType.EAN, CodeType.EAN]
    assert "code taken from column 'EAN'" in found.notes[1]
    assert 2 not in found.notes


def test_each_row_is_asked_in_its_own_marketplace() -> None:
    column = [("ASIN", cells(*["B088H39PXX"] * 4), Evidence())]
    found = identify(column, cells("de", "Amazon.co.uk", "", "Narnia"), Domain.FR)
    assert [key.domain for key in unpack(found.keys[:3])] == [Domain.DE, Domain.UK, Domain.FR]
    assert found.invalid.tolist() == [False, False, False, True]
    assert "Narnia" in found.notes[3]
    assert "no marketplace in the row, so fr" in found.notes[2]


def test_a_wanted_type_refuses_the_others() -> None:
    upc = Evidence(CodeType.UPC)
    assert keys_of("4006381333931", "012345678905", "B088H39PXX", evidence=upc) == [
        None,
        Key(CodeType.UPC, Domain.COM, "012345678905"),
        None,
    ]


@given(st.lists(st.from_regex(r"[0-9]{11,12}", fullmatch=True), min_size=1, max_size=30))
def test_the_fast_path_and_the_slow_path_agree(bodies: list[str]) -> None:
    codes = [body + check_digit(body) for body in bodies]
    assert keys_of(*codes) == keys_of(*(f"'{code}" for code in codes))


@given(st.lists(st.from_regex(r"B0[0-9A-Z]{8}", fullmatch=True), min_size=1))
def test_asins_pack_and_unpack(codes: list[str]) -> None:
    assert [key.code for key in keys_of(*codes) if key] == codes
