"""Whether a file is still the one that was read: its second pass must see the rows of the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enricher.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


class Stamp:
    """What tells a file's state at the moment of making this: identity, size, time of change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state = self._look()

    def check(self) -> None:
        """Raise InputError where the file is not what it was."""
        if self._look() != self._state:
            raise InputError(
                f"{self._path.name} was changed while it was being worked on, so answers would stand in wrong rows. "
                "What was paid for is kept: run again"
            )

    def _look(self) -> tuple[int, int, int]:
        try:
            state = self._path.stat()
        except OSError as error:
            raise InputError(f"{self._path}: can't be read any more ({error.strerror})") from None
        return state.st_ino, state.st_size, state.st_mtime_ns
