"""System calls of a run, recorded and tampered with by strace: the run is killed at one of them, or they fail.

Owns strace's words. strace counts calls for each thread, each kind of call and those that match `-P`; a call is named
here by its path and its number among the calls of its kind on that path. Names of temporary files are known beforehand
(processes.py), so every call of a recorded run can be found again in the next.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.crash.processes import MOST_S, Forks, Started, wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

STRACE = shutil.which("strace")
WRITING = [
    *("write", "pwrite64", "writev", "pwritev", "copy_file_range", "sendfile", "splice"),
    *("fallocate", "truncate", "ftruncate", "fsync", "fdatasync", "sync_file_range"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat"),
    *("mkdir", "mkdirat", "rmdir", "chmod", "fchmod", "fchmodat", "utimensat"),
]
"""Calls that change what is on the disk, or make it last. Opening a file may, too."""
_TALKING = ["sendto", "recvfrom"]
"""Between two calls on files something may have been paid for, or not."""
_TRACEABLE = """
import ctypes
ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0)
print(flush=True)
input()
"""
_OPENING = ["open", "openat", "creat"]
_CHANGING_FLAGS = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC")
_LINE = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<rest>.*)")
_WRITTEN = re.compile(r'write\w*\([^"]*"((?:\\x[0-9a-f]{2})+)"')
_MOST_WRITTEN_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Call:
    """A system call on a file of the run: its kind, the file, and its number (from 1) among such calls on that file.

    It is counted in its thread: the same calls of two threads can't be told apart, and are equal. A file without a name
    (path "") can't be told to strace, and a socket neither: there it is the number among all calls of its kind. `text`
    is how strace shows it.
    """

    name: str
    path: str
    number: int
    thread: int = field(default=0, compare=False)
    text: str = field(default="", compare=False)

    @property
    def changes(self) -> bool:
        """Whether it can change what is on the disk, or what was paid for."""
        return self.name not in _OPENING or any(flag in self.text for flag in _CHANGING_FLAGS)

    @property
    def can_fail(self) -> bool:
        """Whether it is a file's."""
        return self.name not in _TALKING

    def __str__(self) -> str:
        return f"{self.name} {Path(self.path).name or '(no name)'} #{self.number}"


def is_missing() -> str:
    """Say why strace can't be used here; empty where it can."""
    if STRACE is None:
        return "strace is not here"
    waiting = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _TRACEABLE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert waiting.stdout is not None
    waiting.stdout.readline()
    strace = subprocess.Popen(
        [STRACE, "-f", "-o", os.devnull, "-p", str(waiting.pid)], stderr=subprocess.PIPE, text=True
    )
    assert strace.stderr is not None
    said = strace.stderr.readline().strip()
    waiting.communicate(b"\n")
    strace.communicate()
    return "" if said.endswith("attached") else f"strace may not trace here: {said}"


def record(forks: Forks, arguments: Sequence[str], folder: Path, log: Path) -> tuple[Started, list[Call]]:
    """Run the program to its end; return its calls on files in `folder`, in order."""
    run = _trace(forks, arguments, log, ["-e", f"trace={','.join([*_OPENING, *WRITING, *_TALKING])}"])
    return run, calls_in(log, folder)


def calls_in(log: Path, folder: Path) -> list[Call]:
    """Read the calls on files in `folder` from what strace wrote."""
    calls: list[Call] = []
    counts: Counter[tuple[str, ...]] = Counter()
    inside = re.compile(rf"[<\"]({re.escape(str(folder))}(?:/[^>\"]*)?)[>\"]")
    for line in log.read_text("utf-8", "replace").splitlines():
        shown = _LINE.match(line)
        if shown is None:
            continue
        name, rest, pid = shown["name"], shown["rest"], shown["pid"]
        counts[name, pid] += 1
        path = "/#" if name in _TALKING else next(iter(inside.findall(rest)), None)
        if path is None:
            continue
        if "/#" in path:  # made without a name
            path, number = "", counts[name, pid]
        else:
            counts[name, pid, path] += 1
            number = counts[name, pid, path]
        calls.append(Call(name, path, number, int(pid), f"{name}({rest}".replace(str(folder), ".")[:200]))
    return calls


