"""Outputs appear whole or not at all: written beside their place, then moved into it."""

from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING, Self

from enricher.errors import OutputError

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK_BYTES = 1024 * 1024


class StagedOutput:
    """A file on its way to `path`. Write to `partial`, then `commit`; leaving without it removes what was written.

    Use as a context manager. Raises OutputError where the folder can't be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()  # through a link: the file it names is replaced, and the link stays
        self.partial = self.path.with_name(f".{self.path.name}.partial")

    def __enter__(self) -> Self:
        try:
            self.partial.touch()
        except OSError as error:
            raise OutputError(f"{self.path.parent}: the output can't be written there ({error.strerror})") from None
        return self

    def __exit__(self, *_: object) -> None:
        self.partial.unlink(missing_ok=True)

    def commit(self) -> None:
        """Put the finished file in place, durably and with the mode of the one it replaces. Raises OutputError."""
        try:
            with self.partial.open("r+b") as file:
                os.fsync(file.fileno())
            if self.path.exists():
                shutil.copymode(self.path, self.partial)
            self.partial.replace(self.path)
        except OSError as error:
            why = error.strerror
            raise OutputError(f"{self.path}: can't be written ({why}). Is it open in another program?") from None


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            total.update(block)
    return total.hexdigest()
