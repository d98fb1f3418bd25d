"""One run at a time a resume file: a lock of the kernel's, which dies with its process."""

from __future__ import annotations

import json
import os
import platform
from typing import TYPE_CHECKING

import filelock

from enricher.errors import OutputError, StoreLockedError

if TYPE_CHECKING:
    from pathlib import Path


def acquire(path: Path, name: str) -> filelock.BaseFileLock:
    """Take the lock file `path` of the resume file called `name`.

    Raises StoreLockedError where another run has it, OutputError where it can't be made.
    """
    if not path.parent.is_dir():  # filelock would make it
        raise OutputError(f"{path.parent}: there is no such folder for the resume file")
    lock = filelock.FileLock(path, timeout=0)
    try:
        lock.acquire()
        if not path.stat().st_size or _holder(path) is not None:  # not into a file of the user's own
            path.write_text(json.dumps({"pid": os.getpid(), "machine": platform.node()}), encoding="ascii")
    except filelock.Timeout:
        raise StoreLockedError(
            f"{name} is in use by another run ({_holder(path) or 'process unknown'}). "
            "Wait for it to end, or give this run a resume file of its own: --store FILE.parquet"
        ) from None
    except OSError as error:
        lock.release()
        raise OutputError(f"{path.parent}: no resume file can be made there ({error.strerror})") from None
    return lock


def _holder(path: Path) -> str | None:
    """Read from a lock file who holds it; None where it doesn't say."""
    try:
        told = json.loads(path.read_text(encoding="ascii"))
        machine = told.get("machine", platform.node())
        return f"process {told['pid']}" + ("" if machine == platform.node() else f" on {machine}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
