"""What is said of resume files: figures that add up, words a merchandiser understands."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from enricher.report import Exported, Merged, StoredGroup, StoreInfo, Verification
from enricher.report.phrases import size

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def info(**facts: Any) -> StoreInfo:
    told: dict[str, Any] = {
        "store": "a.resume.parquet", "service": "api.asinscope.com", "is_sandbox": False, "format": 2, "codes": 1000,
        "codes_found": 950, "products": 1010, "answers": 1300, "answers_in_journal": 0, "outputs": 0,
        "size_bytes": 1_234_567, "oldest_at": NOW - timedelta(days=90), "newest_at": NOW - timedelta(hours=3),
        "made_at": NOW, "ages": {"day": 700, "week": 200, "month": 0, "older": 100},
        "groups": [StoredGroup("ean", "de", 400, 360), StoredGroup("asin", "com", 600, 590)],
    }  # fmt: skip
    return StoreInfo(**told | facts)


def text(report: StoreInfo | Exported | Merged | Verification) -> str:
    return "\n".join(report.lines())


def test_a_resume_file_is_described_in_figures_that_add_up() -> None:
    assert text(info()).splitlines() == [
        "  Source   api.asinscope.com",
        "  Codes    1,000: 950 found (95.0%), 50 not found",
        "           type  market       codes       found   not found",
        "           asin  com            600         590          10",
        "           ean   de             400         360          40",
        "           all                1,000         950          50",
        "  Products 1,010",
        "  Newest   Sunday 1 March, 09:00",
        "  Oldest   Monday 1 December 2025, 12:00",
        "  Ages     700 asked within a day",
        "           200 asked within a week",
        "           100 longer ago",
        "  History  1,300 answers; 300 earlier ones of codes asked again",
        "  Size     1.23 MB, format 2",
    ]


def test_who_holds_it_and_what_waits_in_the_journal_is_said() -> None:
    assert "In use   another run (process 77) holds it" in text(info(used_by=77))
    assert "In use   another run holds it" in text(info(used_by=0))
    assert "In use" not in text(info())
    assert "Journal  1 answer still in the journal" in text(info(answers_in_journal=1))


def test_an_empty_file_has_no_share_and_no_age() -> None:
    empty = info(codes=0, codes_found=0, answers=0, oldest_at=None, newest_at=None, groups=[], ages={})
    assert "  Codes    0\n" in text(empty)
    assert "Oldest" not in text(empty)
    assert empty.to_json()["found_share"] is None


def test_all_facts_go_into_json() -> None:
    facts = json.loads(json.dumps(info().to_json()))
    assert facts["codes_not_found"] == 50
    assert facts["found_share"] == 0.95
    assert facts["earlier_answers"] == 300
    assert facts["oldest_at"] == "2025-12-01T12:00:00+00:00"
    assert facts["groups"][0] == {"code_type": "ean", "domain": "de", "codes": 400, "codes_found": 360}


def test_every_line_fits_into_80_columns() -> None:
    widest = info(
        codes=99_999_999, codes_found=88_888_888, answers=999_999_999, used_by=4_194_304, answers_in_journal=99_999,
        ages={"day": 9_999_999, "week": 9_999_999, "month": 9_999_999, "older": 9_999_999},
        newest_at=datetime(2025, 9, 24, 12, 30, tzinfo=UTC), oldest_at=datetime(2024, 9, 25, 12, 30, tzinfo=UTC),
    )  # fmt: skip
    assert max(map(len, widest.lines())) <= 80


def test_a_verdict_counts_the_faults_and_says_what_to_do() -> None:
    sound = Verification("a.parquet", [], 12_345, 12_000, 11_500)
    assert sound.title.startswith("a.parquet is sound: 12,345 answers to 12,000 codes, 11,500 products")
    assert (sound.is_sound, sound.lines()) == (True, [])
    damaged = Verification("a.parquet", ["page 3 is not as it was written", "line 7 is torn"])
    assert damaged.title == "a.parquet is not sound: 2 faults"
    assert "Fault    line 7 is torn" in text(damaged)
    assert "backup" in damaged.lines()[-1]
    assert damaged.to_json()["is_sound"] is False


def test_an_export_says_its_rows_and_that_they_are_invented() -> None:
    done = Exported("a.parquet", "o.csv", "localhost", True, True, 1000, 20, 1.5, ["something"])
    assert "Rows     1,020: 1,000 products, 20 not found; every answer over time" in text(done)
    assert "SANDBOX" in text(done)
    assert "Note     something" in text(done)
    assert done.to_json()["rows"] == 1020


def test_a_merge_says_what_became_of_the_answers() -> None:
    merged = Merged(["a.parquet", "b.parquet"], "c.parquet", "api.asinscope.com", False, 5, 3, 2)
    assert "Codes    3: 2 found (66.7%), 1 not found" in text(merged)
    assert "Output   c.parquet" in text(merged)
    assert merged.to_json()["sources"] == ["a.parquet", "b.parquet"]


def test_sizes_are_written_for_people() -> None:
    assert [size(number) for number in (0, 999, 1000, 999_499, 999_500, 45_600_000, 10**15)] == [
        "0 bytes", "999 bytes", "1 kB", "999 kB", "1 MB", "45.6 MB", "1 PB",
    ]  # fmt: skip
