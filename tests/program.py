"""The real program in a process of its own, without the second that its imports take.

One process loads the program, with the products of its sandbox, and forks for each run. The run has the program's
arguments, environment, folder, output and exit code, as if it had been started; what a start itself can do wrong is for
tests that do start it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MOST_S = 100
_FORKING = """
import gc, json, os, sys
import enricher.cli.commands
from enricher import sandbox
from enricher.cli import main
sandbox.Catalog.shipped()  # held, once it was asked for
gc.collect()
gc.freeze()  # or each run ends with 0.3 s of looking through all that was imported
for line in sys.stdin:
    told = json.loads(line)
    child = os.fork()
    if not child:
        for stream, path in enumerate(told["streams"]):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND), stream)
        os.chdir(told["folder"])
        os.environ.clear()
        os.environ.update(told["environment"])
        sys.argv = ["enricher", *told["arguments"]]
        sys.exit(main())
    _, status, used = os.wait4(child, 0)
    ended = [os.waitstatus_to_exitcode(status), used.ru_maxrss / 1024, used.ru_utime + used.ru_stime]
    print(json.dumps(ended), flush=True)
"""


class Ended(NamedTuple):
    """How a run ended: exit code, what it wrote, the most memory it held, its CPU seconds."""

    code: int
    out: str
    err: str
    peak_mb: float
    cpu_s: float


class Program:
    """The loaded program. Use as a context manager; it starts with the first run."""

    def __init__(self, folder: Path) -> None:
        self._out, self._err = folder / "out", folder / "err"
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.communicate(timeout=MOST_S)

    def run(self, arguments: list[str], folder: Path, environment: Mapping[str, str]) -> Ended:
        """Run it to its end. Raises TimeoutExpired after MOST_S."""
        process = self._process = self._process or _start()
        for path in (self._out, self._err):
            path.unlink(missing_ok=True)
        streams = [os.devnull, str(self._out), str(self._err)]
        told = {"arguments": arguments, "folder": str(folder), "environment": dict(environment), "streams": streams}
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(told) + "\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], MOST_S)[0]:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            self._process = None
            raise subprocess.TimeoutExpired(arguments, MOST_S)
        code, peak_mb, cpu_s = json.loads(process.stdout.readline())
        return Ended(code, self._out.read_text("utf-8"), self._err.read_text("utf-8"), peak_mb, cpu_s)


def _start() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _FORKING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # to be killed with the run that does not end
    )
