"""Outputs appear whole or not at all: written beside their place, then moved into it."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Self

from enricher.errors import OutputError


class StagedOutput:
    """A file on its way to `path`. Write to `partial`, then `commit`; leaving without it removes what was written.

    Use as a context manager. `partial` is a name of its own beside `path`, where nothing stands yet. Raises OutputError
    where the folder can't be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()  # through a link: the file it names is replaced, and the link stays

    def __enter__(self) -> Self:
        try:
            with tempfile.NamedTemporaryFile(
                dir=self.path.parent, prefix=f".{self.path.stem}.", suffix=f".partial{self.path.suffix}"
            ) as probe:
                self.partial = Path(probe.name)
        except OSError as error:
            raise OutputError(f"{self.path.parent}: the output can't be written there ({error.strerror})") from None
        return self

    def __exit__(self, *_: object) -> None:
        self.partial.unlink(missing_ok=True)

    def commit(self, like: Path) -> None:
        """Put the finished file in place, durably, with the mode of the one it replaces, or else that of `like`.

        Raises OutputError.
        """
        try:
            with self.partial.open("r+b") as file:
                os.fsync(file.fileno())
            mode = (self.path if self.path.exists() else like).stat().st_mode
            self.partial.chmod(stat.S_IMODE(mode) | stat.S_IWUSR)
            self.partial.replace(self.path)
        except OSError as error:
            why = error.strerror
            raise OutputError(f"{self.path}: can't be written ({why}). Is it open in another program?") from None


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal. Raises OutputError where it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise OutputError(f"{path}: can't be read ({error.strerror})") from None
