"""Texts of a workbook: the shared strings, kept as one run of bytes, and the _xHHHH_ escapes.

Owns ST_Xstring (ECMA-376 part 1, 22.9.2.19) for reading. Knows no cell.
"""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING
from xml.parsers import expat

import numpy as np

from enricher.errors import InputError
from enricher.sheets.xlsx.markup import NAMESPACES, damaged, new_parser

if TYPE_CHECKING:
    from collections.abc import Iterable

_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")


def unescaped(text: str) -> str:
    r"""Undo the escapes of characters that XML can't hold.

    >>> unescaped("a_x000D_b _x005F_x0041_")
    'a\rb _x0041_'
    """
    if "_x" not in text:
        return text
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return whole(plain)


def whole(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates by U+FFFD: Arrow and XML hold neither."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class SharedStrings:
    """The strings that cells point to by number; 8 bytes each on top of their own (a list takes 60 more)."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self._bytes[self._ends[number] : self._ends[number + 1]].decode()

    def append(self, text: str) -> None:
        """Add a string."""
        self._bytes += text.encode()
        self._ends.append(len(self._bytes))

    def empties(self) -> frozenset[str]:
        """Return the numbers of the empty strings as cells write them: a cell that points to one shows nothing."""
        lengths = np.diff(np.frombuffer(self._ends, np.uint64))
        return frozenset(map(str, np.flatnonzero(lengths == 0).tolist()))


class _Reader:
    """The handlers: `t` elements of one `si` are joined, but for those of phonetic runs (`rPh`)."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self.strings = SharedStrings()
        self._pieces: list[str] = []
        self._runs: list[str] = []
        self._phonetic = False
        self._namespace = ""
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._pieces.append

    def _start(self, name: str, _: dict[str, str]) -> None:
        namespace, local = name.rsplit(" ", 1) if " " in name else ("", name)
        if local == "t":
            self._pieces.clear()
        elif local == "rPh":
            self._phonetic = True
        elif local == "si":
            self._runs.clear()
            self._namespace = namespace

    def _end(self, name: str) -> None:
        if name.endswith(" t"):
            if not self._phonetic:
                self._runs.append("".join(self._pieces))
        elif name.endswith(" si"):
            if self._namespace in NAMESPACES:
                self.strings.append(unescaped("".join(self._runs)))
        elif name.endswith(" rPh"):
            self._phonetic = False


def read_strings(chunks: Iterable[bytes], where: str) -> SharedStrings:
    """Read sharedStrings.xml. Raises InputError."""
    parser = new_parser(where)
    reader = _Reader(parser)
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise damaged(where, error) from None
    return reader.strings


def shared_text(strings: SharedStrings, raw: str, where: str) -> str:
    """Return the string a cell points to. Raises InputError when there is none."""
    try:
        return strings[int(raw)]
    except (IndexError, ValueError):
        raise InputError(
            f"{where}: a cell points to text number {raw}, and the workbook has {len(strings)}. "
            "Open it in Excel, let it repair the file, save and retry."
        ) from None
