"""A process under watch: asked, waited for so long and no longer, and told apart by how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

_GRACE_S = 5.0
_ROOT = Path(__file__).parents[2]


class Ended(Exception):  # noqa: N818 - it tells an end
    """The process did not answer: it died, or was ended because it took too long. Says how, and where it was."""


class Watched:
    """A process that answers JSON lines. It starts when it is first asked, and again after it ended."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command = command
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ask(self, request: dict[str, Any], most_s: float) -> dict[str, Any]:
        """Ask and wait for the answer. Raises Ended. `noise` is what was written past Python's own streams."""
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        noise_start = self._log.stat().st_size
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise Ended(self._end(process)) from None
        if not select.select([process.stdout], [], [], most_s)[0]:
            process.send_signal(signal.SIGABRT)  # faulthandler writes where it is
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_S)
            raise Ended(f"no answer in {most_s:.0f} s\n{self._end(process)}")
        line = process.stdout.readline()
        if not line:
            raise Ended(self._end(process))
        answer: dict[str, Any] = json.loads(line)
        with self._log.open("rb") as log:
            log.seek(noise_start)
            answer["noise"] = log.read(4000).decode("utf-8", "replace")
        return answer

    def stop(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._end(self._process)

    def _start(self) -> subprocess.Popen[bytes]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ASINSCOPE_")}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=_ROOT, env=kept
            )
        return self._process

    def _end(self, process: subprocess.Popen[bytes]) -> str:
        """End a process; say how it ended and what it wrote last."""
        self._process = None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()  # type: ignore[union-attr]
        try:
            code = process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        process.stdout.close()  # type: ignore[union-attr]
        how = signal.Signals(-code).name if code < 0 else f"exit {code}"
        return f"ended by {how}\n{self._log.read_text('utf-8', 'replace')[-6000:]}"


def python_module(module: str) -> list[str]:
    """Return the command that runs a module of the tests with this Python."""
    return [sys.executable, "-m", module]
