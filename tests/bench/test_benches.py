"""Every measurement once in miniature, so that none rots: sizes at which the figures mean nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bench import quota, store, store_jobs
from tests.bench.measure import Measured

if TYPE_CHECKING:
    from tests.program import Program

ROOT = Path(__file__).parents[2]
RIVALS = {
    "a": ["openpyxl"],
    "b": [],
    "c": ["calamine"],
    "d": ["xlsxwriter"],
    "e": ["pandas", "duckdb", "polars"],
    "f": [],
}

SHORT = "e"


def bench(*arguments: str) -> str:
    command = [sys.executable, "-m", "tests.bench", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def measured(request: pytest.FixtureRequest) -> dict[str, list[str]]:
    """Measurements of sheets in one run, and the large one of those that have it: lines by letter."""
    is_long = request.config.getoption("--long")
    printed = bench("sheets", "--scale", "0.0001", "--only", "acdef" if is_long else SHORT)
    printed += bench("sheets", "--scale", "0.0001", "--large", "--only", "b") if is_long else ""
    blocks = [block.splitlines() for block in re.split(r"(?m)^(?=[a-f]  )", printed)[1:]]
    return {lines[0][0]: lines for lines in blocks}


@pytest.mark.parametrize(
    "letter", [pytest.param(letter, marks=[] if letter in SHORT else [pytest.mark.long]) for letter in RIVALS]
)
def test_a_measurement_of_sheets_prints_a_line_for_each_way(letter: str, measured: dict[str, list[str]]) -> None:
    for name in ("enricher", *RIVALS[letter]):
        told = next(line for line in measured[letter][1:] if line.split()[0].startswith(name))
        assert "s CPU" in told or "is not installed" in told


def test_the_measurement_of_codes_prints_its_ratio() -> None:
    assert "ratio" in bench("codes", "--cells", "500")


def test_the_measurement_of_quota_prints_a_line_for_each_way(
    program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    quota.run(codes=180, scale=600, latency_s=0.001, start=lambda *how: program.run(*how)[:3:2])
    lines = capsys.readouterr().out.splitlines()
    ours, backing_off, sleeping = (line.rpartition(" s ")[2].split() for line in lines[2:5])
    assert ours[1:3] == ["1.000", "0"]
    assert (backing_off[1], sleeping[1:3]) == ("1.000", ["1.000", "0"])
    assert backing_off[2].isdigit()  # none where the machine is too busy to ask faster than the bucket fills
    assert "times as long" in lines[-1]


def test_the_measurement_of_the_store_prints_a_line_for_each_way(capsys: pytest.CaptureFixture[str]) -> None:
    def here(name: str, *arguments: object) -> Measured:
        told = store_jobs.JOBS[name](*map(str, arguments))
        return Measured(0.1, 0.1, 1.0, None, told)

    store.run(500, here)
    printed = capsys.readouterr().out
    others = ("pandas, unchecked", "SQLite", "SQLite, WAL, FULL", "pandas, rewritten")
    for way in ("5 chunks", "50 chunks", "enricher", "after a kill", *others):
        assert re.search(rf"(?m)^  {way} +[\d.]+ s CPU", printed)
    for target in ("at most 1.5", "at most 1", "at most 3"):
        assert re.search(rf"{target}: (ok|MISSED)\n", printed)
