"""One run at a time a resume file: a lock of the kernel's, which dies with its process."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from pathlib import Path

import filelock

from enricher.errors import OutputError, StoreLockedError

_LOCKS = Path("/proc/locks")


def acquire(path: Path, name: str) -> filelock.BaseFileLock:
    """Take the lock file `path` of the resume file called `name`.

    Raises StoreLockedError where another run has it, OutputError where it can't be made.
    """
    if not path.parent.is_dir():  # filelock would make it
        raise OutputError(f"{path.parent}: there is no such folder for the resume file")
    lock = filelock.FileLock(path, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise StoreLockedError(
            f"{name} is in use by another run ({_holder(path) or 'process unknown'}). "
            "Wait for it to end, or give this run a resume file of its own: --store FILE.parquet"
        ) from None
    except OSError as error:
        raise OutputError(f"{path.parent}: no resume file can be made there ({error.strerror})") from None
    with contextlib.suppress(OSError):  # Windows lets nobody write to what is locked; who it is is a courtesy
        if not path.stat().st_size or _holder(path) is not None:  # not into a file of the user's own
            path.write_text(json.dumps({"pid": os.getpid(), "machine": platform.node()}), encoding="ascii")
    return lock


def held_by(path: Path) -> int | None:
    """Return the process that holds a resume file; 0: one that can't be seen; None: none, or the system doesn't tell.

    Linux lists its locks. Trying the lock, as other systems would want, could turn away a run that starts just then.
    """
    try:
        lock = path.resolve().with_suffix(".lock").stat()
        listed = _LOCKS.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    place = f"{os.major(lock.st_dev):02x}:{os.minor(lock.st_dev):02x}:{lock.st_ino}"
    for fields in map(str.split, listed):  # "1: FLOCK ADVISORY WRITE 26205 fe:00:2770577 0 EOF"
        if fields[1:2] == ["FLOCK"] and fields[5:6] == [place]:
            return max(0, int(fields[4]))
    return None


def _holder(path: Path) -> str | None:
    """Read from a lock file who holds it; None where it doesn't say."""
    try:
        told = json.loads(path.read_text(encoding="ascii"))
        machine = told.get("machine", platform.node())
        return f"process {told['pid']}" + ("" if machine == platform.node() else f" on {machine}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
