"""A long run killed at random moments, again and again, and then run to its end.

The moments are spread over what a run does: starting, reading, looking codes up, folding, writing the output and
putting it in place. Between them are runs that stop in order: at a budget, and on SIGTERM.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from enricher import sandbox
from enricher.errors import EnricherError
from tests.conftest import PROGRAM, environment
from tests.crash.processes import Forks, Started, wait_until
from tests.crash.scene import Scene, differs
from tests.crash.service import KEY, PLAN, Service

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PHASES = {"loading": 1, "reading": 2, "lookups": 7, "folding": 4, "writing": 6, "stopped": 1}
"""Where runs are spoiled, and how often; `stopped` ones get SIGTERM, and are no kills."""
_LATENCY_S = 0.005
_FOLD, _OUTPUT = ".sheet.resume.*", ".sheet.enriched.*.csv"
"""Files on their way: the resume file and its journal, and the output."""
_SHORT_S = 0.03
_FEW = 20
_BUDGET, _INTERRUPTED = 75, 130
_TOLD_EVERY_S = 10.0
_LONG_S = 7_200.0
"""Half a million codes take minutes."""


class BrokenError(AssertionError):
    """A promise was broken. Says which, in which run, and how to see it again."""


@dataclass
class Outcome:
    """Figures of a soak: kills by phase, tokens lost in all and at most by one kill, ends by exit code."""

    kills: Counter[str] = field(default_factory=Counter)
    ends: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    most_lost: int = 0
    folds_cut: int = 0
    """Kills while the resume file was being written anew."""
    outputs_cut: int = 0
    """Kills while an output was being written."""
    duration_s: float = 0.0

    def __str__(self) -> str:
        kills = ", ".join(f"{count} {phase}" for phase, count in sorted(self.kills.items()))
        ends = ", ".join(f"{count} x {code}" for code, count in sorted(self.ends.items()))
        return (
            f"{self.kills.total():,} kills ({kills}; {self.folds_cut} in a fold, {self.outputs_cut} in an output), "
            f"ends {ends}; {self.lost:,} tokens lost, at most {self.most_lost} by one kill; {self.duration_s:,.0f} s"
        )


class Soak:
    """One soak, from a seed. Raises BrokenError."""

    def __init__(  # noqa: PLR0913, PLR0917 - what makes a soak
        self, forks: Forks, folder: Path, codes: int, kills: int, seed: int, tell: Callable[[str], object] = str
    ) -> None:
        self._forks, self._folder, self._kills, self._tell = forks, folder, kills, tell
        self._random = random.Random(seed)  # noqa: S311 - moments are no secret
        self.service = Service(codes)
        self.scene = Scene(folder / "scene", self.service)
        self.outcome = Outcome()
        self._stored = np.zeros(codes, np.bool_)
        self._asked_then = np.zeros(codes, np.int32)
        """How often each stored code had been asked for when it was first seen to be stored."""
        self._seen: tuple[int, int] = (0, 0)
        self._told_s = self._began_s = time.monotonic()

    def run(self) -> Outcome:
        """Kill as often as was asked for, run to the end, and check everything."""
        with sandbox.serve(self.service, {KEY: PLAN}, latency_s=_LATENCY_S) as api:
            undisturbed = Scene(self._folder / "undisturbed", self.service)
            run = self._forks.start(undisturbed.arguments(api.url))
            wait_until(lambda: "enricher: writing" in run.said, run, _LONG_S, 0.01)
            began_s = time.monotonic()
            run.has_ended(_LONG_S)
            self._writing_s = time.monotonic() - began_s
            assert run.code == 0, run.said
            undisturbed.check_output(complete=True)
            self.service.forget()
            self._progress("the undisturbed run has ended")
            self._url = api.url
            while self.outcome.kills.total() < self._kills:
                self._spoil()
            run = self._forks.start(self.scene.arguments(api.url))
            run.has_ended(_LONG_S)
            self._ended(run, "finishing")
            self._check(run.code == 0, f"the last run ends with {run.code}: {run.said}")
            self._check(bool(self._stored.all()), "answers are missing in the end")
            self.scene.check_output(complete=True)
            difference = differs(self.scene.output, undisturbed.output)
            self._check(not difference, difference)
            self._check(not self.scene.strays(), f"left behind: {sorted(self.scene.strays())}")
            self._check(not api.refusals, f"the service refused: {api.refusals}")
        return self.outcome

    def _spoil(self) -> None:
        """Start a run, and kill or stop it at a moment drawn in one of the phases."""
        phase = self._random.choices([*_PHASES], [*_PHASES.values()])[0]
        if phase == "loading":
            run = self._load_and_kill()
        else:
            more = ["--max-tokens", self._step()] if phase == "writing" else []
            run = self._forks.start(self.scene.arguments(self._url, *more))
            moments = {"reading": self._in_reading, "folding": self._in_folding, "writing": self._in_writing}
            moments.get(phase, self._in_lookups)(run)
            run.signal(signal.SIGTERM if phase == "stopped" else signal.SIGKILL)
            run.has_ended(_LONG_S)
        self._ended(run, phase)

    def _load_and_kill(self) -> Started:
        """Start the program as a user would, with its imports, and kill it in the first second."""
        command = [str(PROGRAM), *self.scene.arguments(self._url)]
        err = self._folder / "err"
        with err.open("wb") as file:
            process = subprocess.Popen(command, env=environment(KEY), stdout=file, stderr=file)
            time.sleep(self._random.uniform(0.0, 1.5))
            process.kill()
            process.wait()
        return Started(process.pid, err, lambda _wait_s: process.returncode)

    def _in_reading(self, run: Started) -> None:
        run.has_ended(self._random.uniform(0.0, 0.4))

    def _in_lookups(self, run: Started) -> None:
        target = self.service.paid + self._step()
        wait_until(lambda: self.service.paid >= target, run, _LONG_S)
        run.has_ended(self._random.uniform(0.0, 0.02))

    def _in_folding(self, run: Started) -> None:
        """Go on into a fold beside the lookups, or a little way where none is due."""
        target = self.service.paid + max(self._step(), _FEW)
        wait_until(lambda: self._is_there(_FOLD) or self.service.paid >= target, run, _LONG_S)
        run.has_ended(self._random.uniform(0.0, _SHORT_S))

    def _in_writing(self, run: Started) -> None:
        """Go on a little way behind the lookups, or until the output or the resume file is being written."""
        what = self._random.choice(["", _FOLD, _OUTPUT])
        if what:
            wait_until(lambda: self._is_there(what), run, _LONG_S)
            run.has_ended(self._random.uniform(0.0, _SHORT_S))
        elif wait_until(lambda: "enricher: writing" in run.said, run, _LONG_S):
            began_s = time.monotonic()
            has_ended = run.has_ended(self._random.uniform(0.0, 1.2 * self._writing_s))
            self._writing_s = time.monotonic() - began_s if has_ended else 1.05 * self._writing_s

    def _step(self) -> int:
        """Draw how many codes a run goes on by: the last of them when some nine tenths of the kills are done."""
        runs_left = (self._kills - self.outcome.kills.total()) * 0.8
        left = int(self.service.codes - np.count_nonzero(self._stored))
        return max(1, min(left, round(self._random.expovariate(1.0) * left / max(1.0, runs_left))))

    def _ended(self, run: Started, phase: str) -> None:
        """Look at what a run left, and hold it against the promises."""
        self.outcome.duration_s = time.monotonic() - self._began_s
        self._settle()
        code = run.wait()
        if code == -signal.SIGKILL:
            self.outcome.kills[phase] += 1
            self.outcome.folds_cut += self._is_there(_FOLD)
            self.outcome.outputs_cut += self._is_there(_OUTPUT)
        else:
            self.outcome.ends[code] += 1
            self._check(code in {0, _BUDGET, _INTERRUPTED}, f"exit {code}: {run.said}")
        self._check("Traceback" not in run.said, f"a traceback: {run.said[-2000:]}")
        stored = self.scene.stored()
        asked = self.service.asked.copy()
        gone = int(np.count_nonzero(self._stored & ~stored))
        self._check(not gone, f"{gone} stored answers are gone")
        again = int(np.count_nonzero(self._stored & (asked > self._asked_then)))
        self._check(not again, f"{again} stored codes were asked for again")
        lost_in_all = int(asked.sum()) - int(np.count_nonzero(stored))
        lost = lost_in_all - self.outcome.lost
        most = self.scene.most_lost if code == -signal.SIGKILL else 0
        self._check(lost <= most, f"{lost} tokens lost, and {most} at most were under way")
        new = stored & ~self._stored
        self._asked_then[new] = asked[new]
        self._stored = stored
        self.outcome.lost, self.outcome.most_lost = lost_in_all, max(self.outcome.most_lost, lost)
        self._check_output()
        if time.monotonic() > self._told_s + _TOLD_EVERY_S:
            self._progress(f"{np.count_nonzero(stored):,} of {self.service.codes:,} codes; {self.outcome}")

    def _is_there(self, pattern: str) -> bool:
        """Say whether a file of such a name is there."""
        return any(self.scene.folder.glob(pattern))

    def _settle(self) -> None:
        """Wait until the service has taken what a killed run had sent."""
        paid = -1
        while self.service.paid != paid:
            paid = self.service.paid
            time.sleep(0.02)

    def _check_output(self) -> None:
        """Whole or not at all, whenever it has changed."""
        if self.scene.output.exists():
            facts = self.scene.output.stat()
            if self._seen != (facts.st_ino, facts.st_mtime_ns):
                self._seen = facts.st_ino, facts.st_mtime_ns
                self.scene.check_output(complete=False)

    def _check(self, holds: bool, otherwise: str) -> None:  # noqa: FBT001 - it is what this is about
        if not holds:
            raise BrokenError(
                f"after {self.outcome.kills.total()} kills and {self.outcome.ends.total()} ends: {otherwise}"
            )

    def _progress(self, text: str) -> None:
        self._told_s = time.monotonic()
        self._tell(text)


def run(forks: Forks, folder: Path, codes: int, kills: int, seed: int) -> int:
    """Soak, print what came of it, and return the exit code."""

    def say(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    try:
        outcome = Soak(forks, folder, codes, kills, seed, say).run()
    except (AssertionError, EnricherError) as error:
        flags = f"--codes {codes} --kills {kills} --seed {seed}"
        say(f"broken: {error}\nto try the same again: python -m tests.crash soak {flags}")
        return 1
    say(f"{codes:,} codes: {outcome}; no promise broken")
    return 0
