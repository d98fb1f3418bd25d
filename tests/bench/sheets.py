"""Files read, joined and written by enricher, beside what a user would pick instead; one table, targets beside ratios.

Every command runs in a process of its own, one after another; files are made first and not counted.
"""

from __future__ import annotations

import csv
import importlib.util
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.measure import Measured, measure, measure_job

if TYPE_CHECKING:
    from collections.abc import Iterator

_DISTINCT = 300_000
_FIELDS = 25
_SAMPLED_BYTES = 400_000
_ANON_MIB = 350.0
_WORKBOOK_MIB = 60.0
_PROGRAM = "from enricher.cli import main; main()"
_PRODUCT_FIELDS = (
    "asin,title,brand,category,product_group,mpn,bsr,upc,ean,lowest_new_price,lowest_formatted_price,total_new,"
    "sold_by_amazon,package_height,package_width,package_length,package_weight,upc_list,ean_list,small_image"
)
_STOPPED = 75  # some rows have no answer in the resume file: none here, but it is no failure


@dataclass(frozen=True, slots=True)
class Rival:
    """Another way to do a job: its name, the package it needs, and how often its CPU time enricher's is to fit into it.

    `is_most`: the figure is the most that enricher may take, as a multiple of the rival's.
    """

    job: str
    package: str
    target: float
    is_most: bool = False

    def verdict(self, ours: Measured, theirs: Measured) -> str:
        if self.is_most:
            ratio = ours.cpu_s / max(theirs.cpu_s, 1e-9)
            return f"{ratio:8.2f} x its CPU   at most {self.target:<4g} {'ok' if ratio <= self.target else 'MISSED'}"
        ratio = theirs.cpu_s / max(ours.cpu_s, 1e-9)
        return f"{ratio:8.1f} times ours  at least {self.target:<3g} {'ok' if ratio >= self.target else 'MISSED'}"


class Bench:
    """One run: its folder, its scale, and the answers of all measurements."""

    def __init__(self, folder: Path, scale: float) -> None:
        self.folder = folder
        self._scale = scale
        self.answers = self._made("answers", "answers.parquet")

    def rows(self, count: int) -> int:
        return max(20, round(count * self._scale))

    @contextmanager
    def made(self, kind: str, name: str, rows: int = 0, width: int = 0) -> Iterator[Path]:
        """Have an input made, and deleted afterwards."""
        path = self._made(kind, name, rows, width)
        yield path
        path.unlink()

    def _made(self, kind: str, name: str, rows: int = 0, width: int = 0) -> Path:
        path = self.folder / name
        measure_job("make", kind, path, rows, width, self.rows(_DISTINCT))
        return path

    def side_by_side(
        self, ours: tuple[str, ...], rivals: tuple[Rival, ...], most_mib: float | None, suffix: str
    ) -> None:
        """Measure enricher and the others on one job, print each, and compare what they wrote."""
        job, *arguments = ours
        sampled: dict[str, dict[str, list[str]]] = {}
        mine: Measured | None = None
        for name, rival in ((job, None), *((rival.job, rival) for rival in rivals)):
            if rival is not None and importlib.util.find_spec(rival.package) is None:
                print(f"  {rival.package:<12} is not installed: skipped")
                continue
            target = self.folder / f"output{suffix}"
            given = [word if word != "TARGET" else str(target) for word in arguments]
            took = measure_job(name, *given, threads=1)
            mine = mine or took
            self.line(
                name.partition("_")[0],
                took,
                "" if rival is None else rival.verdict(mine, took),
                most_mib if rival is None else None,
            )
            if target.exists():
                if suffix == ".csv":
                    sampled[name] = _sample(target)
                target.unlink()
        for name, rows in sampled.items():
            _compare(name, sampled[job], rows)

    def line(
        self, name: str, took: Measured, verdict: str = "", most_mib: float | None = None, *, above: bool = True
    ) -> None:
        """Print one measurement; `most_mib` is the most anonymous memory, for the work alone or in all.

        For the work: above what the program and the answers took when they were loaded.
        """
        anon = took.anon_mib
        memory = f"{took.peak_mib:7,.0f} MiB peak"
        if anon is not None:
            over = anon - took.told.get("loaded_mib", 0.0)
            memory += f" {anon:7,.0f} anonymous"
            if took.told:
                memory += f" {over:6,.0f} for the work"
            if most_mib is not None:
                held = over if above else anon
                memory += f"  at most {most_mib:g} {'ok' if held <= most_mib else 'MISSED'}"
        print(f"  {name:<12}{took.cpu_s:8.2f} s CPU{took.wall_s:8.1f} s {memory}  {verdict}", flush=True)


def run(scale: float = 1.0, *, large: bool = False, only: str = "abcdef") -> None:
    """Make the measurements asked for by letter, and print them."""
    with tempfile.TemporaryDirectory(prefix="enricher-bench-") as folder:
        bench = Bench(Path(folder), scale)
        for letter, measurement in _MEASUREMENTS.items():
            if letter in only:
                measurement(bench, large)


