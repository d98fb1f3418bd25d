"""The program's entry: whatever happens becomes one clear line and an exit code.

Imports little before it can be interrupted: the rest of the program takes a second to load.
"""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

from enricher import errors

INTERRUPTED = 130
USAGE = 2
_EXIT_OF_ERROR = (
    (errors.ConfigError, USAGE),
    (errors.InputError, 65),
    (errors.OutputError, 73),
    (errors.ApiKeyError, 77),
    (errors.StoreLockedError, 98),
    (errors.EnricherError, 1),
)


def main() -> NoReturn:
    """Run the command line and exit."""
    try:
        for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
            signal.signal(number, signal.default_int_handler)
        sys.exit(_run())
    except KeyboardInterrupt:
        sys.stderr.write("enricher: interrupted\n")
        sys.exit(INTERRUPTED)


def _run() -> int:
    from typer.exceptions import TyperException  # noqa: PLC0415 - loaded where an interrupt is caught

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
