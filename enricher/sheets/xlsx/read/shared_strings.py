"""sharedStrings.xml read in stretches: plain strings by the places of their tags, odd ones by a parser.

Owns which texts of an `si` are its string. Knows no cell.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from xml.parsers import expat

import numpy as np

from enricher.sheets.xlsx.cells.strings import MAX_TEXT_BYTES, SharedStrings, unescaped
from enricher.sheets.xlsx.cells.tags import plain_texts, raw_texts, tags_of, text_starts
from enricher.sheets.xlsx.opc.ground import Ground
from enricher.sheets.xlsx.opc.markup import NAMESPACES, damaged, new_parser
from enricher.sheets.xlsx.opc.plain import is_plain_text, matches, strings_pattern
from enricher.sheets.xlsx.opc.refusals import unsound
from enricher.sheets.xlsx.opc.two_ways import in_stretches

if TYPE_CHECKING:
    from collections.abc import Iterable

_STRING, _TEXT = b"st"
_pattern = cache(strings_pattern)


class StringsReader:
    """Both ways over the part. `t` elements of one `si` are joined, but for those of phonetic runs (`rPh`)."""

    def __init__(self, where: str) -> None:
        self.strings = SharedStrings()
        self._where = where
        self._pieces: list[str] = []
        self._runs: list[str] = []
        self._phonetic = False
        self._namespace = ""
        self._depth = 0
        self._passed_lines = 0
        self._parser = new_parser(where)
        self._ground = Ground(self._parser, "", "si")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._pieces.append

    def ending(self) -> bytes:
        return self._ground.ending

    def at_edge(self) -> bool:
        return self._ground.at_edge() and not self._phonetic

    def careful(self, data: bytes) -> None:
        """Take any bytes. Raises InputError."""
        try:
            self._parser.Parse(data, False)
        except expat.ExpatError as error:
            raise damaged(self._where, error, self._passed_lines) from None
        self._ground.fed(data)

    def quick(self, stretch: bytes) -> bool | None:
        """Take whole plain strings; None if they are not."""
        prefix = self._ground.prefix or ""
        if not (is_plain_text(stretch) and matches(stretch, _pattern(prefix))):
            return None
        tags = tags_of(stretch, len(prefix.encode()))
        strings = np.flatnonzero(tags.letter == _STRING)
        starts = np.full(len(strings), len(stretch), np.int64)
        ends = starts.copy()
        has_text = tags.letter[strings + 1] == _TEXT
        text_tags = strings[has_text] + 1
        starts[has_text], any_text = text_starts(tags, text_tags)
        ends[has_text] = np.where(any_text, tags.at[text_tags + 1], starts[has_text])
        # An empty one is cut where it stands, too: the places have to ascend.
        starts[~has_text] = ends[~has_text] = tags.at[strings[~has_text]]
        if int((ends - starts).max()) > MAX_TEXT_BYTES:
            return None
        self.strings.extend(plain_texts(raw_texts(stretch, starts, ends), stretch))
        self._passed_lines += stretch.count(b"\n") if b"\n" in stretch else 0
        return True

    def close(self) -> SharedStrings:
        """Return the strings; the bytes are at an end. Raises InputError."""
        try:
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise damaged(self._where, error, self._passed_lines) from None
        return self.strings

    def _start(self, name: str, _: dict[str, str]) -> None:
        namespace, local = name.rsplit(" ", 1) if " " in name else ("", name)
        self._depth += 1
        if local == "t":
            self._pieces.clear()
        elif local == "rPh":
            self._phonetic = True
        elif local == "si":
            self._runs.clear()
            self._namespace = namespace

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name.endswith(" t"):
            if not self._phonetic:
                self._runs.append("".join(self._pieces))
        elif name.endswith(" si"):
            if self._namespace in NAMESPACES:
                text = unescaped("".join(self._runs))
                if len(text.encode()) > MAX_TEXT_BYTES:
                    raise unsound(
                        self._where, f"it holds a text of more than {MAX_TEXT_BYTES >> 10} KB, and a cell holds 96"
                    )
                self.strings.append(text)
                if self._depth == 1:
                    self._ground.ended(self._parser.CurrentByteIndex)
                    return
            self._ground.left()
        elif name.endswith(" rPh"):
            self._phonetic = False


def read_strings(chunks: Iterable[bytes], where: str) -> SharedStrings:
    """Read sharedStrings.xml. Raises InputError."""
    reader = StringsReader(where)
    for _ in in_stretches(chunks, reader):
        pass
    return reader.close()
