"""CPU and memory of a command in a process of its own. Knows nothing of what it does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROOT = Path(__file__).parents[2]
_SAMPLED_EVERY_S = 0.02
_JOBS = "tests.bench.sheet_jobs"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a command took. `cpu_s` is user and system time, of all threads and children: of the whole process, or of
    a job's work without what it loaded before.

    `peak_mib` is all memory of the process at its peak; `anon_mib` without what is mapped from files, None where the
    system does not tell. `told` is what the command said about its work.
    """

    cpu_s: float
    wall_s: float
    peak_mib: float
    anon_mib: float | None
    told: Mapping[str, Any]


class JobFailedError(Exception):
    """A measured command failed; says how."""


def measure_job(name: str, *arguments: object, threads: int | None = None) -> Measured:
    """Measure a function of the jobs. What it loads before its work is counted as memory, not as time."""
    variables = {"OPENPYXL_LXML": "False"}  # lxml comes with the tests, not with openpyxl
    if threads is not None:
        variables["POLARS_MAX_THREADS"] = str(threads)
    return measure([sys.executable, "-m", _JOBS, name, *map(str, arguments)], variables)


def measure(
    command: Sequence[str | Path], variables: Mapping[str, str] | None = None, right: Sequence[int] = (0,)
) -> Measured:
    """Run a command to its end. Raises JobFailedError where its exit code is none of the right ones."""
    start_s = time.monotonic()
    environment = {**os.environ, **(variables or {})}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=_ROOT, env=environment)
    watch = _Watch(process.pid)
    watch.start()
    out, errors = process.stdout, process.stderr
    assert out is not None
    assert errors is not None
    said_errors: list[bytes] = []
    drain = threading.Thread(target=lambda: said_errors.append(errors.read()))
    drain.start()
    said = out.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - start_s
    process.returncode = code = os.waitstatus_to_exitcode(status)
    drain.join()
    watch.join()
    out.close()
    errors.close()
    if code not in right:
        raise JobFailedError(
            f"{' '.join(map(str, command))}: exit {code}\n{said_errors[0].decode(errors='replace')[-2000:]}"
        )
    told: Mapping[str, Any] = json.loads(said) if said.startswith(b"{") else {}
    cpu_s = told["done_s"] - told.get("loaded_s", 0.0) if told else usage.ru_utime + usage.ru_stime
    unit_bytes = 1 if sys.platform == "darwin" else 1024
    peak_mib = watch.peak_kib / 1024 if watch.peak_kib else usage.ru_maxrss * unit_bytes / 2**20
    return Measured(cpu_s, wall_s, peak_mib, watch.anon_kib / 1024 if watch.anon_kib else None, told)


class _Watch(threading.Thread):
    """Looks at a process's memory until it ends."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{pid}/status")
        self.anon_kib = self.peak_kib = 0

    def run(self) -> None:
        started = time.monotonic()
        while True:
            try:
                text = self._status.read_text(encoding="ascii", errors="replace")
            except OSError:
                return
            sizes = dict(line.split(":", 1) for line in text.splitlines() if line.startswith(("RssAnon", "VmHWM")))
            if not sizes and time.monotonic() - started > 1:
                return  # it has ended, and has no memory any more
            self.anon_kib = max(self.anon_kib, _kib(sizes.get("RssAnon")))
            self.peak_kib = max(self.peak_kib, _kib(sizes.get("VmHWM")))
            time.sleep(_SAMPLED_EVERY_S)


def anonymous_kib(status: Path) -> int:
    """Return the anonymous memory that a process's status file tells; 0 where there is none."""
    if not status.exists():
        return 0
    lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    return next((_kib(line.split(":", 1)[1]) for line in lines if line.startswith("RssAnon:")), 0)


def _kib(text: str | None) -> int:
    return int(text.split()[0]) if text else 0
