"""A process that answers one JSON line with another until its input ends: started once, asked thousands of times."""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_ADDRESS_BYTES = 12 * 2**30
"""Against taking the whole machine; what counts is what the run is measured to hold."""

_COLLECTED_EVERY = 50


def serve(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer requests. Whatever else writes to standard output lands in standard error, where it is noticed."""
    faulthandler.enable()
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _limit()
    for number, line in enumerate(sys.stdin):
        replies.write(json.dumps(answer(json.loads(line))) + "\n")
        replies.flush()
        if number % _COLLECTED_EVERY == 0:
            gc.collect()


def _limit() -> None:
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - Windows has none

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = _MOST_ADDRESS_BYTES if most == resource.RLIM_INFINITY else min(most, _MOST_ADDRESS_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
