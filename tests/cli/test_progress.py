"""What is seen while it runs: on a real terminal, and line by line in logs of hours."""

from __future__ import annotations

import itertools
import os
import re
import select
import struct
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from enricher import sandbox
from enricher.cli.progress import Bars, Lines, Progress, span
from enricher.cli.stopping import Stop
from enricher.clock import ManualClock
from enricher.config import LookupSettings
from enricher.lookup import Failure, Reply, Stopped, Waiting
from enricher.model import Answer, CodeType, Domain, Key, Levels
from tests.conftest import PROGRAM, environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BASIC = Levels(60, 1000, 7200.0, 60, 10.0, 1000)
NOW = datetime(2026, 3, 3, 23, tzinfo=UTC)
WAITS = LookupSettings(on_quota="wait")


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


def reply(codes: int, levels: Levels = BASIC) -> Reply:
    keys = [Key(CodeType.ASIN, Domain.COM, f"B{at:09}") for at in range(codes)]
    return Reply(tuple(Answer(key, (), NOW) for key in keys), codes, 0, levels)


# --- lines in a log ---------------------------------------------------------------------------------------------


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.removeprefix("enricher: ") for line in capsys.readouterr().err.splitlines()]


def waits(shown: Progress, clock: ManualClock, wait: Waiting) -> None:
    """Wait to the end, a quarter of a second at a time."""
    left_s = wait.left_s
    while left_s > 0:
        sleep_s = min(0.25, left_s)
        shown.event(Waiting(sleep_s, left_s, wait.reason))
        clock.sleep(sleep_s)
        left_s -= sleep_s


def test_the_stages_of_a_short_run_are_a_line_each(clock: ManualClock, capsys: pytest.CaptureFixture[str]) -> None:
    shown = Lines(clock=clock)
    shown.reading(1, 1.0)
    shown.looking_up(1, BASIC)
    shown.event(reply(1))
    shown.looking_up(1, BASIC)
    shown.event(reply(1))
    shown.writing(1)
    assert lines(capsys) == [
        "looking up 1 code; 1,000 tokens left",
        "looking up 1 more code, of rows whose code was not found; 1,000 tokens left",
        "writing 1 row",
    ]


def test_lookups_are_a_line_every_half_minute(clock: ManualClock, capsys: pytest.CaptureFixture[str]) -> None:
    shown = Lines(clock=clock)
    shown.looking_up(200, BASIC)
    for _ in range(10):
        waits(shown, clock, Waiting(0.25, 6.0, "bucket"))
        shown.event(reply(10, Levels(0, 900, 7000.0, 60, 10.0, 1000)))
    assert lines(capsys) == [
        "looking up 200 codes; 14 min 0 s to go, 1,000 tokens left",
        "50 of 200 codes done; 15 min 0 s to go, 900 tokens left",
        "100 of 200 codes done; 10 min 0 s to go, 900 tokens left",
    ]


