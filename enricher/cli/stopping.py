"""Ctrl-C and SIGTERM: the first asks for a clean stop, the second for one at once. Nothing paid is lost either way."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

from enricher.cli.main import SIGNALS

if TYPE_CHECKING:
    from types import FrameType

_STDERR = 2
_SAID = (
    "stopping: taking the replies under way, then writing what there is (once more to leave at once)",
    "leaving; what was paid for is kept",
)


class Stop:
    """How often a stop was asked for: the run looks, and ends by itself.

    `patient`: requests may be under way, and a reply that has arrived but is not on disk yet would be lost with the
    process; so nothing but the run ends it. Otherwise a signal raises KeyboardInterrupt where the program is.
    """

    def __init__(self) -> None:
        self.patient = False
        self._asked = 0

    def __call__(self) -> int:
        return self._asked

    def install(self) -> None:
        """Take over the signals of this process."""
        for name in SIGNALS:
            signal.signal(getattr(signal, name), self._handle)

    def lookups_begin(self) -> None:
        """Hear that requests may be under way from now on. Raises KeyboardInterrupt where an end was asked for before.

        Python drops an exception that a signal raises in the middle of a finalizer; it is not too late then.
        """
        if not self.patient and self._asked:
            raise KeyboardInterrupt
        self.patient = True

    def lookups_end(self) -> None:
        """Hear that no request is under way any more. Raises KeyboardInterrupt where an end at once was asked for."""
        self.patient = False
        if self._asked > 1:
            raise KeyboardInterrupt

    def _handle(self, _signum: int, _frame: FrameType | None) -> None:
        self._asked += 1
        if not self.patient:
            raise KeyboardInterrupt
        if self._asked <= len(_SAID):
            _say(_SAID[self._asked - 1])


def _say(text: str) -> None:
    """Write a line past Python's buffers, which the signal may have come in the middle of writing to."""
    line = "\n" if sys.stderr.isatty() else ""  # below the bar
    with contextlib.suppress(OSError):  # the terminal may be what went away
        os.write(_STDERR, f"{line}enricher: {text}\n".encode())