def kill_at(forks: Forks, arguments: Sequence[str], log: Path, call: Call) -> Started:
    """Run the program and kill it as it enters a call, which then has no effect."""
    return _trace(forks, arguments, log, _tampering(call, "signal=SIGKILL"))


def tear_at(forks: Forks, arguments: Sequence[str], log: Path, call: Call, share: float) -> Started:
    """Run the program and kill it at a write of which only a share (0 to 1) of the bytes arrives.

    They go where the file's own bytes end: behind them there may be room set aside.
    """
    run = _trace(forks, arguments, log, [*_tampering(call, "signal=SIGKILL"), "-xx", "-s", str(_MOST_WRITTEN_BYTES)])
    shown = _WRITTEN.search(log.read_text("utf-8", "replace"))
    assert shown is not None, f"no write in {log}"
    data = bytes.fromhex(shown[1].replace("\\x", ""))
    arrived = data[: min(max(1, round(share * len(data))), len(data) - 1)]
    path = Path(call.path)
    with path.open("r+b") as file:
        file.seek(len(path.read_bytes().rstrip(b"\0")))
        file.write(arrived)
    return run


def fail_once(forks: Forks, arguments: Sequence[str], log: Path, call: Call, error: str) -> Started:
    """Run the program to its end with one call failing."""
    return _trace(forks, arguments, log, _tampering(call, f"error={error}"))


def fail_from(  # noqa: PLR0913, PLR0917 - where and how
    forks: Forks, arguments: Sequence[str], log: Path, calls: Sequence[Call], start: int, kinds: set[str], error: str
) -> Started:
    """Run the program to its end with all calls of these kinds failing from `calls[start]` on."""
    how = [f"--trace-path={path}" for path in sorted({call.path for call in calls} - {""})]
    how += ["-e", f"trace={','.join(sorted(kinds))}"]
    for kind in sorted(kinds):
        before = Counter(call.thread for call in calls[:start] if call.name == kind and call.path)
        first = max(before.values(), default=0) + 1  # in a thread that had fewer of them some more go well
        how += ["-e", f"inject={kind}:error={error}:when={first}+"]
    return _trace(forks, arguments, log, how)


def was_injected(log: Path) -> bool:
    """Say whether the call that was to be tampered with was reached."""
    text = log.read_text("utf-8", "replace")
    return "(INJECTED)" in text or "killed by SIGKILL" in text


def _tampering(call: Call, what: str) -> list[str]:
    only = [f"--trace-path={call.path}"] if call.path else []
    return [*only, "-e", f"trace={call.name}", "-e", f"inject={call.name}:{what}:when={call.number}"]


def _trace(forks: Forks, arguments: Sequence[str], log: Path, how: Sequence[str]) -> Started:
    """Run the program to its end under strace; it begins when strace has taken hold of it."""
    assert STRACE is not None
    gate, said = log.with_suffix(".gate"), log.with_suffix(".said")
    gate.unlink(missing_ok=True)
    os.mkfifo(gate)
    run = forks.start(arguments, gate)
    with said.open("wb") as file:
        command = [STRACE, "-f", "-y", "-s", "64", "-o", str(log), "-p", str(run.pid), *how]
        strace = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        if not wait_until(lambda: strace.poll() is not None or b"attached" in said.read_bytes(), run) or strace.poll():
            raise AssertionError(f"strace did not start: {said.read_text('utf-8', 'replace')}")
        gate.write_text("go")
        run.wait()
    finally:
        run.signal(signal.SIGKILL)
        strace.wait(MOST_S)
    return run
