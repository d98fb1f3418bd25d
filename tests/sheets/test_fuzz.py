"""A few seconds of the fuzz run, and proof that it would find what it looks for."""

from __future__ import annotations

import shutil
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.fuzz import verdicts, watched
from tests.fuzz.codes import EANS
from tests.fuzz.judge import judge
from tests.fuzz.mutants import Mutant, make
from tests.fuzz.run import Fuzz, Tally
from tests.fuzz.seeds import Seed, made

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MUTANTS = 20
FINE: dict[str, Any] = {
    "runs": [{"command": "enrich", "code": 0, "trace": "", "error": ""}],
    "seconds": 0.1,
    "peak_bytes": 10**8,
    "left": [],
    "written": True,
    "input_kept": True,
    "noise": "",
}


@pytest.fixture(scope="session")
def seeds() -> list[Seed]:
    return made()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzz]:
    """The processes of a fuzz run, which take longer to start than to try some files."""
    with Fuzz(tmp_path_factory.mktemp("findings")) as fuzz:
        yield fuzz


@pytest.fixture
def fuzz(running: Fuzz) -> Fuzz:
    running.tally = Tally()
    return running


# --- the program ------------------------------------------------------------------------------------------------


def test_damaged_and_odd_files_are_enriched_or_refused_in_one_line(fuzz: Fuzz, seeds: list[Seed]) -> None:
    tally = fuzz.run(seeds, run_seed=1, seconds=600, mutants=MUTANTS)
    assert not tally.findings, [path.read_text(encoding="utf-8") for path in fuzz.keep.glob("*.why")]
    assert tally.outcomes.total() == MUTANTS


def test_every_seed_is_enriched_as_long_as_nobody_damages_it(fuzz: Fuzz, seeds: list[Seed]) -> None:
    wrong = {
        seed.name: fuzz.try_one(Mutant(at, seed.name, seed.suffix, output, seed.data, ""))
        for at, seed in enumerate(seeds)
        for output in [".xlsx" if seed.suffix in {".xls", ".ods"} else seed.suffix]
    }
    refused = {seed: count for (seed, what), count in fuzz.tally.outcomes.items() if what != "exit 0"}
    assert not any(wrong.values()), wrong
    assert not refused


# --- the fuzz run itself ----------------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_mutants(seeds: list[Seed]) -> None:
    first, second = ([make(5, number, seeds) for number in range(300)] for _ in range(2))
    assert first == second
    assert len({mutant.data for mutant in first}) > 290


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({}, None),
        ({"runs": [{"command": "enrich", "code": None, "trace": "KeyError: 1", "error": ""}]}, "traceback"),
        ({"runs": [{"command": "enrich", "code": 1, "trace": "", "error": "enricher: failed"}]}, "exit 1"),
        ({"runs": [{"command": "enrich", "code": 65, "trace": "", "error": "enricher: a\nb"}]}, "more than one line"),
        ({"seconds": 61}, "slow"),
        ({"peak_bytes": 2**30 + 1}, "memory"),
        ({"left": [".x.partial"]}, "left behind"),
        ({"written": False}, "output missing"),
        ({"input_kept": False}, "the input was changed"),
        ({"noise": "thread panicked"}, "noise"),
    ],
)
def test_what_must_not_happen_is_a_finding(told: dict[str, Any], found: str | None) -> None:
    finding = verdicts.finding(Mutant(1, "a.csv", ".csv", ".csv", b"", ""), {**FINE, **told})
    assert finding is None if found is None else found in (finding or "")


@pytest.mark.parametrize(
    ("script", "most_s", "said"),
    [
        ("import os; input(); os.abort()", 60, "SIGABRT"),
        ("input(); raise SystemExit(3)", 60, "exit 3"),
        ("import threading; input(); threading.Event().wait()", 0.5, "no answer"),
    ],
)
def test_a_process_that_dies_or_hangs_is_told_apart(tmp_path: Path, script: str, most_s: float, said: str) -> None:
    with (
        watched.Watched([sys.executable, "-c", script], tmp_path / "log") as process,
        pytest.raises(watched.Ended, match=said),
    ):
        process.ask({}, most_s)


def test_a_changed_byte_of_a_text_is_found(tmp_path: Path) -> None:
    before, after = tmp_path / "a.csv", tmp_path / "b.csv"
    before.write_text("SKU,EAN\n" + "".join(f"007,{ean}\n" for ean in EANS), encoding="utf-8")
    wide = before.read_text(encoding="utf-8").replace("\n", ",new\n")
    after.write_text(wide, encoding="utf-8")
    assert not judge({"input": str(before), "output": str(after)})["wrong"]
    after.write_text(wide.replace("007", "7", 1), encoding="utf-8")
    assert "became" in judge({"input": str(before), "output": str(after)})["wrong"]
    after.write_text(wide.rpartition("007")[0], encoding="utf-8")
    assert "records" in judge({"input": str(before), "output": str(after)})["wrong"]


def test_a_changed_part_of_a_workbook_is_found(tmp_path: Path, seeds: list[Seed]) -> None:
    before, after = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    before.write_bytes(next(seed.data for seed in seeds if seed.name == "rich.xlsx"))
    shutil.copy(before, after)
    assert not judge({"input": str(before), "output": str(after)})["wrong"]
    with zipfile.ZipFile(before) as old, zipfile.ZipFile(after, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry, old.read(entry).replace(b"Our products", b"Own products"))
    assert "xl/sharedStrings.xml" in judge({"input": str(before), "output": str(after)})["wrong"]
