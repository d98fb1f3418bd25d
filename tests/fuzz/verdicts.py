"""What a run may come to, and what is a finding. Decides from what was told; runs and reads nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fuzz.mutants import Mutant

MOST_S = 60.0
MOST_BYTES = 2**30
_LONGEST_MESSAGE = 2_000
_FINE = {0, 65}
_LEGITIMATE: tuple[tuple[int, str, str], ...] = (
    (2, "only hidden sheets", "all that is visible was hidden or dropped; the user has to name a sheet"),
    (73, "", "another kind of file can't hold it: asked for by -o, and said before anything is written"),
)
"""Other exit codes than 0 and 65 that are right: the code, words of its message, and why. 73 for conversions only."""


def finding(mutant: Mutant, reply: dict[str, Any]) -> str | None:
    """Return what is wrong with how the program ran, in words, its kind first; None where nothing is."""
    for run in reply["runs"]:
        wrong = _of_run(mutant, run)
        if wrong:
            return f"{run['command']}: {wrong}"
    if reply["seconds"] > MOST_S:
        return f"slow: {reply['seconds']:.0f} s"
    if reply["peak_bytes"] > MOST_BYTES:
        return f"memory: {reply['peak_bytes'] / 2**20:,.0f} MiB"
    if reply["left"]:
        return f"left behind: {', '.join(reply['left'])}"
    if reply["written"] != (reply["runs"][-1]["code"] == 0):
        return f"output {'there' if reply['written'] else 'missing'} after exit {reply['runs'][-1]['code']}"
    if not reply["input_kept"]:
        return "the input was changed"
    if reply["noise"]:
        return f"noise: {reply['noise'][:300]}"
    return None


def _of_run(mutant: Mutant, run: dict[str, Any]) -> str | None:
    if run["trace"]:
        return f"traceback: {run['trace']}"
    code, error = run["code"], run["error"].strip()
    if code not in _FINE and not _is_legitimate(mutant, code, error):
        return f"exit {code}: {error[:500]}"
    if code and ("\n" in error or not error.startswith("enricher: ")):
        return f"more than one line: {error[:500]}"
    if len(error) > _LONGEST_MESSAGE:
        return f"message of {len(error):,} characters: {error[:200]}"
    if "Traceback" in error or "Warning" in error:
        return f"shown to the user: {error[:500]}"
    return None


def _is_legitimate(mutant: Mutant, code: Any, error: str) -> bool:
    converted = mutant.output != mutant.suffix
    return any(code == right and words in error and (code != 73 or converted) for right, words, _ in _LEGITIMATE)


def signature(finding: str) -> str:
    """Tell findings of one cause from others: of a traceback its kind and last places, else words without numbers."""
    places = re.findall(r'File "[^"]*/enricher/((?:\w+/)*\w+\.py)", line (\d+)', finding)
    if places:
        last = finding.strip().splitlines()[-1].split(":")[0]
        return f"{finding.split(':', 1)[0]} {last[:60]} {' < '.join(f'{name}:{line}' for name, line in places[:-3:-1])}"
    return re.sub(r"'[^']*'|\"[^\"]*\"|\d[\d.,]*|/\S+|mutant\S*", "_", finding.splitlines()[0])[:100]
