"""The program's entry: errors become one clear line and the exit code of its class."""

from __future__ import annotations

import sys

import typer

from enricher import errors
from enricher.cli.commands import app

_EXIT_OF_ERROR = (
    (errors.ConfigError, 2),
    (errors.InputError, 65),
    (errors.OutputError, 73),
    (errors.ApiKeyError, 77),
    (errors.StoreLockedError, 98),
    (errors.EnricherError, 1),
)


def main() -> None:
    """Run the command line and exit."""
    try:
        app(prog_name="enricher")
    except errors.EnricherError as error:
        typer.echo(f"enricher: {error}", err=True)
        sys.exit(next(code for kind, code in _EXIT_OF_ERROR if isinstance(error, kind)))
