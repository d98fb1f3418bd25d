"""What it takes for a file's name to outlast a power cut, and whether a disk has room. Knows no format."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make a new, renamed or deleted name in `folder` durable. Raises OSError."""
    if os.name == "nt":
        return  # Windows can't open a folder; its renames are journalled by the file system
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Disk(NamedTuple):
    """A file system, by the number that the system gives it, and how many bytes of it this user may still fill."""

    number: int
    free_bytes: int


class Need(NamedTuple):
    """So many bytes are about to be written into a folder: `what`, in words. `disk` None: it can't be told."""

    what: str
    folder: Path
    size_bytes: int
    disk: Disk | None


def disk_of(folder: Path) -> Disk | None:
    """Look at the disk that a folder is on; None where it is not there, or its disk doesn't say how large it is."""
    try:
        usage, number = shutil.disk_usage(folder), folder.stat().st_dev
    except OSError:
        return None
    return Disk(number, usage.free) if usage.total else None  # some file systems of networks say 0 of 0


def too_much(needs: Sequence[Need]) -> Sequence[Need]:
    """Return those needs that their disk has no room for, of the first disk that is too small; none: there is room.

    What goes to one disk adds up. Decides without I/O.
    """
    for need in needs:
        if need.disk is not None:
            together = [other for other in needs if other.disk is not None and other.disk.number == need.disk.number]
            if sum(other.size_bytes for other in together) > need.disk.free_bytes:
                return together
    return []
