"""Killed and interrupted in mid-run, with real signals: nothing paid is lost, nothing is paid twice."""

from __future__ import annotations

import signal
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import openpyxl
import pytest

from enricher import sandbox
from tests.conftest import GENEROUS, PROGRAM, environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from enricher.model import CodeType, Domain, Item
    from tests.conftest import Run

UNIQUE_CODES = 108


class Gate(sandbox.Catalog):
    """The shipped catalog behind a gate: it stops in the middle of a reply after `codes` codes."""

    def __init__(self, codes: int) -> None:
        super().__init__()
        self._left = codes
        self._opened = threading.Event()
        self.reached = threading.Event()

    def lookup(self, code_type: CodeType, code: str, domain: Domain) -> list[Item]:
        self._left -= 1
        if self._left == 0:
            self.reached.set()
            self._opened.wait(20)
        return sandbox.Catalog.shipped().lookup(code_type, code, domain)

    def open(self) -> None:
        self._opened.set()


@contextmanager
def interrupted(workbook: Path, gate: Gate, *signals: int) -> Iterator[tuple[sandbox.Sandbox, int]]:
    """Run until the gate is reached, send the signals, let the server go on, and wait for the end."""
    with sandbox.serve(gate, {"sandbox": GENEROUS}) as api:
        command = [str(PROGRAM), "enrich", str(workbook), "--api-url", api.url, "--quiet"]
        process = subprocess.Popen(command, cwd=workbook.parent, env=environment("sandbox"))
        assert gate.reached.wait(30)
        for number in signals:
            process.send_signal(number)
        if signals == (signal.SIGKILL,):
            process.wait(30)
        gate.open()
        yield api, process.wait(30)


def without_dates(path: Path) -> list[list[object]]:
    """The sheet's cells but for when each product was fetched."""
    rows: list[list[object]] = [
        [cell.value for cell in row] for row in openpyxl.load_workbook(path)["Catalog"].iter_rows()
    ]
    assert rows[0][-1] == "fetched_at"
    return [row[:-1] for row in rows]


@pytest.mark.parametrize("codes", [1, 15, 60, 108])
def test_a_kill_costs_at_most_the_chunk_in_flight(enricher: Run, workbook: Path, tmp_path: Path, codes: int) -> None:
    with interrupted(workbook, Gate(codes), signal.SIGKILL) as (api, _):
        assert not (tmp_path / "catalog.enriched.xlsx").exists()
        paid_before = dict(api.requests)
        assert enricher("enrich", workbook, "--api-url", api.url).returncode == 0
        assert UNIQUE_CODES <= api.ledger.spent("sandbox") <= UNIQUE_CODES + 10
        assert sum(count - 1 for count in api.requests.values()) <= 10
        assert paid_before.keys() <= api.requests.keys()
    enricher("enrich", workbook, "--sandbox", "-o", "undisturbed.xlsx", "--store", "other.parquet")
    assert without_dates(tmp_path / "catalog.enriched.xlsx") == without_dates(tmp_path / "undisturbed.xlsx")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_takes_the_reply_in_flight_and_loses_nothing(
    enricher: Run, workbook: Path, tmp_path: Path, number: int
) -> None:
    with interrupted(workbook, Gate(40), number) as (api, code):
        assert code == 130
        assert (tmp_path / "catalog.enriched.xlsx").exists()
        assert api.ledger.spent("sandbox") < UNIQUE_CODES
        assert enricher("enrich", workbook, "--api-url", api.url).returncode == 0
        assert api.ledger.spent("sandbox") == UNIQUE_CODES
        assert set(api.requests.values()) == {1}


def test_a_kill_leaves_no_partial_output_that_the_next_run_does_not_clear(
    enricher: Run, workbook: Path, tmp_path: Path
) -> None:
    with interrupted(workbook, Gate(40), signal.SIGKILL) as (api, _):
        enricher("enrich", workbook, "--api-url", api.url)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["catalog.enriched.xlsx", "catalog.resume.lock", "catalog.resume.parquet", "catalog.xlsx"]