def _workbooks(bench: Bench, large: bool) -> None:  # noqa: FBT001, ARG001 - every measurement is called alike
    rows = bench.rows(200_000)
    print(f"a  workbook of {rows:,} rows x 8, 12 columns added and read back")
    with bench.made("shared", "a.xlsx", rows, 8) as book:
        joined = ("enricher_join", str(book), str(bench.answers), "TARGET", "12")
        bench.side_by_side(joined, (Rival("openpyxl_join", "openpyxl", 10),), _WORKBOOK_MIB, ".xlsx")


def _large_workbook(bench: Bench, large: bool) -> None:  # noqa: FBT001 - the same
    if not large:
        return
    rows = bench.rows(1_000_000)
    print(f"b  workbook of {rows:,} rows x 20, 12 columns added and read back")
    with bench.made("streamed", "b.xlsx", rows, 20) as book:
        joined = ("enricher_join", str(book), str(bench.answers), "TARGET", "12")
        bench.side_by_side(joined, (), _WORKBOOK_MIB, ".xlsx")


def _reading(bench: Bench, large: bool) -> None:  # noqa: FBT001, ARG001 - the same
    rows = bench.rows(200_000)
    print(f"c  the code column of a workbook of {rows:,} rows x 8, against all of its cells")
    with bench.made("shared", "c.xlsx", rows, 8) as book:
        rival = Rival("calamine_read", "python_calamine", 1.5, is_most=True)
        bench.side_by_side(("enricher_read", str(book)), (rival,), None, "")


def _new_workbook(bench: Bench, large: bool) -> None:  # noqa: FBT001, ARG001 - the same
    rows = bench.rows(200_000)
    print(f"d  a new workbook of {rows:,} rows x 20 from a CSV: 19 columns and 1 added")
    with bench.made("csv", "d.csv", rows, 19) as sheet:
        joined = ("enricher_join", str(sheet), str(bench.answers), "TARGET", "1")
        bench.side_by_side(joined, (Rival("xlsxwriter_new", "xlsxwriter", 3),), None, ".xlsx")


def _csvs(bench: Bench, large: bool) -> None:  # noqa: FBT001 - the same
    rivals = (
        Rival("pandas_join", "pandas", 6),
        Rival("duckdb_join", "duckdb", 1.2),
        Rival("polars_join", "polars", 1.3),
    )
    for count in (1_000_000, 5_000_000) if large else (1_000_000,):
        rows = bench.rows(count)
        print(f"e  CSV of {rows:,} rows x 12, {_FIELDS} columns joined from {bench.rows(_DISTINCT):,} answers")
        with bench.made("csv", "e.csv", rows, 12) as sheet:
            joined = ("enricher_join", str(sheet), str(bench.answers), "TARGET", str(_FIELDS))
            bench.side_by_side(joined, rivals if count == 1_000_000 else (), None, ".csv")


def _whole_program(bench: Bench, large: bool) -> None:  # noqa: FBT001 - the same
    for count in (1_000_000, 5_000_000) if large else (1_000_000,):
        rows = bench.rows(count)
        print(f"f  the whole program on such a CSV of {rows:,} rows, all answers in its resume file")
        with bench.made("csv", "f.csv", rows, 12) as sheet, bench.made("store", "f.resume.parquet") as store:
            output = bench.folder / "f.enriched.csv"
            command: list[str | Path] = [
                sys.executable,
                "-c",
                _PROGRAM,
                "enrich",
                sheet,
                "-o",
                output,
                "--store",
                store,
            ]
            fields = _PRODUCT_FIELDS
            took = measure([*command, "--offline", "--quiet", "--fields", fields], right=(0, _STOPPED))
            bench.line("enricher", took, most_mib=_ANON_MIB, above=False)
            output.unlink()


_MEASUREMENTS = {
    "a": _workbooks,
    "b": _large_workbook,
    "c": _reading,
    "d": _new_workbook,
    "e": _csvs,
    "f": _whole_program,
}


def _sample(path: Path) -> dict[str, list[str]]:
    """Read the records at both ends of a CSV, by their first field."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_SAMPLED_BYTES)
        file.seek(max(0, size - _SAMPLED_BYTES))
        tail = file.read()
    lines = [*head.decode("utf-8", "ignore").splitlines()[1:-1], *tail.decode("utf-8", "ignore").splitlines()[1:]]
    return {record[0]: [*map(_plain, record)] for record in csv.reader(lines)}


def _plain(text: str) -> str:
    """Write a value as all would: numbers without needless zeros, truth in small letters."""
    try:
        return repr(float(text))
    except ValueError:
        return text.lower()


def _compare(name: str, ours: dict[str, list[str]], theirs: dict[str, list[str]]) -> None:
    """Say how many rows were compared. Raises ValueError where joined values differ."""
    both = ours.keys() & theirs.keys()
    new = slice(-_FIELDS, None)
    for sku in both:
        if ours[sku][new] != theirs[sku][new]:
            raise ValueError(f"{name}, row {sku}: {theirs[sku][new]} where enricher has {ours[sku][new]}")
    if not name.startswith("enricher"):
        print(f"  {name.partition('_')[0]:<12}wrote the same new values in {len(both):,} rows compared")
