"""The elements of a JSON array, found by their brackets. Whether each is sound is for the parser to say.

Owns what stands between them. Memory is bounded by the longest element, whatever the array's length.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from enricher.errors import InputError
from enricher.sheets.jsonl.record import MAX_OBJECT_BYTES, Record, too_long

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_BLOCK_BYTES = 256 * 1024
_BLANKS = re.compile(rb"[ \t\r\n]*")
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[][{}]|"', re.DOTALL)


def elements(file: BinaryIO, bom: bytes, name: str) -> Iterator[Record]:
    """Cut an array into records, from the file's place on. Raises InputError where it is none."""
    window = _Window(file, name)
    before = bom + window.blanks() + window.take()
    gap = window.blanks()
    if window.mark() == b"]":
        yield Record(0, before, b"", gap + window.take() + window.last_blanks())
        return
    while True:
        body = window.value()
        if not body:
            raise window.broken()
        window.number += 1
        yield Record(window.number, before + gap, body, b"")
        gap = window.blanks()
        mark = window.take()
        if mark == b"]":
            yield Record(0, b"", b"", gap + mark + window.last_blanks())
            return
        if mark != b",":
            raise window.broken()
        before, gap = gap + mark, window.blanks()


class _Window:
    """The part of the file that is being looked at; `number` counts the elements before it."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.number = 0
        self._file = file
        self._name = name
        self._data = b""
        self._at = 0

    def broken(self) -> InputError:
        """Say where the array ends to be one."""
        return InputError(
            f"{self._name}: after object {self.number:,} the list is broken off or damaged. Export the file again"
        )

    def blanks(self) -> bytes:
        """Take the blanks that come next."""
        start = b""
        while True:
            match = _BLANKS.match(self._data, self._at)
            self._at = match.end() if match else self._at
            start += match[0] if match else b""
            if self._at < len(self._data) or not self._read():
                return start
            if len(start) > MAX_OBJECT_BYTES:
                raise self.broken()

    def last_blanks(self) -> bytes:
        """Take the blanks at the file's end. Raises InputError where there is anything else."""
        blanks = self.blanks()
        if self.mark():
            raise self.broken()
        return blanks

    def mark(self) -> bytes:
        """Look at the next byte; none at the file's end."""
        return self._data[self._at : self._at + 1]

    def take(self) -> bytes:
        """Take the next byte."""
        mark = self.mark()
        self._at += len(mark)
        return mark

    def value(self) -> bytes:
        """Take an object or a list, to its closing bracket; nothing where there is none."""
        if self.mark() not in {b"{", b"["}:
            return b""
        depth, at = 0, self._at
        while True:
            for token in _TOKEN.finditer(self._data, at):
                mark = token[0]
                if mark == b'"':  # the text does not end here
                    break
                at = token.end()
                depth += (mark in {b"[", b"{"}) - (mark in {b"]", b"}"})
                if depth == 0:
                    body, self._at = self._data[self._at : at], at
                    return body
            if len(self._data) - self._at > MAX_OBJECT_BYTES:
                raise InputError(f"{self._name}, object {self.number + 1:,}: {too_long()}")
            at -= self._at
            if not self._read():
                return b""
            at += self._at

    def _read(self) -> bool:
        """Read on, and forget what was taken."""
        block = self._file.read(_BLOCK_BYTES)
        self._data, self._at = self._data[self._at :] + block, 0
        return bool(block)
