"""The bytes of a text file, a block at a time, always from a record's start on.

Owns what passes between the file and its records: the byte order mark, and UTF-16, which is worked on as UTF-8 so that
a delimiter is one byte. Knows no record.
"""

from __future__ import annotations

import codecs
import functools
from typing import TYPE_CHECKING, BinaryIO

from enricher.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from enricher.sheets.csv.dialect import Dialect

_LEADS = (b"", *(bytes([lead]) for lead in range(0x80, 0x100)))
MAX_RECORD_BYTES = 16 * 1024 * 1024
"""A record that is longer is no row of a table: it is what follows a quote that nobody closed."""


class Feed:
    """What is left of an open file: `pending` begins with a record and grows with `fill`."""

    def __init__(self, file: BinaryIO, dialect: Dialect, block_bytes: int, name: str) -> None:
        self.pending = b""
        self.at_end = False
        self.name = name
        self.dialect = dialect
        self.encoding = working_encoding(dialect)
        self._file = file
        self._block_bytes = block_bytes
        self._decoder = codecs.getincrementaldecoder(dialect.encoding)("surrogatepass") if _is_wide(dialect) else None
        self._done = 0
        self._start = file.seek(len(byte_order_mark(dialect)))

    def fill(self) -> bool:
        """Read another block, or as much again as is pending, onto it. False: all has been read. Raises InputError."""
        if self.at_end:
            return False
        size_bytes = max(
            self._block_bytes, len(self.pending)
        )  # whoever asks again for so long a record looks at it all
        raw = self._file.read(size_bytes)
        self.at_end = len(raw) < size_bytes
        if self._decoder is not None:
            try:
                raw = self._decoder.decode(raw, final=self.at_end).encode("utf-8", "surrogatepass")
            except UnicodeDecodeError as error:
                raise InputError(f"{self.name} is not {self.dialect.encoding} throughout: {error.reason}") from None
        self.pending = self.pending + raw if self.pending else raw
        return True

    def advance(self, size: int) -> None:
        """Leave the first `size` bytes behind: whole records."""
        self._done += size
        self.pending = self.pending[size:]

    def lines(self) -> Iterator[bytes]:
        """Yield what is pending, and then what follows, line by line, without leaving it behind.

        Lines end with LF, CR or both; the last may have no end, and so may one that is longer than any record.
        """
        at = 0
        while True:
            lines = self.pending[at:].splitlines(keepends=True)
            if not self.at_end and lines and not lines[-1].endswith(b"\n"):
                lines.pop()  # the rest of it, or the LF after its CR, is still in the file
            for line in lines:
                at += len(line)
                yield line
            while len(self.pending) - at <= MAX_RECORD_BYTES and self.fill():
                tail = self.pending[at:]
                if b"\n" in tail or b"\r" in tail[:-1]:
                    break
            else:
                if at == len(self.pending):
                    return
                if not self.at_end:
                    yield self.pending[at:]  # too long: whoever reads records refuses it, knowing where it began
                    return

    def lines_left_behind(self) -> int:
        """Count the lines before what is pending. It reads the file again, so it is the last thing to be asked."""
        left, lines, last = self._done, 0, b""
        self._file.seek(self._start)
        if self._decoder is not None:
            self._decoder.reset()
        self.at_end, self.pending = False, b""
        while left and self.fill():
            block, self.pending = self.pending[:left], b""
            left -= len(block)
            lines += block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n")
            lines -= last == b"\r" and block.startswith(b"\n")
            last = block[-1:] or last
        return lines


def is_transparent(dialect: Dialect) -> bool:
    """Say whether the bytes of delimiter, quote and line end stand for nothing else in the file's encoding.

    A bar is the second half of many a character in Shift JIS and GB 18030.
    """
    return _keeps(working_encoding(dialect), dialect.delimiter)


def working_encoding(dialect: Dialect) -> str:
    """Name the encoding of the bytes between Feed and `to_file`."""
    return "utf-8" if _is_wide(dialect) else dialect.encoding


def byte_order_mark(dialect: Dialect) -> bytes:
    """Return what the file begins with; b"" where it has no mark."""
    return "\ufeff".encode(dialect.encoding) if dialect.has_bom else b""


def delimiter_bytes(dialect: Dialect) -> bytes:
    """Return the delimiter in the working encoding. One that a file declares may be any character."""
    return dialect.delimiter.encode(working_encoding(dialect), dialect.errors)


def to_file(data: memoryview | bytes, dialect: Dialect) -> memoryview | bytes:
    """Turn bytes of the working encoding back into the file's own."""
    if not _is_wide(dialect):
        return data
    return bytes(data).decode("utf-8", "surrogatepass").encode(dialect.encoding, "surrogatepass")


def _is_wide(dialect: Dialect) -> bool:
    return dialect.encoding.startswith("utf-16")


@functools.cache
def _keeps(encoding: str, delimiter: str) -> bool:
    return delimiter.isascii() and all(
        (lead + mark.encode("ascii")).decode(encoding, "replace").endswith(mark)
        for mark in {delimiter, '"', "\r", "\n"}
        for lead in _LEADS
    )
