"""Killed and interrupted in mid-run, with real signals: nothing paid is lost, nothing is paid twice."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
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
    from tests.program import Program

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


@pytest.fixture(scope="module")
def undisturbed(program: Program, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> list[list[object]]:
    """The sheet as a run that nobody stops writes it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    arguments = ["enrich", str(samples / "catalog.xlsx"), "--sandbox", "-o", "out.xlsx", "--store", "out.parquet"]
    assert program.run(arguments, folder, environment("sandbox")).code == 0
    return without_dates(folder / "out.xlsx")


@pytest.mark.parametrize("codes", [1, 60, 108])
def test_a_kill_costs_at_most_the_chunk_in_flight_and_the_one_being_written(
    enricher: Run, workbook: Path, tmp_path: Path, undisturbed: list[list[object]], codes: int
) -> None:
    with interrupted(workbook, Gate(codes), signal.SIGKILL) as (api, _):
        assert not (tmp_path / "catalog.enriched.xlsx").exists()
        paid_before = dict(api.requests)
        assert enricher("enrich", workbook, "--api-url", api.url).returncode == 0
        assert UNIQUE_CODES <= api.ledger.spent("sandbox") <= UNIQUE_CODES + 2 * 10
        assert sum(count - 1 for count in api.requests.values()) <= 2 * 10
        assert paid_before.keys() <= api.requests.keys()
    assert without_dates(tmp_path / "catalog.enriched.xlsx") == undisturbed


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


@contextmanager
def under_way(
    workbook: Path, codes: int, latency_s: float
) -> Iterator[tuple[sandbox.Sandbox, subprocess.Popen[bytes]]]:
    """A run against a slow service, when it has been asked for so many codes."""
    with sandbox.serve(plans={"sandbox": GENEROUS}, latency_s=latency_s) as api:
        command = [str(PROGRAM), "enrich", str(workbook), "--api-url", api.url, "--quiet"]
        process = subprocess.Popen(command, cwd=workbook.parent, env=environment("sandbox"))
        until_s = time.monotonic() + 30
        while api.ledger.spent("sandbox") < codes:
            assert time.monotonic() < until_s
            time.sleep(0.01)
        yield api, process


def test_a_kill_while_a_slow_service_is_asked_costs_at_most_the_requests_under_way(
    enricher: Run, workbook: Path, tmp_path: Path, undisturbed: list[list[object]]
) -> None:
    with under_way(workbook, 50, latency_s=0.4) as (api, process):
        process.kill()
        process.wait(30)
        assert enricher("enrich", workbook, "--api-url", api.url).returncode == 0
        assert UNIQUE_CODES <= api.ledger.spent("sandbox") <= UNIQUE_CODES + (4 + 1) * 10
    assert without_dates(tmp_path / "catalog.enriched.xlsx") == undisturbed


def test_a_second_interrupt_leaves_at_once_and_what_had_arrived_is_kept(
    enricher: Run, workbook: Path, tmp_path: Path
) -> None:
    with under_way(workbook, 50, latency_s=2.5) as (_, process):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)  # two at the same moment would be one
        process.send_signal(signal.SIGINT)
        asked_s = time.monotonic()
        assert process.wait(30) == 130
        assert time.monotonic() - asked_s < 2.2  # and not until the replies come
    assert not (tmp_path / "catalog.enriched.xlsx").exists()
    known = json.loads(enricher("enrich", workbook, "--offline", "--json", "--api-url", "http://127.0.0.1:1").stdout)
    assert known["codes_found"] + known["codes_not_found"] >= 36  # the first four replies: ASINs, the last of 6
