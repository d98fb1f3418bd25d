"""A row's second code is looked up, and paid for, only where its first was not found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enricher.pipeline.choosing import moved_on, none_found
from enricher.pipeline.fallback import BoolArray, Candidates, Known, ranks, reached

if TYPE_CHECKING:
    from collections.abc import Sequence


# --- decisions --------------------------------------------------------------------------------------------------


def rows_of(*rows: Sequence[int]) -> Candidates:
    """Write candidates as people read a sheet: one row, its codes from left to right."""
    depth = max(1, *map(len, rows))
    return np.array([[*row, *[-1] * (depth - len(row))] for row in rows], np.int32).T.reshape(depth, -1)


def flags(keys: int, *true: int) -> BoolArray:
    return np.isin(np.arange(keys), true)


@pytest.mark.parametrize(
    ("row", "not_found", "rank"),
    [
        ([0, 1, 2], [], 0),
        ([0, 1, 2], [0], 1),
        ([0, 1, 2], [0, 1], 2),
        ([0, 1, 2], [1], 0),
        ([0, 1, 2], [0, 2], 1),
        ([0], [], 0),
        ([0], [0], 0),
        ([], [0, 1, 2], 0),
    ],
)
def test_a_row_moves_on_from_what_was_not_found_and_from_nothing_else(
    row: list[int], not_found: list[int], rank: int
) -> None:
    assert ranks(rows_of(row), flags(3, *not_found)).tolist() == [rank]


def test_a_row_none_of_whose_codes_was_found_shows_its_first() -> None:
    assert ranks(rows_of([2, 0, 1], [2, 0]), flags(3, 0, 1, 2)).tolist() == [0, 0]


def test_only_what_a_row_is_at_is_asked_for() -> None:
    candidates = rows_of([0, 3], [1, 4], [2, 5], [])
    nothing = Known(flags(6), flags(6), flags(6))
    assert np.flatnonzero(nothing.to_ask(candidates)).tolist() == [0, 1, 2]
    one_missing = Known(found=flags(6, 0), not_found=flags(6, 1), fresh=flags(6, 0, 1))
    assert np.flatnonzero(one_missing.to_ask(candidates)).tolist() == [2, 4]
    assert np.flatnonzero(one_missing.may_ask(candidates)).tolist() == [2, 4, 5]


def test_an_answer_that_is_too_old_is_asked_for_again_before_the_next_code_is() -> None:
    stale = Known(found=flags(2), not_found=flags(2, 0), fresh=flags(2))
    assert np.flatnonzero(stale.to_ask(rows_of([0, 1]))).tolist() == [0]
    assert ranks(rows_of([0, 1]), stale.not_found).tolist() == [1]  # what is known is shown all the same


def test_a_sheet_without_rows_or_codes_asks_for_nothing() -> None:
    for candidates in (np.empty((1, 0), np.int32), np.full((2, 3), -1, np.int32)):
        assert not len(reached(candidates, flags(0)))
        assert not ranks(candidates, flags(0)).any()


KEYS = 8
sheets = st.lists(st.lists(st.integers(0, KEYS - 1), max_size=4, unique=True), min_size=1, max_size=20)
some_keys = st.sets(st.integers(0, KEYS - 1))


@given(sheets, some_keys)
def test_arrays_decide_as_a_person_would_row_by_row(rows: list[list[int]], passed: set[int]) -> None:
    expected, seen = [], set()
    for row in rows:
        stay = next((at for at, key in enumerate(row) if key not in passed), None)
        expected.append(stay or 0)
        seen |= set(row if stay is None else row[: stay + 1])
    candidates = rows_of(*rows)
    assert ranks(candidates, flags(KEYS, *passed)).tolist() == expected
    assert set(np.flatnonzero(reached(candidates, flags(KEYS, *passed))).tolist()) == seen


@given(sheets, some_keys, some_keys, some_keys)
def test_rounds_end_and_buy_only_what_some_row_needs(
    rows: list[list[int]], exist: set[int], known: set[int], stale: set[int]
) -> None:
    candidates = rows_of(*rows)
    found, fresh = flags(KEYS, *(exist & known)), flags(KEYS, *(known - stale))
    not_found = flags(KEYS, *(known - exist))
    at_worst = Known(found, not_found, fresh).may_ask(candidates)
    bought: list[int] = []
    while (wanted := Known(found, not_found, fresh).to_ask(candidates)).any():
        bought += np.flatnonzero(wanted).tolist()
        found, not_found = found | wanted & flags(KEYS, *exist), not_found | wanted & ~flags(KEYS, *exist)
        fresh = fresh | wanted
    assert len(bought) == len(set(bought))
    assert set(bought) <= set(np.flatnonzero(at_worst).tolist())
    assert not (set(bought) & (known - stale))
    for key in bought:
        assert any(key in row and not exist & set(row[: row.index(key)]) for row in rows)


# --- words ------------------------------------------------------------------------------------------------------


def test_three_codes_are_told_in_one_sentence() -> None:
    named = [("B000000001", "column 'ASIN'"), ("012345678905", "column B"), ("3760214912618", "column 'EAN'")]
    assert moved_on(named, found=True) == (
        "B000000001 in column 'ASIN' and 012345678905 in column B were not found; "
        "this is 3760214912618 from column 'EAN'"
    )
    assert none_found(named) == "not found, nor 012345678905 from column B, nor 3760214912618 from column 'EAN'"
