"""Other programs' files (.xls, .xlsb, .ods, web pages, XML of Excel 2003), read in a process of their own.

Owns how long that process may take, how much memory, and what is said when it does not come back: hostile files make
libraries abort, loop, or allocate without end.
"""

from __future__ import annotations

import mmap
import re
import subprocess
import sys
import tempfile
import zipfile
import zlib
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any

from enricher.errors import InputError, OutputError
from enricher.sheets.foreign.limits import DISK_FULL
from enricher.sheets.foreign.source import Book, SpooledTable
from enricher.sheets.foreign.spool import Block, SpoolReader, TableEntry, read_footer
from enricher.sheets.kinds import SUFFIXES, Kind
from enricher.sheets.stamp import Stamp

if TYPE_CHECKING:
    from pathlib import Path

_WORDS = {
    Kind.XLS: ("Excel 97-2003 workbook (.xls)", "sheet"),
    Kind.XLSB: ("Excel binary workbook (.xlsb)", "sheet"),
    Kind.ODS: ("OpenDocument spreadsheet (.ods)", "sheet"),
    Kind.XML_2003: ("XML spreadsheet of Excel 2003", "sheet"),
    Kind.HTML: ("web page", "table"),
}
"""What such a file is, and what a table of it is called."""
# What is allowed follows the file's size: a small file that claims to be a large one is stopped early. Measured: a
# sound .ods of 300,000 x 20 cells takes 860 MB and 11 s for 15 MB, an .xls of 65,536 x 30 takes 425 MB for 30 MB.
_MEMORY_BYTES, _MEMORY_PER_BYTE, _MAX_MEMORY_BYTES = 512 << 20, 64, 2 << 30
_TIME_S, _TIME_PER_MB_S, _MAX_TIME_S = 45, 5, 600
# FilePass after the first record of the workbook, and WriteProtect between them ([MS-XLS] 2.1.7.20.3), BIFF8 and BIFF5.
_PASSWORD_XLS = re.compile(
    rb"\x09\x08(?:\x10\x00\x00\x06.{14}|\x08\x00\x00\x05.{6})(?:\x86\x00\x00\x00)?\x2f\x00", re.DOTALL
)
# What zipfile raises for it; RuntimeError, and what derives from it, for an encrypted or oddly compressed member.
_NO_SOUND_ZIP = (zipfile.BadZipFile, zlib.error, OSError, KeyError, ValueError, RuntimeError, EOFError)
_SCANNED_BYTES = 1 << 20


def foreign_tables(path: Path, kind: Kind) -> list[SpooledTable]:
    """Read all tables of a file of one of these kinds, the hidden ones last; the file is read once, here.

    Raises InputError for what is damaged, encrypted, or too large; OutputError where the temporary folder is full.
    """
    stamp = Stamp(path)
    if _is_protected(path, kind):  # asked first: one kind of protection is overlooked by calamine, which reads noise
        raise InputError(f"{path.name}: the workbook is protected by a password. Save it without one.")
    with ExitStack() as on_failure:
        spool = on_failure.enter_context(tempfile.TemporaryFile())
        footer = _read(path, kind, spool, path.stat().st_size) or {}
        stamp.check()
        if "tables" not in footer:
            raise _refusal(path, kind, footer)
        tables = [
            TableEntry(name, hidden, rows, list(map(Block._make, blocks)))
            for name, hidden, rows, blocks in footer["tables"]
        ]
        if not tables:
            raise InputError(f"{path.name}: the workbook has no worksheet. Put the codes into one and retry.")
        on_failure.pop_all()
    book = Book(path, stamp, SpoolReader(spool), _described(path, kind))
    return [SpooledTable(book, table) for table in sorted(tables, key=lambda table: table.hidden)]


def _described(path: Path, kind: Kind) -> str:
    """Say what a file is, and what its name says where that is something else."""
    words, table = _WORDS[kind]
    misnamed = path.suffix and kind not in SUFFIXES.get(path.suffix.lower(), ())
    return f"{words}{f' named {path.suffix}' if misnamed else ''}, {table}"


def _read(path: Path, kind: Kind, spool: IO[bytes], size_bytes: int) -> dict[str, Any] | None:
    """Run the child; None where it died or was stopped. It never outlives this call."""
    memory_bytes = min(_MEMORY_BYTES + _MEMORY_PER_BYTE * size_bytes, _MAX_MEMORY_BYTES)
    time_s = min(_TIME_S + _TIME_PER_MB_S * (size_bytes >> 20), _MAX_TIME_S)
    # -P: a csv.py beside the user's spreadsheet is not ours. A child left alone ends at its limit of CPU time.
    command = [sys.executable, "-P", "-m", "enricher.sheets.foreign.child"]
    child = subprocess.Popen(  # noqa: S603 - our own module
        [*command, str(path.absolute()), kind, str(memory_bytes), str(time_s)],
        stdin=subprocess.DEVNULL,
        stdout=spool,
        stderr=subprocess.DEVNULL,  # where Rust says why it panics
    )
    try:
        child.wait(time_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        child.kill()
        child.wait()
    if child.returncode == DISK_FULL:
        raise OutputError(
            f"{tempfile.gettempdir()}: the disk is full, and the file is unpacked there. Free some space."
        )
    return read_footer(spool)


def _refusal(path: Path, kind: Kind, footer: dict[str, Any]) -> InputError:
    error = footer.get("error")
    if error == "input":
        return InputError(footer["message"])
    if error == "password":
        return InputError(f"{path.name}: the workbook is protected by a password. Save it without one.")
    if error == "damaged":
        return InputError(
            f"{path.name}: can't be read as {kind}: the file is damaged or cut short, or of another program. "
            "Open it in the program that made it, save it as .xlsx or CSV and use that."
        )
    return InputError(
        f"{path.name}: can't be read: the file is damaged, or larger than {kind} can be read. "
        "Save it as .xlsx or CSV and use that."
    )


def _is_protected(path: Path, kind: Kind) -> bool:
    """Look for what a password leaves behind; what is no sound file is left to its reader."""
    try:
        if kind is Kind.XLS:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _PASSWORD_XLS.search(data) is not None
        if kind is Kind.ODS:
            with zipfile.ZipFile(path) as members, members.open("META-INF/manifest.xml") as manifest:
                return b"encryption-data" in manifest.read(_SCANNED_BYTES)
    except _NO_SOUND_ZIP:
        return False
    return False
