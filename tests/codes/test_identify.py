"""Several columns of codes in a row: an order of candidates, none twice, each with its source and its note."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enricher.codes import CodeColumn, Layout, Policy, Reader
from enricher.codes.gtin import check_digit
from enricher.codes.kinds import Kind
from enricher.keys import NO_KEY, unpack
from enricher.model import CodeType, Domain, Key
from tests.codes.reading import ASINS, EANS, UPCS, cells, codes_of, identify


def test_a_upc_and_the_ean_made_of_it_are_one_key() -> None:
    found = identify(("EAN", cells(["012345678905", "0012345678905", "00012345678905", "0000012345678905"])))
    assert set(unpack(found.candidates[0])) == {Key(CodeType.UPC, Domain.COM, "012345678905")}


def test_a_rows_codes_are_candidates_in_the_order_of_the_columns() -> None:
    found = identify(
        ("ASIN", cells(["B088H39PXX", "junk", None, "junk", None])),
        ("EAN", cells(["4006381333931", "4006381333931", "4006381333931", "12345", None])),
        ("UPC", cells(["012345678905", "012345678905", None, None, None])),
    )
    assert codes_of(found) == ["B088H39PXX", "4006381333931", "4006381333931", None, None]
    assert codes_of(found, 1) == ["4006381333931", "012345678905", None, None, None]
    assert codes_of(found, 2) == ["012345678905", None, None, None, None]
    assert found.sources[0][:3].tolist() == [0, 1, 1]
    assert found.sources[1][:2].tolist() == [1, 2]
    assert found.invalid.tolist() == [False, False, False, True, False]


def test_a_row_tells_why_it_has_no_code_or_not_the_first_columns() -> None:
    found = identify(
        ("ASIN", cells(["B088H39PXX", "junk", None, "X001XNL7UV", None])),
        ("EAN", cells(["junk", "4006381333931", "4006381333931", "12345", "12345"])),
    )
    neither = "neither an ASIN nor a UPC or EAN"
    fnsku = "X001XNL7UV is an FNSKU, Amazon's label of one seller's stock; give the ASIN"
    assert found.notes[0] == {
        1: f"code taken from column 'EAN'; before it: {neither}",
        3: f"{fnsku}; column 'EAN': 5 digits: a UPC has 12, an EAN 13 or 8",
        4: "5 digits: a UPC has 12, an EAN 13 or 8",
    }


def test_the_repair_of_a_fallback_is_noted_with_the_fallback() -> None:
    found = identify(("ASIN", cells(["B088H39PXX", None])), ("EAN", cells(["8902102164166 :1", "8902102164166 :1"])))
    text = "code taken from the text around it: 8902102164166"
    assert found.notes == ({1: text}, {0: text})


def test_no_key_is_a_candidate_twice() -> None:
    found = identify(
        ("EAN", cells(["4006381333931", "4006381333931"])),
        ("GTIN", cells(["04006381333931", "793610399007"])),
        ("Barcode", cells(["'4006381333931", "4006381333931"])),
    )
    assert codes_of(found) == ["4006381333931", "4006381333931"]
    assert codes_of(found, 1) == [None, "793610399007"]
    assert len(found.candidates) == len(found.sources) == len(found.notes) == 2


@pytest.mark.parametrize("texts", [[], [None], ["", "  ", "\u00a0"]])
def test_blank_cells_are_neither_candidates_nor_invalid(texts: list[str | None]) -> None:
    found = identify(("EAN", cells(texts)), ("ASIN", cells(texts)), domains=cells(texts))
    assert [len(keys) for keys in found.candidates] == [len(texts)]
    assert not found.candidates[0].any()
    assert not found.invalid.any()
    assert found.notes == ({},)


def test_problems_and_repairs_are_grouped_with_examples() -> None:
    found = identify(("EAN", cells([*EANS, *["12345"] * 5, "8.49E+11", "12345678905", "8902102164166 :1", None])))
    everything = np.ones(len(found.invalid), np.bool_)
    first = len(EANS)
    problems = [(problem.reason.what, problem.rows, problem.examples) for problem in found.problems(everything)]
    assert problems == [
        (
            "not as many digits as a UPC (12) or an EAN (13 or 8)",
            5,
            tuple((row, "12345") for row in range(first, first + 3)),
        ),
        ("shortened to scientific notation by a spreadsheet", 1, ((first + 5, "8.49E+11"),)),
    ]
    assert all(problem.reason.advice for problem in found.problems(everything))
    repairs = {problem.reason.what: problem.examples for problem in found.repairs(everything)}
    assert repairs == {
        "leading zero restored": ((first + 6, "12345678905"),),
        "code taken from the text around it": ((first + 7, "8902102164166 :1"),),
    }


def test_cells_are_counted_by_kind_with_how_many_are_used() -> None:
    texts = [*EANS, *UPCS, "B088H39PXX", "X001XNL7UV", "8.49E+11", "20240103", "14006381333938", "4006381333930", None]
    (column,) = identify(("EAN", cells(texts))).columns
    assert column.kinds() == {
        Kind.GTIN13: (len(EANS), len(EANS)),
        Kind.GTIN12: (len(UPCS), len(UPCS)),
        Kind.ASIN: (1, 1),
        **dict.fromkeys((Kind.FNSKU, Kind.SCIENTIFIC, Kind.DATE, Kind.CASE, Kind.BAD_CHECK, Kind.BLANK), (1, 0)),
    }


# --- whatever the order -----------------------------------------------------------------------------------------

_CELL = st.sampled_from(
    [
        *(*EANS, *UPCS, *ASINS, "12345678905", "36000291452", "73501778801", "0439023483", "439023483", "01234565"),
        *("96385074", "04182635", "3760050000000", "9780439554930", "4006381333930", "8.49E+11", "14006381333938"),
        *("4006381333931 x", "20240103", "X001XNL7UV", "n/a", "", "7301433152896, 0730143315289"),
    ]
)


@given(st.lists(_CELL, min_size=1, max_size=40), st.sampled_from(["EAN", "UPC", "ASIN", "ISBN", ""]), st.randoms())
def test_what_a_row_is_read_as_doesnt_depend_on_the_order_of_the_others(
    texts: list[str], header: str, random: object
) -> None:
    order = list(range(len(texts)))
    random.shuffle(order)  # type: ignore[attr-defined]
    before, after = identify((header, cells(texts))), identify((header, cells([texts[at] for at in order])))
    assert [codes_of(before)[at] for at in order] == codes_of(after)
    assert [before.notes[0].get(at) for at in order] == [after.notes[0].get(row) for row in range(len(order))]


@given(st.lists(_CELL, min_size=1, max_size=40), st.integers(1, 10))
def test_what_a_row_is_read_as_doesnt_depend_on_the_batches(texts: list[str], size: int) -> None:
    layout = Layout(1, (), (CodeColumn(0, "EAN", "ean", ""),), 1)
    reader = Reader(layout, Domain.COM, Policy())
    marketplaces = [("de", "Narnia", "")[len(text) % 3] for text in texts]
    for start in range(0, len(texts), size):
        reader.add([cells(texts[start : start + size]), cells(marketplaces[start : start + size])])
    batched, whole = reader.finish(), identify(("EAN", cells(texts)), domains=cells(marketplaces))
    assert batched.candidates[0].tolist() == whole.candidates[0].tolist()
    assert batched.notes == whole.notes
    assert batched.invalid.tolist() == whole.invalid.tolist()


@given(st.lists(st.from_regex(r"[3-9][0-9]{11}", fullmatch=True), min_size=1, max_size=30))
def test_the_fast_path_and_the_slow_path_agree(bodies: list[str]) -> None:
    codes = [body + check_digit(body) for body in bodies]
    plain, odd = identify(("EAN", cells(codes))), identify(("EAN", cells([f"{code} x" for code in codes])))
    assert plain.candidates[0].tolist() == odd.candidates[0].tolist()


@given(st.lists(st.from_regex(r"B0[0-9A-Z]{8}", fullmatch=True), min_size=1))
def test_asins_pack_and_unpack(codes: list[str]) -> None:
    found = identify(("", cells(codes)))
    assert codes_of(found) == codes
    assert NO_KEY not in found.candidates[0]