def test_a_wait_of_hours_is_a_line_at_its_start_and_one_an_hour(
    clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = Lines(settings=WAITS, clock=clock)
    shown.looking_up(300, BASIC)
    clock.sleep(5)
    waits(shown, clock, Waiting(0.25, 3 * 3600 - 5.0, "day"))
    shown.event(reply(10))
    assert lines(capsys) == [
        "looking up 300 codes; 24 min 0 s to go, 1,000 tokens left",
        "0 of 300 codes done; waiting 2 h 59 min for the daily reset, Wednesday 02:00",
        "0 of 300 codes done; waiting 1 h 59 min for the daily reset, Wednesday 02:00",
        "0 of 300 codes done; waiting 59 min 55 s for the daily reset, Wednesday 02:00",
    ]
    waits(shown, clock, Waiting(0.25, 900.0, "fault"))
    assert lines(capsys) == ["10 of 300 codes done; waiting 15 min 0 s to try again, until 02:15"]


# --- the figures ------------------------------------------------------------------------------------------------


class Told(Progress):
    """What would be shown."""

    def now(self) -> str:
        return ", ".join(self._state())


@pytest.mark.parametrize(
    ("codes", "settings", "said"),
    [
        (60, WAITS, "1,000 tokens left"),
        (160, WAITS, "10 min 0 s to go, 1,000 tokens left"),
        (1500, WAITS, "2 h 44 min to go, 1,000 tokens left"),
        (1500, LookupSettings(), "the day's tokens last 1 h 34 min, 1,000 tokens left"),
        (1500, LookupSettings(reserve_tokens=700), "the day's tokens last 24 min 0 s, 1,000 tokens left"),
        (300, LookupSettings(reserve_tokens=700, on_quota="wait"), "24 min 0 s to go, 1,000 tokens left"),
        (301, LookupSettings(reserve_tokens=700, on_quota="wait"), "2 h 0 min to go, 1,000 tokens left"),
    ],
)
def test_the_time_to_go_is_the_quotas(clock: ManualClock, codes: int, settings: LookupSettings, said: str) -> None:
    shown = Told(settings=settings, clock=clock)
    shown.looking_up(codes, BASIC)
    assert shown.now() == said


def test_the_time_to_go_passes_by_the_clock_and_not_by_what_was_meant_to_be_slept(clock: ManualClock) -> None:
    shown = Told(clock=clock)
    shown.looking_up(160, BASIC)
    for _ in range(100):
        shown.event(Waiting(0.25, 1.0, "bucket"))
    assert shown.now() == "10 min 0 s to go, 1,000 tokens left"
    clock.sleep(60)
    assert shown.now() == "9 min 0 s to go, 1,000 tokens left"


def test_an_account_that_gives_nothing_has_no_time_to_go(clock: ManualClock) -> None:
    shown = Told(clock=clock)
    shown.looking_up(10, Levels(1, 1000, 60.0, 60, 0.0, 1000))
    assert shown.now() == "1,000 tokens left"


def test_a_short_wait_is_not_worth_a_word(clock: ManualClock) -> None:
    shown = Told(settings=WAITS, clock=clock)
    shown.looking_up(60, BASIC)
    for wait, said in [
        (Waiting(0.25, 1.2, "bucket"), ""),
        (Waiting(0.25, 6.0, "bucket"), ", waiting 6 s"),
        (Waiting(0.25, 0.9, "bucket"), ", waiting 1 s"),
        (Waiting(0.25, 0.25, "bucket"), ""),
    ]:
        shown.event(wait)
        assert shown.now() == f"1,000 tokens left{said}"
    for event in (Failure((), ""), Stopped("down", "")):
        shown.event(event)
        assert shown.now() == "1,000 tokens left"


def test_signals_are_told_what_the_run_is_at() -> None:
    told: list[str] = []

    class Told(Stop):
        def reading(self) -> None:
            told.append("reading")

        def lookups_begin(self) -> None:
            told.append("lookups")

        def lookups_end(self) -> None:
            told.append("writing")

    shown = Progress(Told())
    shown.reading(1, 0.5)
    shown.looking_up(1, BASIC)
    shown.writing(1)
    assert told == ["reading", "lookups", "writing"]


def test_spans_are_whole_seconds() -> None:
    assert [span(seconds) for seconds in (0.1, 1.0, 9.2, 10.2, 60.0)] == ["1 s", "1 s", "10 s", "11 s", "1 min 0 s"]


# --- a terminal -------------------------------------------------------------------------------------------------

needs_terminal = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")


def on_terminal(command: Sequence[object], folder: Path, columns: int, until: str) -> tuple[list[str], int]:
    """Run in a terminal, and press Ctrl-C when a text was seen three times. Returns each line as it was drawn."""
    import fcntl  # noqa: PLC0415 - not on Windows
    import pty  # noqa: PLC0415 - the same
    import termios  # noqa: PLC0415 - the same

    child, terminal = pty.fork()
    if not child:  # pragma: no cover - it becomes the program
        os.chdir(folder)
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        kept = {name: value for name, value in environment("sandbox").items() if name not in {"COLUMNS", "LINES"}}
        os.execve(PROGRAM, [*map(str, [PROGRAM, *command])], kept)  # noqa: S606 - it is the program under test
    drawn: list[str] = []
    pieces, is_stopped = b"", False
    while select.select([terminal], [], [], 60)[0]:
        try:
            pieces += os.read(terminal, 65536)
        except OSError:  # Linux says so that the other side is closed
            break
        text = pieces.decode(errors="ignore")
        if text.count(until) > 2 and not is_stopped:
            os.write(terminal, b"\x03")
            is_stopped = True
        drawn = re.split(r"[\r\n]+", text)
    os.close(terminal)
    return drawn, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@needs_terminal
@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (140, r"Looking up  \d+% \|.{20}\| 20/40 codes, waiting \d+ h \d+ min \d+ s for the daily reset, \w+day 00:00"),
        (80, r"Looking up 20/40 codes, waiting \d+ h \d+ min \d+ s for the daily reset"),
    ],
)
def test_a_wait_for_the_day_is_counted_down_by_the_second(tmp_path: Path, columns: int, expected: str) -> None:
    (tmp_path / "sheet.csv").write_text("ASIN\n" + "".join(f"B{at:09}\n" for at in range(40)), encoding="utf-8")
    plan = sandbox.Plan("small", bucket_capacity=20, tokens_per_minute=600, daily_limit=20)
    with sandbox.serve(plans={"sandbox": plan}) as api:
        command = ["enrich", "sheet.csv", "--api-url", api.url, "--on-quota", "wait"]
        start_s = time.monotonic()
        drawn, code = on_terminal(command, tmp_path, columns, "for the daily reset")
        took_s = time.monotonic() - start_s
    assert code == 130
    bars = [line.rstrip() for line in drawn if line.startswith("Looking up")]
    counted = [line for line in bars if re.match(expected, line)]
    assert counted, bars
    assert all(one != other for one, other in itertools.pairwise(counted))
    assert max(map(len, bars)) < columns
    assert len(bars) <= 10 * took_s
    assert any("stopping: taking the replies under way" in line for line in drawn)
    assert any(line.startswith("  Stopped  on request") for line in drawn)


def test_a_bar_is_drawn_ten_times_a_second_at_most(clock: ManualClock, capsys: pytest.CaptureFixture[str]) -> None:
    shown = Bars(clock=clock)
    shown.looking_up(1000, BASIC)
    for _ in range(1000):
        shown.event(reply(1))
        clock.sleep(0.001)
    shown.close()
    drawn = capsys.readouterr().err.split("\r")
    assert 8 <= sum("Looking up" in line for line in drawn) <= 12


@needs_terminal
def test_a_terminal_that_goes_away_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text("ASIN\n" + "".join(f"B{at:09}\n" for at in range(40)), encoding="utf-8")
    reader, writer = os.pipe()
    os.close(reader)
    with sandbox.serve(plans={"sandbox": sandbox.PRO}) as api:
        child = os.posix_spawn(
            PROGRAM,
            [str(PROGRAM), "enrich", str(tmp_path / "sheet.csv"), "--api-url", api.url],
            environment("sandbox"),
            file_actions=[(os.POSIX_SPAWN_DUP2, writer, 2), (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
        )
        os.close(writer)
        os.waitpid(child, 0)
        assert api.ledger.spent("sandbox") == 40
    assert (tmp_path / "sheet.enriched.csv").exists()
