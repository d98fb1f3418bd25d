"""Which files were written from a resume file, so that the next run knows its own from a user's. No I/O."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MOST_REMEMBERED = 2
"""Digests kept for each output: the one being written and the one before, whichever a crash leaves in place."""


class Outputs:
    """Outputs by their path relative to `folder`: where it is moved, both go along. Each with SHA-256 hex digests."""

    def __init__(self, folder: Path, known: Mapping[str, list[str]]) -> None:
        self._folder = folder
        self._known = {name: [*digests] for name, digests in known.items()}

    def __len__(self) -> int:
        return len(self._known)

    def to_json(self) -> dict[str, list[str]]:
        """Return a copy: path -> digests."""
        return {name: [*digests] for name, digests in self._known.items()}

    def name(self, output: Path) -> str:
        """Return the name an output goes by."""
        try:
            return os.path.relpath(output, self._folder)
        except ValueError:  # another drive of Windows
            return str(output)

    def remember(self, name: str, digest: str) -> None:
        """Take one more digest of an output; the last one again is none more."""
        known = self._known.setdefault(name, [])
        if known[-1:] != [digest]:
            self._known[name] = [*known, digest][-_MOST_REMEMBERED:]

    def digests(self, output: Path) -> list[str]:
        """Return the digests of an output, the newest last."""
        return self._known.get(self.name(output), [])

    def take_all(self, other: Outputs) -> None:
        """Take those of another resume file."""
        for name, digests in other._known.items():
            for digest in digests:
                self.remember(self.name(other._folder / name), digest)
