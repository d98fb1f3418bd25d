"""The fuzz run: makes mutants, has them run and judged, keeps and tells the findings."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.fuzz import verdicts
from tests.fuzz.codes import make_store
from tests.fuzz.mutants import Mutant, make
from tests.fuzz.watched import Ended, Watched, python_module

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.fuzz.seeds import Seed

_WAIT_S = verdicts.MOST_S + 5
_FIRST_WAIT_S = 60
_JUDGED_S = 30
_FRESH_EVERY = 400
_PROGRESS_S = 5.0
_KEPT_OF_A_KIND = 3
_INSPECTED_EVERY = 4
_WHOLE_EVERY = 20


@dataclass
class Tally:
    """What came of the mutants so far: `outcomes` by (seed, what), `findings` by signature, and the worst."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    unjudged: int = 0
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[float, str] = (0.0, "")

    @property
    def mutants(self) -> int:
        return sum(self.outcomes.values())

    def lines(self) -> Iterator[str]:
        """Tell counts by seed and outcome, and findings by kind."""
        whats = sorted({what for _, what in self.outcomes})
        yield f"{'seed':<40}" + "".join(f"{what:>10}" for what in whats)
        for seed in sorted({seed for seed, _ in self.outcomes}):
            yield f"{seed:<40}" + "".join(f"{self.outcomes[seed, what] or '':>10}" for what in whats)
        yield f"{'all':<40}" + "".join(
            f"{sum(count for (_, other), count in self.outcomes.items() if other == what):>10}" for what in whats
        )
        yield f"slowest {self.slowest[0]:.1f} s: {self.slowest[1]}"
        yield f"most memory {self.largest[0]:,.0f} MiB: {self.largest[1]}"
        if self.unjudged:
            yield f"{self.unjudged} outputs could not be judged: the judging library failed"
        for signature, count in self.findings.most_common():
            yield f"finding, {count} times: {signature}"


class Fuzz:
    """A run with its processes and its folder. Use as a context manager; `keep` gets the mutants of findings."""

    def __init__(self, keep: Path) -> None:
        self.keep = keep
        self._work = Path(tempfile.mkdtemp(prefix="enricher-fuzz-"))
        self._store = self._work / "answers.parquet"
        make_store(self._store)
        self._runner = Watched(python_module("tests.fuzz.worker"), self._work / "worker.log")
        self._judge = Watched(python_module("tests.fuzz.judge"), self._work / "judge.log")
        self.tally = Tally()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.stop()
        self._judge.stop()
        shutil.rmtree(self._work, ignore_errors=True)

    def run(self, seeds: Sequence[Seed], run_seed: int, seconds: float, mutants: int | None) -> Tally:
        """Try mutants until the time is up or so many are done."""
        start_s = told_s = time.monotonic()
        number = 0
        while time.monotonic() - start_s < seconds and (mutants is None or number < mutants):
            mutant = make(run_seed, number, seeds)
            wrong = self.try_one(mutant)
            if wrong:
                self._report(mutant, wrong, run_seed)
            number += 1
            if number % _FRESH_EVERY == 0:
                self._runner.stop()
            if time.monotonic() - told_s > _PROGRESS_S:
                told_s = time.monotonic()
                rate = number / (told_s - start_s)
                kinds = len(self.tally.findings)
                sys.stderr.write(f"{number:,} mutants, {rate:.0f} a second, {kinds} kinds of findings\n")
        return self.tally

    def try_one(self, mutant: Mutant) -> str | None:
        """Run the program on a mutant. Returns what is wrong, None where nothing is."""
        folder = self._work / "mutant"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        source, original = folder / f"mutant{mutant.suffix}", self._work / "original"
        source.write_bytes(mutant.data)
        original.write_bytes(mutant.data)
        files = {"input": str(source), "output": str(folder / f"output{mutant.output}"), "original": str(original)}
        request: dict[str, Any] = {
            **files,
            "store": str(self._store),
            "inspect": mutant.number % _INSPECTED_EVERY == 0,
            "whole": mutant.number % _WHOLE_EVERY == 0,
        }
        try:
            reply = self._runner.ask(request, _WAIT_S + (_FIRST_WAIT_S if mutant.number == 0 else 0))
        except Ended as end:
            self.tally.outcomes[mutant.seed, "ended"] += 1
            return f"process: {end}"
        code = reply["runs"][-1]["code"]
        told = f"{mutant.seed}: {mutant.done}, exit {code}"
        self.tally.slowest = max(self.tally.slowest, (reply["seconds"], told))
        self.tally.largest = max(self.tally.largest, (reply["peak_bytes"] / 2**20, told))
        wrong = verdicts.finding(mutant, reply)
        if wrong:
            self._runner.stop()  # what it left in memory is not the next one's fault
        elif code == 0:
            wrong = self._judged(files)
        self.tally.outcomes[mutant.seed, "finding" if wrong else f"exit {code}"] += 1
        return wrong

    def _judged(self, files: dict[str, str]) -> str | None:
        try:
            reply = self._judge.ask(files, _JUDGED_S)
        except Ended as end:
            self.tally.unjudged += 1
            sys.stderr.write(f"not judged: {str(end).splitlines()[0]}\n")
            return None
        return f"output: {reply['wrong']}" if reply["wrong"] else None

    def _report(self, mutant: Mutant, wrong: str, run_seed: int) -> None:
        signature = verdicts.signature(wrong)
        self.tally.findings[signature] += 1
        if self.tally.findings[signature] > _KEPT_OF_A_KIND:
            return
        self.keep.mkdir(parents=True, exist_ok=True)
        path = self.keep / f"seed{run_seed}-{mutant.number}{mutant.suffix}"
        path.write_bytes(mutant.data)
        path.with_name(f"{path.name}.why").write_text(f"{mutant.seed}: {mutant.done}\n\n{wrong}\n", encoding="utf-8")
        replay = f"python -m tests.fuzz sheets --replay {path} --to {mutant.output}"
        sys.stdout.write(f"{signature} | {mutant.seed}: {mutant.done} | {replay}\n")
        sys.stdout.flush()


def replay(path: Path, output: str) -> str | None:
    """Run the program on a kept mutant. Returns what is wrong, None where nothing is any more."""
    mutant = Mutant(0, path.name, path.suffix, output, path.read_bytes(), "replayed")
    with tempfile.TemporaryDirectory() as folder, Fuzz(Path(folder)) as fuzz:
        return fuzz.try_one(mutant)
