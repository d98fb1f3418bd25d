"""The process that other programs' files are read in: writes a spool to its standard output, then ends.

Owns the limits the process puts on itself. It may die at any point: what it wrote counts only with the footer.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import python_calamine as calamine

from enricher.errors import InputError
from enricher.sheets.foreign.limits import DISK_FULL
from enricher.sheets.foreign.pages import read_page
from enricher.sheets.foreign.spool import SpoolWriter
from enricher.sheets.foreign.workbooks import read_workbook
from enricher.sheets.foreign.xml_2003 import read_xml_2003
from enricher.sheets.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_SIZES = Path("/proc/self/statm")
_READERS = {Kind.HTML: read_page, Kind.XML_2003: read_xml_2003}


def main(arguments: Sequence[str]) -> None:
    """Read a file (path, kind, memory in bytes, seconds of CPU); leave a spool, or a footer with the error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; the parent decides, and kills this one
    _limit(int(arguments[2]), int(arguments[3]))
    try:
        _read(Path(arguments[0]), Kind(arguments[1]))
    except OSError as error:
        if error.errno not in _FULL:
            raise
        os._exit(DISK_FULL)  # an ordinary exit would try to write once more


def _read(path: Path, kind: Kind) -> None:
    writer = SpoolWriter(sys.stdout.buffer)
    try:
        tables = list(_READERS.get(kind, read_workbook)(path, writer))
    except InputError as error:
        writer.finish({"error": "input", "message": str(error)})
    except calamine.PasswordError:
        writer.finish({"error": "password"})
    except calamine.CalamineError:
        writer.finish({"error": "damaged"})
    except OSError as error:
        if error.errno in _FULL:
            raise
        writer.finish({"error": "damaged"})  # calamine's own, for a place outside the file
    else:
        writer.finish({"tables": [(table.name, table.hidden, table.rows, table.blocks) for table in tables]})


def _limit(memory_bytes: int, cpu_s: int) -> None:
    """Let the system end this process where it would take more; Windows has no such limits.

    RLIMIT_DATA counts what is allocated, not the libraries that are mapped, as RLIMIT_AS would. What the libraries have
    set aside by now, and hardly use, comes on top.
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not there on Windows

    limits = {"DATA": memory_bytes + _set_aside_bytes(resource.getpagesize()), "CPU": cpu_s, "CORE": 0}
    for name, value in limits.items():
        with suppress(ValueError, OSError):  # macOS has limits that it refuses to set
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def _set_aside_bytes(page_bytes: int) -> int:
    try:
        return int(_SIZES.read_text(encoding="ascii").split()[5]) * page_bytes
    except OSError:  # not Linux
        return 0


if __name__ == "__main__":
    main(sys.argv[1:])
