"""Outputs appear whole or not at all: written beside their place, then moved into it."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import itertools
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

import filelock

from enricher.disk import sync_folder
from enricher.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable


class StagedOutput:
    """A file on its way to `path`. Write to `partial`, then `commit`; leaving without it removes what was written.

    Use as a context manager. `partial` is a name of its own beside `path`, where nothing stands yet. Raises OutputError
    where the folder can't be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()  # through a link: the file it names is replaced, and the link stays

    def __enter__(self) -> Self:
        try:
            self._clear()
            # The mark comes first: what a killed run leaves without one would never be cleared away.
            descriptor, name = tempfile.mkstemp(".partial.lock", f".{self.path.stem}.", self.path.parent)
            os.close(descriptor)
            self._mark = Path(name)
            self.partial = self._mark.with_suffix(self.path.suffix)
            self._lock = filelock.FileLock(self._mark)
            self._lock.acquire()
        except OSError as error:
            raise OutputError(f"{self.path.parent}: the output can't be written there ({error.strerror})") from None
        return self

    def __exit__(self, *_: object) -> None:
        for remove in (self.partial.unlink, self._lock.release, self._mark.unlink):
            with contextlib.suppress(OSError):  # the next run clears away what stays
                remove()

    def _clear(self) -> None:
        """Remove what runs left here that were killed while they wrote: nobody holds its lock any more."""
        for mark in self.path.parent.glob(f".{glob.escape(self.path.stem)}.*.partial.lock"):
            with contextlib.suppress(filelock.Timeout), filelock.FileLock(mark, timeout=0):
                mark.with_suffix(self.path.suffix).unlink(missing_ok=True)
                mark.unlink(missing_ok=True)

    def commit(self, like: Path, may_replace: Callable[[Path], bool] = lambda path: not path.exists()) -> Path:
        """Put the finished file in place, durably, with the mode of the one it replaces, or else that of `like`.

        Where another program holds the file that stands there, it goes beside it: the first of "NAME (2)", "NAME (3)"
        ... that `may_replace` allows. Returns where it went. Raises OutputError.
        """
        try:
            with self.partial.open("r+b") as file:
                os.fsync(file.fileno())
            mode = (self.path if self.path.exists() else like).stat().st_mode
            self.partial.chmod(stat.S_IMODE(mode) | stat.S_IWUSR)
            place = self._put(may_replace)
            sync_folder(place.parent)
        except OSError as error:
            raise OutputError(f"{self.path}: can't be written ({error.strerror})") from None
        return place

    def _put(self, may_replace: Callable[[Path], bool]) -> Path:
        if not _is_open_elsewhere(self.path):
            try:
                self.partial.replace(self.path)
            except PermissionError:  # Windows: another program has it open
                if not self.path.exists():
                    raise
            else:
                return self.path
        siblings = (self.path.with_stem(f"{self.path.stem} ({number})") for number in itertools.count(2))
        place = next(path for path in siblings if may_replace(path) and not _is_open_elsewhere(path))
        self.partial.replace(place)
        return place


def _is_open_elsewhere(path: Path) -> bool:
    """Say whether a spreadsheet program has left its mark that it has this file open: Excel's, LibreOffice's.

    Replaced under its hands, the file would be written over at its next save, or its user's work would be lost.
    """
    marks = (f"~${path.name}", f".~lock.{path.name}#")
    return path.exists() and any(path.with_name(mark).exists() for mark in marks)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal. Raises OutputError where it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise OutputError(f"{path}: can't be read ({error.strerror})") from None
