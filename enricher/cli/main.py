"""The program's entry: whatever happens becomes one clear line and an exit code.

Imports little before it can be interrupted: the rest of the program takes a second to load.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from enricher import errors

if TYPE_CHECKING:
    from types import FrameType

SIGNALS = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]  # Windows lacks the last
INTERRUPTED = 130
FAILED = 1
USAGE = 2
_EXIT_OF_ERROR = (
    (errors.ConfigError, USAGE),
    (errors.InputError, 65),
    (errors.OutputError, 73),
    (errors.ApiKeyError, 77),
    (errors.StoreLockedError, 98),
    (errors.LeftError, INTERRUPTED),
    (errors.EnricherError, FAILED),
)


def main() -> NoReturn:
    """Run the command line and exit."""
    for name in SIGNALS:
        signal.signal(getattr(signal, name), _leave)
    code = _run()
    ignore_signals()
    sys.exit(code)


def ignore_signals() -> None:
    """Let no signal change the exit code any more: at its end Python gives them back to the system, which kills."""
    for name in SIGNALS:
        signal.signal(getattr(signal, name), signal.SIG_IGN)


def _leave(_signum: int, _frame: FrameType | None) -> NoReturn:
    """Leave at once, until a command that has something to put in order takes the signals over.

    Not by an exception: raised while the program loads, it can be swallowed by what is being imported.
    """
    os.write(2, b"enricher: interrupted\n")
    os._exit(INTERRUPTED)


def _run() -> int:
    from typer.exceptions import TyperException  # noqa: PLC0415 - it loads once signals are taken over

    from enricher.cli.commands import app  # noqa: PLC0415 - the same

    try:
        return int(app(prog_name="enricher", standalone_mode=False) or 0)
    except TyperException as error:
        said = str(getattr(error, "format_message", error.__str__)()).replace("Value error, ", "")
        if said:  # a command without its arguments has printed its help, and has nothing to add
            sys.stderr.write(f"enricher: {said.rstrip('.')}. See: enricher --help\n")
        return USAGE
    except errors.EnricherError as error:
        sys.stderr.write(f"enricher: {error}\n")
        return next(code for kind, code in _EXIT_OF_ERROR if isinstance(error, kind))
    except OSError as error:  # a disk that fails anywhere: which file, and why, is all there is to say
        sys.stderr.write(f"enricher: {error.filename or 'a file'}: {error.strerror or error}\n")
        return FAILED
