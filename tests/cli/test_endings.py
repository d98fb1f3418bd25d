"""Every way a run can end has its exit code, whatever is printed."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conftest import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Run

Answer = tuple[int, dict[str, Any]]


@contextmanager
def service(answer: Callable[[list[str]], Answer], daily_left: int = 1000) -> Iterator[str]:
    """Serve the API: `answer` says status and reply to a lookup of some codes. Yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            levels = {
                "dailyTokensLeft": daily_left, "dailyTokensLimit": 1000, "minutelyTokensLeft": 1000,
                "minutelyBucketCapacity": 1000, "tokensPerMinute": 6000, "msBeforeNextDailyReset": 3_600_000,
            }  # fmt: skip
            query = parse_qs(urlsplit(self.path).query)
            status, reply = (200, levels) if "account" in self.path else answer(query["asin"][0].split(","))
            body = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def found(codes: list[str]) -> Answer:
    return 200, {"items": [{"asin": code} for code in codes], "consumedTokens": len(codes)}


def revoked(codes: list[str]) -> Answer:
    return found(codes) if "B000000000" in codes else (401, {"error": "Invalid API key"})


def malformed(codes: list[str]) -> Answer:
    return (400, {"error": "no such code"}) if "B000000000" in codes else found(codes)


def down(_: list[str]) -> Answer:
    return 404, {}  # nothing that another try may mend


ENDINGS: dict[str, tuple[Callable[[list[str]], Answer], int, list[str], int, str, str]] = {
    "done": (found, 1000, [], 0, "", ""),
    "offline": (found, 1000, ["--offline"], 0, "", ""),
    "budget": (found, 1000, ["--max-tokens", "15"], 75, "budget", ""),
    "day": (found, 15, [], 75, "day", ""),
    "the day's end before the start": (found, 0, [], 75, "day", ""),
    "key": (revoked, 1000, ["--workers", "1"], 77, "key", "enricher: the API key is wrong"),
    "down": (down, 1000, [], 3, "down", "enricher: "),
    "some failed": (malformed, 1000, [], 3, "", ""),
    "some failed, then budget": (malformed, 1000, ["--max-tokens", "15"], 75, "budget", ""),
}


@pytest.mark.parametrize("case", ENDINGS)
def test_an_ending_has_its_exit_code_and_the_output_is_written(enricher: Run, tmp_path: Path, case: str) -> None:
    answer, left, flags, code, reason, error = ENDINGS[case]
    path = tmp_path / "sheet.csv"
    path.write_text("ASIN\n" + "".join(f"B{at:09}\n" for at in range(60)), encoding="utf-8")
    with service(answer, left) as url:
        for how in ("--quiet", "--json"):
            arguments = ["enrich", path, "--api-url", url, *flags, "--store", f"{how}.parquet", "-o", f"{how}.csv"]
            ran = enricher(*arguments, how)
            assert ran.returncode == code, ran.stderr
            if how == "--json":
                assert json.loads(ran.stdout)["stop_reason"] == reason
            else:
                assert ran.stdout == ""
                assert ran.stderr.startswith(error)
                assert ran.stderr.count("\n") == bool(error)
            assert (tmp_path / f"{how}.csv").exists()


def test_workers_are_requests_under_way_at_once(enricher: Run, tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text("ASIN\n" + "".join(f"B{at:09}\n" for at in range(60)), encoding="utf-8")
    under_way, most, lock = 0, 0, threading.Lock()
    together = threading.Event()

    def slow(codes: list[str]) -> Answer:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
            if most == 3:
                together.set()
        together.wait(5)
        with lock:
            under_way -= 1
        return found(codes)

    with service(slow) as url:
        assert enricher("enrich", path, "--api-url", url, "--workers", "3").returncode == 0
    assert most == 3


@pytest.mark.parametrize("number", ["0", "33", "many"])
def test_workers_out_of_range_are_refused(enricher: Run, tmp_path: Path, number: str) -> None:
    ran = enricher("enrich", tmp_path / "sheet.csv", "--workers", number)
    assert ran.returncode == 2
    assert "Invalid value for '--workers'" in ran.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_result_that_cannot_be_printed_is_an_error_and_one_that_nobody_reads_is_none(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text("ASIN\nB000000001\n", encoding="utf-8")
    command = [str(PROGRAM), "plan", "sheet.csv", "--offline", "--json"]
    reader, writer = os.pipe()
    os.close(reader)
    with Path("/dev/full").open("wb") as full, os.fdopen(writer, "wb") as unread:
        told = [
            subprocess.run(command, cwd=tmp_path, stdout=where, stderr=subprocess.PIPE, text=True, check=False)
            for where in (full, unread)
        ]
    assert [(ran.returncode, ran.stderr) for ran in told] == [
        (73, "enricher: standard output can't be written (No space left on device)\n"),
        (0, ""),
    ]
