"""A small run spoiled at every system call that touches its files: killed there, or the call fails.

The files are after one call as they are before the next, so killing before each tries all that a kill can leave; but
of a write a part may arrive, which is tried on the journal.

Five beginnings: nothing there yet, as .csv and as .xlsx; a resume file and an output of a run that stopped at its
budget; a journal that a killed run left beside a resume file; and the same two as the format before had them.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from enricher import sandbox
from enricher.errors import EnricherError
from tests.crash import tracing
from tests.crash.older import write_format_1
from tests.crash.scene import Scene
from tests.crash.service import KEY, PLAN, Service
from tests.crash.trials import Trials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.crash.processes import Forks, Started
    from tests.crash.tracing import Call

CODES = 25
BEGINNINGS = ("csv", "xlsx", "resumed", "killed", "format 1")
TEARS = {"torn after its first byte": 0.0, "torn in the middle": 0.5, "torn before its last byte": 1.0}
KILLS = ("killed", *TEARS)
FAILURES = tuple(f"{error} {how}" for error in ("EIO", "ENOSPC") for how in ("once", "for good"))
_NEVER_FULL = {"unlink", "unlinkat", "fsync", "fdatasync", "chmod", "fchmod", "fchmodat", "mkdir"}
"""Calls that don't say ENOSPC, or not about what they are asked to do."""


@dataclass
class Tally:
    """What came of the trials. `broken`: which trial, and how."""

    trials: int = 0
    missed: int = 0
    lost: int = 0
    most_lost: int = 0
    exits: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        exits = ", ".join(f"{count:,} x {code}" for code, count in sorted(self.exits.items()))
        missed = f" ({self.missed:,} did not come to the call)" if self.missed else ""
        return (
            f"{self.trials:,} trials{missed}, exits {exits}; {self.lost:,} tokens lost, at most {self.most_lost} in "
            f"one; {len(self.broken)} promises broken"
        )


@dataclass
class Small:
    """A small run from one of the beginnings, its calls recorded in order."""

    forks: Forks
    trials: Trials
    calls: list[Call]
    log: Path

    def spoil(self, call: Call, how: str) -> Started:
        """Run it once, spoiled at this call."""
        self.trials.begin()
        arguments = self.trials.arguments
        if how == "killed":
            return tracing.kill_at(self.forks, arguments, self.log, call)
        if how in TEARS:
            return tracing.tear_at(self.forks, arguments, self.log, call, TEARS[how])
        error, _, lasting = how.partition(" ")
        if lasting == "once":
            return tracing.fail_once(self.forks, arguments, self.log, call, error)
        start = self.calls.index(call)
        kinds = {other.name for other in self.calls[start:] if can_fail(other, error)}
        return tracing.fail_from(self.forks, arguments, self.log, self.calls, start, kinds, error)


def can_fail(call: Call, error: str) -> bool:
    """Say whether the call can fail in this way."""
    return call.can_fail and (error != "ENOSPC" or (call.changes and call.name not in _NEVER_FULL))


def is_spoiled(call: Call, how: str) -> bool:
    """Say whether the run can be spoiled at the call in this way."""
    if how in TEARS:
        return "write" in call.name and call.path.endswith(".journal")
    return call.changes if how in KILLS else can_fail(call, how.partition(" ")[0])


@contextmanager
def small_run(forks: Forks, folder: Path, beginning: str) -> Iterator[Small]:
    """Prepare and record a small run from a beginning, for as long as the context lasts."""
    service = Service(CODES)
    suffix = ".xlsx" if beginning == "xlsx" else ".csv"
    log = folder / "strace.log"
    with sandbox.serve(service, {KEY: PLAN}) as api:
        undisturbed = Scene(folder / "undisturbed", service, suffix)
        run = forks.run(undisturbed.arguments(api.url))
        assert run.code == 0, run.said
        undisturbed.check_output(complete=True)
        scene = Scene(folder / "scene", service, suffix, workers=1)
        if beginning in {"resumed", "killed"}:
            assert forks.run(scene.arguments(api.url, "--max-tokens", 5)).code == 75
        if beginning == "killed":
            journal = scene.store.with_suffix(".journal")
            tracing.kill_at(forks, scene.arguments(api.url), log, tracing.Call("write", str(journal), 2))
            assert journal.exists()
            assert 5 < scene.stored().sum() < CODES, "the kill came where nothing is left to try"
        if beginning == "format 1":
            write_format_1(scene.store, range(5), range(5, 12))
        trials = Trials(forks, api.url, scene, undisturbed.output)
        trials.begin()
        run, calls = tracing.record(forks, trials.arguments, scene.folder, log)
        assert run.code == 0, run.said
        trials.recover()
        yield Small(forks, trials, [call for call in calls if call.path != str(scene.input)], log)


def spoil_all(  # noqa: PLR0913 - which trials, and who hears of them
    forks: Forks,
    folder: Path,
    beginning: str,
    hows: Sequence[str],
    *,
    every: int = 1,
    tell: Callable[[str], object] = str,
) -> Tally:
    """Spoil the run at each `every`th of its calls, in each of these ways."""
    tally, broken, told_s = Tally(), 0, time.monotonic()
    with small_run(forks, folder, beginning) as small:
        for how in hows:
            calls = [call for call in dict.fromkeys(small.calls) if is_spoiled(call, how)]
            for call in calls[tally.trials % every :: every]:
                _try(small, call, how, tally)
                for problem in tally.broken[broken:]:
                    tell(f"broken: {problem}")
                broken = len(tally.broken)
                if time.monotonic() > told_s + 10:
                    told_s = time.monotonic()
                    tell(f"{beginning}, {how}: {tally}")
    return tally


def _try(small: Small, call: Call, how: str, tally: Tally) -> None:
    tally.trials += 1
    problems = []
    try:
        run = small.spoil(call, how)
        tally.exits[run.wait()] += 1
        if not tracing.was_injected(small.log):
            tally.missed += 1
        elif how in KILLS and run.code != -signal.SIGKILL:
            problems.append(f"exit {run.code}: {run.said}")
        if run.code != -signal.SIGKILL:
            problems += small.trials.problems_of(run)
        lost = small.trials.recover()
    except (AssertionError, EnricherError, OSError, subprocess.TimeoutExpired) as error:
        problems.append(str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}")
    else:
        tally.lost += lost
        tally.most_lost = max(tally.most_lost, lost)
    tally.broken += [f"{call}, {how}: {problem}" for problem in problems]


def run(forks: Forks, folder: Path, hows: Sequence[str], beginnings: Sequence[str] = BEGINNINGS, every: int = 1) -> int:
    """Spoil everything, print what came of it, and return the exit code."""
    broken = 0
    for beginning in beginnings:
        tally = spoil_all(forks, folder / beginning, beginning, hows, every=every, tell=lambda text: _say(f"  {text}"))
        broken += len(tally.broken)
        _say(f"{beginning}: {tally}")
    return 1 if broken else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
