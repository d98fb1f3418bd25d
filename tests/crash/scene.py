"""A folder with a sheet of codes, the command that enriches it, and what must be true of the files it leaves.

A broken promise is an AssertionError that says which.
"""

from __future__ import annotations

import csv
import itertools
import re
import zipfile
from typing import TYPE_CHECKING

import openpyxl

from enricher.store import Store
from tests.crash.service import Service, code_at, items_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

HOST = "localhost"
CHUNK = 10
_FETCHED_AT = re.compile(rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Scene:
    """A folder of its own, with the sheet of a service's codes in it, as .csv or .xlsx."""

    def __init__(self, folder: Path, service: Service, suffix: str = ".csv", workers: int = 4) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.resolve()
        self.service = service
        self.workers = workers
        self.input = self.folder / f"sheet{suffix}"
        self.output = self.folder / f"sheet.enriched{suffix}"
        self.store = self.folder / "sheet.resume.parquet"
        if not self.input.exists():
            (_write_csv if suffix == ".csv" else _write_xlsx)(self.input, service.codes)

    @property
    def most_lost(self) -> int:
        """How many tokens a kill costs at most.

        As many chunks as there are workers are under way, and as many may have arrived and be on their way to the
        disk, as the next requests are sent before.
        """
        return 2 * self.workers * CHUNK

    def arguments(self, url: str, *more: object) -> list[str]:
        """Return the command's arguments."""
        flags = ["--api-url", url, "--workers", str(self.workers), *map(str, more)]
        return ["enrich", str(self.input), *flags]

    def stored(self) -> npt.NDArray[np.bool_]:
        """Read the resume file as it lies there, and say of each code whether its answer is in it."""
        with Store(self.store, HOST, read_only=True) as store:
            stored: npt.NDArray[np.bool_] = store.known(self.service.keys).fetched_ms >= 0
        return stored

    def check_output(self, *, complete: bool) -> None:
        """Hold the output against what the service says: every row, in order, pending ones only where incomplete."""
        rows = 0
        for number, row in enumerate(self._rows()):
            assert row["EAN"] == code_at(number), f"row {number + 1} has the code {row['EAN']}"
            items = items_of(number)
            if row["lookup_status"] == "pending" and not complete:
                assert not row["amazon_asin"], f"row {number + 1} is pending and has a product"
            else:
                told = (
                    row["lookup_status"],
                    row["amazon_asin"] or "",
                    row["amazon_title"] or "",
                    int(row["match_count"] or 0),
                )
                first = items[0] if items else {"asin": "", "title": ""}
                truth = "found" if items else "not_found", first["asin"], first["title"], len(items)
                assert told == truth, f"row {number + 1} says {told}, the service says {truth}"
            rows += 1
        assert rows == self.service.codes, f"the output has {rows} of {self.service.codes} rows"

    def _rows(self) -> Iterator[dict[str, str]]:
        if self.output.suffix == ".csv":
            with self.output.open(encoding="utf-8", newline="") as file:
                yield from csv.DictReader(file)
        else:
            header, *rows = openpyxl.load_workbook(self.output).worksheets[0].iter_rows(values_only=True)
            for row in rows:
                yield {str(name): "" if value is None else str(value) for name, value in zip(header, row, strict=True)}

    def strays(self) -> set[str]:
        """Return the names of the files that should not be here once a run has ended well.

        Copies of the format before are to stay, one of each time that they were brought up to date.
        """
        expected = {self.input.name, self.output.name, self.store.name, "sheet.resume.lock"}
        copies = {path.name for path in self.folder.glob("sheet.resume.format-1*")}
        return {path.name for path in self.folder.iterdir()} - expected - copies


def without_dates(path: Path) -> Iterator[bytes]:
    """Yield an output's lines, or the parts of its zip, without when each product was fetched."""
    if path.suffix == ".csv":
        with path.open("rb") as file:
            for line in file:
                yield _FETCHED_AT.sub(b"", line)
    else:
        with zipfile.ZipFile(path) as package:
            for name in package.namelist():
                yield name.encode()
                yield _FETCHED_AT.sub(b"", package.read(name))


def differs(path: Path, undisturbed: Path) -> str:
    """Compare two outputs byte for byte, but for when each product was fetched; say where they differ, if they do."""
    for place, (ours, theirs) in enumerate(itertools.zip_longest(without_dates(path), without_dates(undisturbed))):
        if ours != theirs:
            return f"the output differs from the undisturbed one at line {place}: {ours!r:.300}, {theirs!r:.300}"
    return ""


def _write_csv(path: Path, codes: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("SKU,EAN\r\n")
        file.writelines(f"{number},{code_at(number)}\r\n" for number in range(codes))


def _write_xlsx(path: Path, codes: int) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["SKU", "EAN"])
    for number in range(codes):
        sheet.append([number, code_at(number)])
    book.save(path)
