"""What a command found, on standard output: lines for people, or JSON."""

from __future__ import annotations

import errno
import os
import sys
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from enricher.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NOBODY_READS = {errno.EPIPE, errno.EIO}
"""The reader of a pipe has ended, or the terminal's window was closed."""


def show(title: str, lines: Sequence[str], facts: Mapping[str, Any], *, as_json: bool, quiet: bool = False) -> None:
    """Print a result. Raises OutputError where it can't be; that nobody reads on changes no exit code."""
    if quiet and not as_json:
        return
    try:
        typer.echo(dumps(facts, ensure_ascii=False) if as_json else "\n".join([title, *lines]))
    except OSError as error:
        with Path(os.devnull).open("wb") as nowhere:  # what is buffered would fail again at the end
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        if error.errno not in _NOBODY_READS:
            raise OutputError(f"standard output can't be written ({error.strerror})") from None
