from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from enricher.keys import pack
from enricher.merge import Answers, Columns, Rows, additions
from enricher.model import FIELDS, LOOKUP_FIELDS, Answer, CodeType, Domain, Key
from enricher.store.rows import Kept, to_table

KEYS = [Key(CodeType.ASIN, Domain.COM, f"B00000000{number}") for number in range(4)]
NOON = datetime(2026, 3, 1, 12, 0, 0, 999_000, tzinfo=UTC)


def answers_of(
    *found: tuple[int, list[dict[str, Any]]], failures: dict[int, str] | None = None, note: str = ""
) -> Answers:
    table = to_table([Answer(KEYS[at], tuple(items), NOON) for at, items in found])
    key_at = [at for at, items in found for _ in range(max(1, len(items)))]
    packed = np.array([pack(key) for key in KEYS], np.uint64)
    return Answers(packed, Kept(table, 1), np.array(key_at, np.int32), failures or {}, "not looked up yet", note)


def rows_of(*key_index: int, **more: Any) -> Rows:
    count = len(key_index)
    flags = {name: np.array(more.get(name, [False] * count), np.bool_) for name in ("invalid", "empty", "beyond")}
    return Rows(np.array(key_index, np.int32), notes=more.get("notes", {}), **flags)


def table_of(rows: Rows, answers: Answers, columns: Columns | None = None) -> list[dict[str, Any] | None]:
    added = additions(rows, answers, columns or Columns())
    pieces = added.table().to_pylist()
    return [pieces[at] if at >= 0 else None for at in added.index]


def test_columns_are_the_fields_then_what_the_lookup_says() -> None:
    names = additions(rows_of(0), answers_of(), Columns()).names
    assert names == (*(f"amazon_{name}" for name in FIELDS), *LOOKUP_FIELDS)


def test_every_row_gets_its_own_keys_product_in_row_order() -> None:
    answers = answers_of((0, [{"asin": "A", "title": "one"}]), (1, [{"asin": "B", "title": "two"}]))
    rows = table_of(rows_of(1, 0, 1), answers)
    assert [row and row["amazon_title"] for row in rows] == ["two", "one", "two"]
    assert rows[0] is not None
    assert rows[0]["lookup_code"] == "B000000001"
    assert rows[0]["fetched_at"] == "2026-03-01T12:00:00Z"


def test_every_status_is_told() -> None:
    answers = answers_of((0, [{"asin": "A"}]), (1, []), failures={2: "no answer in time"})
    rows = rows_of(
        *(0, 1, 2, 3, -1, -1, -1, -1),
        invalid=[False] * 4 + [True, False, False, False],
        empty=[False] * 6 + [True, False],
        beyond=[False] * 7 + [True],
        notes={4: "check digit wrong"},
    )
    told = [
        (row["lookup_status"], row["lookup_note"], row["match_count"]) if row else None
        for row in table_of(rows, answers)
    ]
    assert told == [
        ("found", None, 1),
        ("not_found", None, 0),
        ("failed", "no answer in time", None),
        ("pending", "not looked up yet", None),
        ("invalid", "check digit wrong", None),
        ("blank", None, None),
        None,
        ("pending", "beyond --limit", None),
    ]


def test_a_key_is_found_or_not_found_or_neither() -> None:
    found, not_found = answers_of((0, [{"asin": "A"}, {"asin": "B"}]), (2, [])).outcomes()
    assert found.tolist() == [True, False, False, False]
    assert not_found.tolist() == [False, False, True, False]


def test_of_several_products_the_best_ranked_is_taken_and_counted() -> None:
    items: list[dict[str, Any]] = [
        {"asin": "A"},
        {"asin": "B", "bsr": 9},
        {"asin": "C", "bsr": 5, "totalNew": 1},
        {"asin": "D", "bsr": 5, "totalNew": 8},
    ]
    row = table_of(rows_of(0), answers_of((0, items)))[0]
    assert row is not None
    assert (row["amazon_asin"], row["match_count"]) == ("D", 4)
    assert row["lookup_note"] == "4 products have this code; the best-ranked is shown"


def test_sandbox_data_is_named_in_every_row_it_is_in() -> None:
    row = table_of(rows_of(0), answers_of((0, [{"asin": "A"}]), note="sandbox"))[0]
    assert row is not None
    assert row["lookup_note"] == "sandbox"


def test_numbers_stay_numbers_and_lists_become_text() -> None:
    item = {"asin": "A", "bsr": 3, "lowestNewPrice": 1.5, "soldByAmazon": False, "upcList": ["1", "2"], "images": []}
    row = table_of(rows_of(0), answers_of((0, [item])), Columns(list_separator="|"))[0]
    assert row is not None
    assert [row[f"amazon_{name}"] for name in ("bsr", "lowest_new_price", "sold_by_amazon", "upc_list", "images")] == [
        *(3, 1.5, False, "1|2", None),
    ]


def test_fields_and_prefix_are_as_asked() -> None:
    added = additions(rows_of(0), answers_of((0, [{"asin": "A", "title": "t"}])), Columns(("title", "asin"), ""))
    assert added.names == ("title", "asin", *LOOKUP_FIELDS)
    assert added.table().column(0).to_pylist() == ["t"]


@given(st.lists(st.integers(-1, 3), max_size=50))
def test_rows_that_say_the_same_share_one_piece(key_index: list[int]) -> None:
    added = additions(rows_of(*key_index), answers_of((0, [{"asin": "A"}]), (1, [])), Columns())
    assert len(added.index) == len(key_index)
    assert added.pieces.num_rows == len(added.table()) == len(set(key_index))
