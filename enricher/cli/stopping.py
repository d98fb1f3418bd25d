"""Ctrl-C and SIGTERM: the first asks for a clean stop, the second for one at once. What has arrived is never lost."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Literal, NoReturn

from enricher.cli.main import SIGNALS, ignore_signals

if TYPE_CHECKING:
    from types import FrameType

_STDERR = 2
_ONCE_MORE = "(once more to leave at once)"
_STOPPING = f"stopping: taking the replies under way, then writing what there is {_ONCE_MORE}"
_LEAVING = "leaving; what has arrived is kept"
_FINISHING = f"finishing the output {_ONCE_MORE}"


class Stop:
    """How often a stop was asked for: the run looks, and ends by itself.

    While requests may be under way nothing but the run ends it: a reply that has arrived but is not on disk yet would
    be lost with the process. While the output is written the first signal is heard and the second ends it. Before, a
    signal raises KeyboardInterrupt where the program is.
    """

    def __init__(self) -> None:
        self._asked = 0
        self._phase: Literal["before", "lookups", "writing"] = "before"

    def __call__(self) -> int:
        return self._asked

    def install(self) -> None:
        """Take over the signals of this process."""
        for name in SIGNALS:
            signal.signal(getattr(signal, name), self._handle)

    def reading(self) -> None:
        """Hear that the sheet is being read. Raises KeyboardInterrupt where an end was asked for.

        Python drops an exception that a signal raises in the middle of a finalizer; it is not too late then.
        """
        if self._phase == "before" and self._asked:
            self._leave()

    def lookups_begin(self) -> None:
        """Hear that requests may be under way from now on. Raises as `reading`."""
        self.reading()
        self._phase = "lookups"

    def lookups_end(self) -> None:
        """Hear that no request is under way any more. Raises KeyboardInterrupt where an end at once was asked for."""
        self._phase = "writing"
        if self._asked > 1:
            self._leave()

    def _handle(self, _signum: int, _frame: FrameType | None) -> None:
        self._asked += 1
        match self._phase, self._asked:
            case "lookups", 1:
                _say(_STOPPING)
            case "lookups", 2:
                _say(_LEAVING)
            case "writing", 1:
                _say(_FINISHING)
            case (("before" | "writing"), _):
                self._leave()

    def _leave(self) -> NoReturn:
        ignore_signals()  # one more, and the process would die by it instead of ending with its exit code
        raise KeyboardInterrupt


def _say(text: str) -> None:
    """Write a line past Python's buffers, which the signal may have come in the middle of writing to."""
    line = "\n" if sys.stderr.isatty() else ""  # below the bar
    with contextlib.suppress(OSError):  # the terminal may be what went away
        os.write(_STDERR, f"{line}enricher: {text}\n".encode())
