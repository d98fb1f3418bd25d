"""Ctrl-C once and twice, at every stage: what it says, when it ends, and that nothing paid is lost."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from enricher import sandbox
from enricher.cli.stopping import Stop
from tests.conftest import GENEROUS, PROGRAM, environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from enricher.model import CodeType, Domain, Item
    from tests.conftest import Run

CODES = 60
STOPPING = "enricher: stopping: taking the replies under way, then writing what there is (once more to leave at once)"
LEAVING = "enricher: leaving; what has arrived is kept"


class Hangs(sandbox.Catalog):
    """Has every code, and does not answer from the `at`-th on until it is let go."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._left, self._lock = at, threading.Lock()
        self.reached, self.let_go = threading.Event(), threading.Event()

    def lookup(self, code_type: CodeType, code: str, domain: Domain) -> list[Item]:
        with self._lock:
            self._left -= 1
            hangs = self._left <= 0
        if hangs:
            self.reached.set()
            self.let_go.wait(30)
        return [{"asin": code, "title": f"{code_type} {domain}"}]


@pytest.fixture
def asins(tmp_path: Path) -> Path:
    path = tmp_path / "sheet.csv"
    path.write_text("ASIN\n" + "".join(f"B{at:09}\n" for at in range(CODES)), encoding="utf-8")
    return path


@contextmanager
def running(path: Path, url: str) -> Iterator[subprocess.Popen[str]]:
    command = [str(PROGRAM), "enrich", str(path), "--api-url", url, "--workers", "2"]
    with subprocess.Popen(
        command, cwd=path.parent, env=environment("sandbox"), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


def said(process: subprocess.Popen[str], line: str) -> None:
    """Wait until the program has said so."""
    assert process.stderr is not None
    assert any(heard.rstrip() == line for heard in process.stderr), line


def test_one_signal_takes_what_is_under_way_and_writes_the_rest_as_pending(asins: Path, enricher: Run) -> None:
    catalog = Hangs(25)
    with sandbox.serve(catalog, {"sandbox": GENEROUS}) as api:
        with running(asins, api.url) as process:
            assert catalog.reached.wait(30)
            process.send_signal(signal.SIGINT)
            said(process, STOPPING)
            catalog.let_go.set()
            out, _ = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "pending" in out
        paid = api.ledger.spent("sandbox")
        assert 0 < paid < CODES
        assert enricher("enrich", asins, "--api-url", api.url).returncode == 0
        assert (api.ledger.spent("sandbox"), set(api.requests.values())) == (CODES, {1})


def test_a_second_signal_leaves_at_once_and_keeps_what_was_paid_for(asins: Path, enricher: Run) -> None:
    catalog = Hangs(25)
    with sandbox.serve(catalog, {"sandbox": GENEROUS}) as api:
        with running(asins, api.url) as process:
            assert catalog.reached.wait(30)
            process.send_signal(signal.SIGTERM)
            said(process, STOPPING)
            start_s = time.monotonic()
            process.send_signal(signal.SIGTERM)
            out, errors = process.communicate(timeout=30)
            assert time.monotonic() - start_s < 3
        assert process.returncode == 130
        assert (out, errors.splitlines()[0]) == ("", LEAVING)
        assert "left without writing the output" in errors.splitlines()[-1]
        assert "Traceback" not in errors
        assert not asins.with_name("sheet.enriched.csv").exists()
        catalog.let_go.set()
        answered = api.ledger.spent("sandbox")
        assert enricher("enrich", asins, "--api-url", api.url).returncode == 0
        asked = Counter(api.requests)
        assert sum(count - 1 for count in asked.values()) <= 20, "two requests were under way, and no more are lost"
        assert answered >= 20


def test_a_signal_before_the_first_lookup_ends_the_program_there(asins: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with running(asins, f"http://127.0.0.1:{silent.getsockname()[1]}") as process:
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=10)
        assert (process.returncode, errors) == (130, "enricher: interrupted; what was paid for is kept\n")


@pytest.fixture
def stop() -> Iterator[Stop]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    stop = Stop()
    stop.install()
    yield stop
    for number, handler in before.items():
        signal.signal(number, handler)


def test_while_lookups_run_signals_are_counted_and_end_nothing(stop: Stop, capfd: pytest.CaptureFixture[str]) -> None:
    stop.lookups_begin()
    for _ in range(5):
        signal.raise_signal(signal.SIGINT)
    assert stop() == 5
    assert capfd.readouterr().err.splitlines() == [STOPPING, LEAVING]


def test_while_the_output_is_written_the_first_signal_is_heard_and_the_second_ends_it(
    stop: Stop, capfd: pytest.CaptureFixture[str]
) -> None:
    stop.lookups_begin()
    stop.lookups_end()
    signal.raise_signal(signal.SIGTERM)
    assert "finishing the output (once more to leave at once)" in capfd.readouterr().err
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)  # it is leaving: that changes nothing


def test_after_a_stop_of_the_lookups_one_more_signal_ends_the_writing(stop: Stop) -> None:
    stop.lookups_begin()
    signal.raise_signal(signal.SIGINT)
    stop.lookups_end()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


def test_two_signals_asked_for_an_end_that_comes_with_the_lookups(stop: Stop) -> None:
    stop.lookups_begin()
    for _ in range(2):
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        stop.lookups_end()


def test_an_interrupt_that_was_dropped_ends_the_program_before_anything_is_asked(stop: Stop) -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        stop.lookups_begin()


def test_an_interrupt_that_was_dropped_ends_the_reading_of_the_sheet(stop: Stop) -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        stop.reading()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_two_signals_before_the_first_lookup_end_with_the_exit_code_of_one(asins: Path, number: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with running(asins, f"http://127.0.0.1:{silent.getsockname()[1]}") as process:
            connection, _ = silent.accept()
            with connection:
                process.send_signal(number)
                time.sleep(0.02)
                process.send_signal(number)
                process.communicate(timeout=10)
        assert process.returncode == 130


def test_a_signal_between_two_rounds_of_lookups_is_only_counted(stop: Stop) -> None:
    stop.lookups_begin()
    signal.raise_signal(signal.SIGINT)
    stop.lookups_begin()
    assert stop() == 1
