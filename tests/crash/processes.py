"""The program as processes that can be held, traced and killed, started without the second that its imports take.

One process loads the program and forks for each run, as in tests/program.py; here the run is known by its number while
it lasts. Names of temporary files come from a counter, the same in every run that is held, so that a tracer can be told
of them beforehand.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.conftest import environment
from tests.crash.service import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_S = 100
_ROOT = Path(__file__).parents[2]
_SETTINGS = [("enricher.store.store", "_FOLD_LEAST", 2_000)]
"""Answers in the journal that are folded in mid-run: the program waits for more, which a short run never sees."""
_FORKING = """
import ctypes, gc, importlib, itertools, json, os, sys, tempfile
import enricher.cli.commands
from enricher.cli import main
gc.collect()
gc.freeze()
for line in sys.stdin:
    told = json.loads(line)
    child = os.fork()
    if not child:
        for stream, path in enumerate(told["streams"]):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND), stream)
        os.chdir(told["folder"])
        os.environ.clear()
        os.environ.update(told["environment"])
        tempfile._name_sequence = (f"{told['names']}{number:04}" for number in itertools.count())
        for module, name, value in told["settings"]:
            assert hasattr(importlib.import_module(module), name)
            setattr(sys.modules[module], name, value)
        if told["gate"]:
            ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0)  # PR_SET_PTRACER: whoever likes may
            open(told["gate"]).read()
        sys.argv = ["enricher", *told["arguments"]]
        sys.exit(main())
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


class Started:
    """A run under way. `code` is its exit code once it ended, minus the signal's number where one ended it."""

    def __init__(self, pid: int, err: Path, end: Callable[[float], int | None]) -> None:
        self.pid = pid
        self.code: int | None = None
        self._err, self._end = err, end

    @property
    def said(self) -> str:
        """What it has written to standard error."""
        return self._err.read_text("utf-8", "replace")

    def has_ended(self, wait_s: float = 0.0) -> bool:
        """Wait at most so long for its end, and say whether it came."""
        if self.code is None:
            self.code = self._end(wait_s)
        return self.code is not None

    def signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if not self.has_ended():
            os.kill(self.pid, number)

    def wait(self) -> int:
        """Return its exit code. Raises TimeoutExpired after MOST_S."""
        if not self.has_ended(MOST_S):
            self.signal(signal.SIGKILL)
            raise subprocess.TimeoutExpired(f"enricher, which had said: {self.said}", MOST_S)
        assert self.code is not None
        return self.code


class Forks:
    """Starts the program, one run at a time. Use as a context manager; `folder` takes what it prints."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._runs = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()

    def start(self, arguments: Sequence[str], gate: Path | None = None) -> Started:
        """Start a run. With `gate`, a fifo, it waits until that was opened and closed by somebody who writes."""
        process = self._process = self._process or _load()
        assert process.stdin is not None
        self._runs += 1
        out, err = self._folder / f"out{self._runs % 2}", self._folder / f"err{self._runs % 2}"
        for path in (out, err):
            path.write_bytes(b"")
        told = {
            "arguments": [*arguments],
            "folder": str(self._folder),
            "environment": environment(KEY),
            "streams": [os.devnull, str(out), str(err)],
            "names": "held" if gate else f"run{self._runs}x",
            "settings": _SETTINGS,
            "gate": str(gate or ""),
        }
        process.stdin.write(json.dumps(told).encode() + b"\n")
        pid = self._line(MOST_S)
        assert pid is not None
        return Started(pid, err, self._line)

    def run(self, arguments: Sequence[str]) -> Started:
        """Run it to its end."""
        run = self.start(arguments)
        run.wait()
        return run

    def _line(self, wait_s: float) -> int | None:
        assert self._process is not None
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], wait_s)[0]:
            return None
        return int(self._process.stdout.readline())


def _load() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _FORKING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,  # or a second line would wait where select does not see it
        cwd=_ROOT,
        start_new_session=True,  # to be ended with the run that does not end
    )


def wait_until(reached: Callable[[], bool], run: Started, most_s: float = MOST_S, every_s: float = 0.001) -> bool:
    """Wait until it is reached or the run has ended; say whether it was reached. Raises TimeoutError."""
    until_s = time.monotonic() + most_s
    while not reached():
        if run.has_ended():
            return reached()
        if time.monotonic() > until_s:
            raise TimeoutError(f"not reached in {most_s:.0f} s; the run said: {run.said}")
        time.sleep(every_s)
    return True
