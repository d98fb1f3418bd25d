"""Ctrl-C and SIGTERM: the first asks for a clean stop, the second leaves at once. Either way nothing paid is lost."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from enricher.cli.main import INTERRUPTED, SIGNALS

if TYPE_CHECKING:
    from types import FrameType


class Stop:
    """Whether a stop was asked for. `patient`: a request may be in flight, so the run itself looks and ends."""

    def __init__(self) -> None:
        self.requested = False
        self.patient = False

    def __call__(self) -> bool:
        return self.requested

    def install(self) -> None:
        """Take over the signals of this process."""
        for name in SIGNALS:
            signal.signal(getattr(signal, name), self._handle)

    def _handle(self, _signum: int, _frame: FrameType | None) -> None:
        if self.requested and self.patient:
            os._exit(INTERRUPTED)  # every reply that was taken is fsynced; there is nothing to tidy up
        self.requested = True
        if not self.patient:
            raise KeyboardInterrupt
        sys.stderr.write("\nenricher: stopping; what was paid for is kept (once more to leave at once)\n")
