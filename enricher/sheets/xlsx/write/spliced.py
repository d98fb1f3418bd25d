"""What a splice did: what is told to the user, and what the check afterwards goes by.

Owns the choice of rows to be read back. Knows no bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

_MAX_PROBES = 100


class Probe(NamedTuple):
    """Where in the output a written row begins, and which data row it is (-1: the header), to be read back."""

    offset: int
    number: int
    data_row: int


@dataclass(slots=True)
class Spliced:
    """What a splice did, complete at its end."""

    opening: bytes = b""  # the start tags around the rows, with all that they declare
    prefix: str = ""
    row_tags: int = 0
    data_rows: int = 0
    cut_texts: int = 0
    written_bytes: int = 0
    probes: list[Probe] = field(default_factory=list)
    _offered: int = 0
    _every: int = 1

    def offer(self, probe: Probe) -> None:
        """Keep a probe, or not: of a long sheet an even selection, at most a hundred, and always the header."""
        self._offered += 1
        if probe.data_row >= 0 and self._offered % self._every:
            return
        self.probes.append(probe)
        if len(self.probes) > _MAX_PROBES:
            del self.probes[1::2]
            self._every *= 2
