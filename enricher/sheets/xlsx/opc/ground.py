"""Where a parser stands in a part that is read in stretches, and what the quick way must know of the part.

Owns when bytes may pass the parser by: between two elements of the repeated kind, with nothing half read, in a part
that is UTF-8 and whose prefixes are known. Knows neither way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from enricher.sheets.xlsx.opc.markup import NAMESPACES

if TYPE_CHECKING:
    from xml.parsers import expat

_TAIL_BYTES = 256
_NAME = rb"</?((?:[A-Za-z_][\w.-]*:)?)%b>"


class Ground:
    """Watches a parser; the owner of the parser tells it where the elements are.

    `around` holds the repeated elements (`sheetData`; "" where they begin without a sign), `repeated` is one (`row`).
    """

    def __init__(self, parser: expat.XMLParserType, around: str, repeated: str) -> None:
        self.encoding = "UTF-8"
        self.prefix: str | None = None
        self._bound: dict[str, list[str]] = {}
        self._fed_bytes = 0
        self._tail = b""
        self._seen: tuple[re.Pattern[bytes], int] | None = None
        self._edge = -1
        self._around = re.compile(_NAME % around.encode())
        self._repeated = re.compile(_NAME % repeated.encode())
        self._around_ending = f"{around}>".encode()
        self._repeated_name = repeated
        self.ending = self._around_ending if around else f"</{repeated}>".encode()
        parser.XmlDeclHandler = self._declaration
        parser.StartNamespaceDeclHandler = self._declare
        parser.EndNamespaceDeclHandler = lambda prefix: self._bound[prefix or ""].pop()

    @property
    def declared(self) -> list[str]:
        """The prefixes that attributes may have here."""
        return [prefix for prefix, namespaces in self._bound.items() if namespaces]

    def entered(self, offset: int) -> None:
        """Hear where the start tag of `around` is."""
        self._seen = (self._around, offset)

    def ended(self, offset: int) -> None:
        """Hear where the end tag of a repeated element is, or the tag of one without content."""
        self._seen = (self._repeated, offset)

    def left(self) -> None:
        """Hear that no more of them come."""
        self._seen = None

    def fed(self, data: bytes) -> None:
        """Hear what the parser has been fed, after it was."""
        self._fed_bytes += len(data)
        self._edge = -1
        if self._seen is not None and self._fed_bytes - self._seen[1] <= _TAIL_BYTES:
            name, offset = self._seen
            match = name.fullmatch((self._tail + data)[offset - self._fed_bytes :])
            # In UTF-16 the tag is other bytes, and so this is no match.
            if match is not None and self.encoding.upper() == "UTF-8" and self._is_bound(match[1].decode()):
                self._know(match[1].decode())
                self._edge = self._fed_bytes
        if self._seen is not None and self.ending == self._around_ending:
            self.ending = f"</{self._repeated_name}>".encode()
        self._tail = (self._tail + data[-_TAIL_BYTES:])[-_TAIL_BYTES:]

    def at_edge(self) -> bool:
        """Say whether the next bytes may pass the parser by."""
        return self._edge == self._fed_bytes

    def _know(self, prefix: str) -> None:
        self.prefix = prefix
        self.ending = f"</{prefix}{self._repeated_name}>".encode()

    def _is_bound(self, prefix: str) -> bool:
        """Say whether the prefix means the same behind the element: it may have been declared in its own tag."""
        namespaces = self._bound.get(prefix.rstrip(":"), [])
        return bool(namespaces) and namespaces[-1] in NAMESPACES

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self.encoding = encoding or "UTF-8"

    def _declare(self, prefix: str | None, namespace: str | None) -> None:
        self._bound.setdefault(prefix or "", []).append(namespace or "")
