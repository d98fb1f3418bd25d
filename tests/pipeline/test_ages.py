"""How old an answer may be, by what is wanted of it; a plan asks for the same as the run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enricher import pipeline, sandbox
from enricher.config import load
from enricher.model import FIELDS
from enricher.pipeline.asking import oldest_fresh
from enricher.pipeline.fallback import Known, Oldest, fresh

if TYPE_CHECKING:
    from pathlib import Path

    from enricher.clock import ManualClock
    from enricher.model import CodeType, Domain, Item

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR_MS = 3_600_000
AGES = {"refresh.price": "1h", "refresh.content": "24h", "refresh.not_found": "7h"}
PRICES = "bsr,lowest_new_price,lowest_formatted_price,total_new,sold_by_amazon"


def ages_h(flags: dict[str, Any]) -> tuple[float, float]:
    """The ages in hours that found and not-found answers may have by these settings; since 1970 where none is set."""
    oldest = oldest_fresh(load(None, flags, {}), NOW)
    now_ms = NOW.timestamp() * 1000
    return (now_ms - oldest.found_ms) / HOUR_MS, (now_ms - oldest.not_found_ms) / HOUR_MS


EVER = NOW.timestamp() / 3600


# --- decisions --------------------------------------------------------------------------------------------------


def test_prices_are_what_changes_by_the_hour() -> None:
    assert {name for name, field in FIELDS.items() if field.group == "price"} == set(PRICES.split(","))


@pytest.mark.parametrize(
    ("flags", "found_h", "not_found_h"),
    [
        ({}, EVER, EVER),
        ({**AGES}, 1, 7),
        ({**AGES, "output.fields": "title,brand"}, 24, 7),
        ({**AGES, "output.fields": "title,bsr"}, 1, 7),
        ({**AGES, "output.fields": PRICES}, 1, 7),
        ({"refresh.price": "1h"}, 1, EVER),
        ({"refresh.price": "1h", "output.fields": "title"}, EVER, EVER),
        ({"refresh.content": "2h", "refresh.price": "3h"}, 2, EVER),
        ({"refresh.not_found": "7h"}, EVER, 7),
        ({"refresh.price": "0s"}, 0, EVER),
    ],
)
def test_a_found_code_goes_by_the_youngest_age_of_the_fields_that_are_wanted(
    flags: dict[str, Any], found_h: float, not_found_h: float
) -> None:
    assert ages_h(flags) == (found_h, not_found_h)


@pytest.mark.parametrize(
    ("own", "found_h", "not_found_h"),
    [
        ("", 48, 48),
        ("price = '1h'", 1, 48),
        ("price = '90h'", 48, 48),  # the contents' age is max_age
        ("price = '90h'\ncontent = '60h'", 60, 48),
        ("price = '0s'", 0, 48),
        ("not_found = '90h'", 48, 90),
    ],
)
def test_what_has_no_age_of_its_own_goes_by_max_age(
    tmp_path: Path, own: str, found_h: float, not_found_h: float
) -> None:
    config = tmp_path / "ages.toml"
    config.write_text(f"[lookup]\nmax_age = '48h'\n[refresh]\n{own}\n", encoding="utf-8")
    oldest = oldest_fresh(load(config, {}, {}), NOW)
    assert oldest == Oldest(*(round((NOW - timedelta(hours=age)).timestamp() * 1000) for age in (found_h, not_found_h)))
    flag = oldest_fresh(load(config, {"lookup.max_age": "5h"}, {}), NOW)
    assert flag == Oldest(*[round((NOW - timedelta(hours=5)).timestamp() * 1000)] * 2)


OUTCOMES = st.lists(st.tuples(st.sampled_from(["found", "not_found", "unknown"]), st.integers(0, 20)), max_size=30)


@given(OUTCOMES, st.integers(0, 21), st.integers(0, 21))
def test_only_known_answers_are_fresh_and_each_kind_goes_by_its_own_age(
    answers: list[tuple[str, int]], found_ms: int, not_found_ms: int
) -> None:
    found = np.array([outcome == "found" for outcome, _ in answers], np.bool_)
    not_found = np.array([outcome == "not_found" for outcome, _ in answers], np.bool_)
    fetched_ms = np.array([-1 if outcome == "unknown" else ms for outcome, ms in answers], np.int64)
    is_fresh = fresh(found, not_found, fetched_ms, Oldest(found_ms, not_found_ms))
    assert is_fresh.shape == found.shape
    least_ms = {"found": found_ms, "not_found": not_found_ms, "unknown": 99}
    assert is_fresh.tolist() == [ms >= least_ms[outcome] for outcome, ms in answers]


def test_a_fresh_not_found_moves_its_row_on_beside_a_price_that_is_too_old() -> None:
    candidates = np.array([[0, 1], [2, 3]], np.int32)
    found, not_found = np.array([True, False, False, False]), np.array([False, True, False, False])
    is_fresh = fresh(found, not_found, np.array([5, 5, -1, -1]), Oldest(found_ms=6, not_found_ms=4))
    known = Known(found, not_found, is_fresh)
    assert known.to_ask(candidates).tolist() == [True, False, False, True]


# --- runs -------------------------------------------------------------------------------------------------------


class Shelf(sandbox.Catalog):
    """Has every code but those that end in 9."""

    def lookup(self, code_type: CodeType, code: str, domain: Domain) -> list[Item]:
        return [] if code.endswith("9") else [{"asin": code, "title": f"{code_type} {domain}", "lowestNewPrice": 9.5}]


@pytest.mark.parametrize(
    ("hours", "fields", "asked"),
    [
        (0.5, "", 0),
        (2, "", 4),  # the four that are there; the three that are not have another age
        (2, "title", 0),
        (8, "title", 3),
        (8, "", 7),
        (30, "title,brand", 7),
    ],
)
def test_a_run_asks_again_for_what_is_too_old_for_its_fields_and_a_plan_says_so(
    tmp_path: Path, clock: ManualClock, hours: float, fields: str, asked: int
) -> None:
    path, config = tmp_path / "sheet.csv", tmp_path / "ages.toml"
    codes = [*(f"B00000000{at}" for at in range(4)), *(f"B0000000{at}9" for at in range(3))]
    path.write_text("\n".join(["ASIN", *codes, ""]), encoding="utf-8")
    ages = "".join(f'{name.removeprefix("refresh.")} = "{age}"\n' for name, age in AGES.items())
    config.write_text(f"[refresh]\n{ages}", encoding="utf-8")
    with sandbox.serve(Shelf(), {"sandbox": sandbox.PRO}, clock) as api:
        flags = {"lookup.api_url": api.url, "output.fields": fields or None}
        task = pipeline.Task(path, load(config, flags, {"ASINSCOPE_API_KEY": "sandbox"}))
        pipeline.enrich(task, pipeline.Observer(), clock=clock)
        clock.sleep(hours * 3600)
        plan = pipeline.plan(task, pipeline.Observer(), clock)
        summary = pipeline.enrich(task, pipeline.Observer(), clock=clock)
        again = pipeline.plan(task, pipeline.Observer(), clock)
    assert (summary.tokens_spent, plan.tokens, again.tokens) == (asked, asked, 0)
    assert (summary.codes_found, summary.codes_not_found) == (4, 3)
