"""One run after another from the same beginning, each spoiled in another way, and what must be true after each."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np

from tests.crash.scene import Scene, differs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.crash.processes import Forks, Started

_EXITS = {0, 1, 65, 73}
"""How a run ends whose disk failed: it went on all the same, failed, or could not read its input or write."""


class Trials:
    """Trials in the scene's folder, each beginning with the files that lie in it now.

    The sheet's output must become `undisturbed`, whatever happens to a run before.
    """

    def __init__(self, forks: Forks, url: str, scene: Scene, undisturbed: Path) -> None:
        self.scene, self.undisturbed = scene, undisturbed
        self.arguments = scene.arguments(url)
        self._forks = forks
        self._beginning = scene.folder.with_name(f"{scene.folder.name}.beginning")
        shutil.rmtree(self._beginning, ignore_errors=True)
        shutil.copytree(scene.folder, self._beginning)

    def begin(self) -> None:
        """Put the files back, and count the lookups from here."""
        shutil.rmtree(self.scene.folder)
        shutil.copytree(self._beginning, self.scene.folder)
        self._asked = self.scene.service.asked.copy()
        self._stored = self.scene.stored()

    def run(self) -> Started:
        """Run the program to its end."""
        return self._forks.run(self.arguments)

    def problems_of(self, run: Started) -> Iterator[str]:
        """Say what is wrong with how a run ended whose disk failed: it should say so in a line, or have gone on."""
        said = run.said.splitlines()
        if "Traceback" in run.said:
            ours = [line.strip() for line in said if "/enricher/" in line]
            yield f"a traceback: {ours[-1] if ours else ''}: {said[-1]}"
        elif run.code not in _EXITS:
            yield f"exit {run.code}: {run.said}"
        elif run.code and not (said and said[-1].startswith("enricher: ")):
            yield f"exit {run.code} without a line that says why: {run.said}"
        if run.code == 0 and differs(self.scene.output, self.undisturbed):
            yield f"exit 0, and {differs(self.scene.output, self.undisturbed)}"

    def recover(self) -> int:
        """Open what a spoiled run left, run to the end, and check all that is promised. Returns the tokens lost."""
        scene, service = self.scene, self.scene.service
        stored = scene.stored()
        assert not (self._stored & ~stored).any(), f"{(self._stored & ~stored).sum()} stored answers are gone"
        if scene.output.exists():
            scene.check_output(complete=False)
        asked = service.asked.copy()
        run = self.run()
        assert run.code == 0, f"the next run ends with {run.code}: {run.said}"
        difference = differs(scene.output, self.undisturbed)
        assert not difference, difference
        again = (service.asked > asked) & stored
        assert not again.any(), f"{again.sum()} stored codes were asked for again"
        assert scene.stored().all(), "answers are missing in the end"
        strays = scene.strays()
        assert not strays, f"left behind: {sorted(strays)}"
        asked_in_all = service.asked - self._asked
        assert not asked_in_all[self._stored].any(), "codes stored before were asked for again"
        lost = int(asked_in_all.sum() - np.count_nonzero(~self._stored))
        assert lost <= scene.most_lost, f"{lost} tokens lost, and {scene.most_lost} at most were under way"
        return lost
