"""What a run needs of the disks: decided from figures, and estimated never above what is then written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from enricher import pipeline, sandbox
from enricher.config import load
from enricher.disk import Disk, Need, disk_of, too_much
from enricher.errors import OutputError
from enricher.pipeline.asking import known, oldest_fresh
from enricher.pipeline.reading import read
from enricher.pipeline.room import output_bytes
from enricher.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from enricher.clock import ManualClock

FOLDER = Path("somewhere")
SMALL, LARGE = Disk(1, 100), Disk(2, 1_000)


def needs(*sizes: tuple[int, Disk | None]) -> list[Need]:
    return [Need("it", FOLDER, size_bytes, disk) for size_bytes, disk in sizes]


# --- decisions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "lacking"),
    [
        ([], []),
        ([(100, SMALL)], []),
        ([(101, SMALL)], [0]),
        ([(60, SMALL), (60, LARGE)], []),
        ([(60, SMALL), (41, SMALL)], [0, 1]),
        ([(60, SMALL), (40, SMALL)], []),
        ([(60, LARGE), (101, SMALL)], [1]),
        ([(60, SMALL), (41, Disk(1, 100))], [0, 1]),
        ([(10**12, None)], []),
        ([(10**12, None), (101, SMALL)], [1]),
    ],
)
def test_what_goes_to_one_disk_adds_up_and_what_cannot_be_looked_at_is_not_judged(
    wanted: list[tuple[int, Disk | None]], lacking: list[int]
) -> None:
    listed = needs(*wanted)
    assert too_much(listed) == [listed[at] for at in lacking]


def test_a_folder_that_is_not_there_has_no_disk(tmp_path: Path) -> None:
    there = disk_of(tmp_path)
    assert there is not None
    assert there.free_bytes > 0
    assert there.number == tmp_path.stat().st_dev
    assert disk_of(tmp_path / "nowhere") is None


# --- runs -------------------------------------------------------------------------------------------------------


def task(path: Path, api: sandbox.Sandbox, output: str, **flags: object) -> pipeline.Task:
    named: Mapping[str, Any] = {name.replace("__", "."): value for name, value in flags.items()}
    settings = load(None, {"lookup.api_url": api.url, **named}, {"ASINSCOPE_API_KEY": "sandbox"})
    return pipeline.Task(path, settings, path.with_name(output))


def estimate(asked: pipeline.Task, clock: ManualClock) -> int:
    reading = read(asked, pipeline.Observer())
    with Store(asked.store_path, asked.host, read_only=True) as store:
        told = known(reading.keys, store, oldest_fresh(asked.settings, clock.now()))
    return output_bytes(asked, reading, told, int(told.to_ask(reading.candidates).sum()))


@pytest.mark.parametrize("fields", [None, "title,brand"])
@pytest.mark.parametrize("output", ["out.csv", "out.tsv", "out.xlsx", "out.parquet", "out.jsonl"])
def test_the_output_is_not_smaller_than_estimated_and_not_very_much_larger(
    tmp_path: Path, api: sandbox.Sandbox, clock: ManualClock, output: str, fields: str | None
) -> None:
    path = tmp_path / "in.csv"
    asins = list(sandbox.Catalog.shipped())
    rows = [f"{at:06},{asin},some words about it" for at, asin in enumerate([*asins, *asins[:500]])]
    path.write_text("\n".join(["sku,ASIN,note", *rows, ""]), encoding="utf-8")
    asked = task(path, api, output, output__fields=fields)
    before = estimate(asked, clock)
    pipeline.enrich(asked, pipeline.Observer())
    size_bytes = asked.output_path.stat().st_size
    assert size_bytes / 5 < before <= size_bytes
    assert estimate(asked, clock) == before  # what is known takes as much as what is asked for now


def test_a_workbook_is_not_estimated_larger_than_it_becomes(
    samples: Path, tmp_path: Path, api: sandbox.Sandbox, clock: ManualClock
) -> None:
    path = tmp_path / "catalog.xlsx"
    path.write_bytes((samples / "catalog.xlsx").read_bytes())
    asked = task(path, api, "out.xlsx")
    before = estimate(asked, clock)
    pipeline.enrich(asked, pipeline.Observer())
    assert path.stat().st_size < before <= asked.output_path.stat().st_size


def test_codes_that_are_not_asked_in_this_run_take_no_room(
    tmp_path: Path, api: sandbox.Sandbox, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.csv"
    path.write_text("\n".join(["ASIN", *list(sandbox.Catalog.shipped())[:100], ""]), encoding="utf-8")
    needed: list[int] = []

    def noted(_: Store, codes: int) -> int:
        needed.append(codes)
        return 0

    monkeypatch.setattr(Store, "room_needed", noted)
    for flags in ({}, {"lookup__max_tokens": 30}, {"lookup__offline": True}, {"lookup__max_tokens": 0}):
        pipeline.plan(task(path, api, "out.csv", **flags), pipeline.Observer(), clock)
    assert needed == [100, 30]


def test_without_room_nothing_is_spent_and_the_plan_says_so(
    tmp_path: Path, api: sandbox.Sandbox, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.csv"
    path.write_text("ASIN\nB0WQX05XJ3\n", encoding="utf-8")
    monkeypatch.setattr(Store, "room_needed", lambda *_: 10**18)
    asked = task(path, api, "out.csv")
    note = pipeline.plan(asked, pipeline.Observer(), clock).note
    assert note.startswith(f"the run would be refused: {tmp_path}: ")
    with pytest.raises(OutputError) as caught:
        pipeline.enrich(asked, pipeline.Observer())
    assert str(caught.value).startswith(f"{tmp_path}: ")
    assert " are free there, and about 1 EB (1 EB for the resume file and " in note
    assert str(caught.value).endswith(
        "are needed. Nothing was spent. Make room, or write elsewhere: -o OUTPUT, --store FILE"
    )
    assert not api.requests
    assert pipeline.enrich(task(path, api, "out.csv", lookup__offline=True), pipeline.Observer()).rows_pending == 1
