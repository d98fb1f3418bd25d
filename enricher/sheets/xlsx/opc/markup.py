"""XML as bytes with places: a parser that refuses DTDs, small parts as a list of elements, edits of single tags.

Owns how expat is set up and how a start tag is changed without touching its neighbours. Knows no spreadsheet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, NoReturn, TypeAlias
from xml.parsers import expat

from enricher.errors import InputError
from enricher.sheets.xlsx.opc.refusals import unsound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAMESPACES = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",  # ISO 29500 strict
)
MAX_ELEMENTS = 250_000
"""Of a part that is read whole; each takes some 700 bytes. Workbooks with 65,000 links or names are known."""
MAX_DIGITS = 10
TRUE_WORDS = frozenset({"1", "true"})  # of xsd:boolean
PRESERVE = ' xml:space="preserve"'
# A ">" may stand inside an attribute's quotes, so the end of a tag is not the next ">".
TAG = re.compile(rb"""<[^<>"']*(?:(?:"[^"]*"|'[^']*')[^<>"']*)*>""")
_PREFIX = re.compile(rb"</?(?:([^\s:/>]+):)?")

Edit: TypeAlias = tuple[int, int, bytes]
"""Where some bytes of a part begin and end, and what comes in their place."""


@dataclass(slots=True)
class Element:
    """One element of a small part: local name, attributes by local name, byte offsets of its start and end tags."""

    name: str
    attributes: dict[str, str]
    depth: int
    start: int
    end: int = 0
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The character data directly in the element."""
        return "".join(self.pieces)


def new_parser(where: str) -> expat.XMLParserType:
    """Make a parser that names elements "namespace local" and raises InputError at a DTD.

    Office never writes a DTD; entities are how a small file becomes a large one (ECMA-376 part 2, 8.1.4 forbids them).
    """

    def refuse(*_: object) -> NoReturn:
        raise InputError(
            f"{where}: a part of the workbook declares a DTD, which no spreadsheet program writes. "
            "Open it in Excel and save it again, then retry."
        )

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True  # else every newline of a run of millions is a piece of its own
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


def damaged(where: str, error: expat.ExpatError, passed_lines: int = 0) -> InputError:
    """Say that a part is no XML; `passed_lines` are those the parser did not see."""
    line = error.lineno + passed_lines
    return unsound(where, f"the workbook is damaged ({expat.ErrorString(error.code)}, line {line} of the part)")


def parse(parser: expat.XMLParserType, chunks: Iterable[bytes], where: str) -> None:
    """Run a parser over a part to its end. Raises InputError."""
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise damaged(where, error) from None


def elements(data: bytes, where: str) -> list[Element]:
    """Read a small part whole, in document order; never empty. Raises InputError."""
    found: list[Element] = []
    open_elements: list[Element] = []
    parser = new_parser(where)

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(found) >= MAX_ELEMENTS:
            raise unsound(where, f"a part of the workbook holds more than {MAX_ELEMENTS:,} entries")
        # Unqualified names win: tableColumn has both id and, in an extension's namespace, uid.
        local = {key.rpartition(" ")[2]: value for key, value in attributes.items() if " " in key}
        local.update({key: value for key, value in attributes.items() if " " not in key})
        element = Element(name.rpartition(" ")[2], local, len(open_elements), parser.CurrentByteIndex)
        found.append(element)
        open_elements.append(element)

    def end(_: str) -> None:
        open_elements.pop().end = parser.CurrentByteIndex

    def text(piece: str) -> None:
        open_elements[-1].pieces.append(piece)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parse(parser, [data], where)
    return found


def number_in(attributes: Mapping[str, str], name: str, default: int, where: str) -> int:
    """Return an attribute that counts something; `default` if there is none. Raises InputError for what is no count.

    >>> number_in({"totalsRowCount": "1"}, "totalsRowCount", 0, "range.xlsx")
    1
    """
    text = attributes.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise unsound(where, f"a part of the workbook has {text[:20]!r} where a number belongs ({name})")
    return int(text)


def tag_at(data: bytes, start: int) -> bytes:
    """Return the start tag at an offset where the parser saw one."""
    match = TAG.match(data, start)
    if match is None:
        raise AssertionError("the parser saw a tag here")
    return match.group()


def prefix_of(tag: bytes) -> str:
    """Return the namespace prefix of a start or end tag, with its colon.

    >>> prefix_of(b'<x:row r="1">'), prefix_of(b"<row>")
    ('x:', '')
    """
    match = _PREFIX.match(tag)
    return f"{match[1].decode()}:" if match and match[1] else ""


def with_attribute(tag: bytes, name: str, value: str) -> bytes:
    """Return the tag with an attribute's value replaced; the tag as it is when it has no such attribute.

    >>> with_attribute(b'<dimension ref="A1"/>', "ref", "A1:C9")
    b'<dimension ref="A1:C9"/>'
    """
    new = b'"' + escaped_attribute(value).encode() + b'"'
    return _attribute(name).sub(lambda match: match[1] + new, tag)


def retagged(data: bytes, element: Element, name: str, value: str) -> Edit:
    """Return the edit that gives an element's start tag another value of an attribute it has."""
    tag = tag_at(data, element.start)
    return element.start, element.start + len(tag), with_attribute(tag, name, value)


def edited(data: bytes, edits: Iterable[Edit]) -> bytes:
    """Return the bytes with the edits made; none of them may overlap another."""
    pieces, position = [], 0
    for start, end, new in sorted(edits):
        pieces += [data[position:start], new]
        position = end
    return b"".join([*pieces, data[position:]])


def without_attribute(tag: bytes, name: str) -> bytes:
    """Return the tag without an attribute."""
    return _attribute(name).sub(b"", tag)


@cache
def _attribute(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"""(\s%b\s*=\s*)(?:"[^"]*"|'[^']*')""" % re.escape(name.encode()))


def escaped(text: str) -> str:
    """Escape text for element content."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escaped_attribute(text: str) -> str:
    """Escape text for an attribute in double quotes."""
    return escaped(text).replace('"', "&quot;")


class TagCount:
    """Counts how often some bytes occur in a stream, over the edges of its pieces."""

    def __init__(self, tag: bytes) -> None:
        self.count = 0
        self._tag = tag
        self._tail = b""

    def feed(self, chunk: bytes) -> None:
        """Take the next piece."""
        data = self._tail + chunk
        self.count += data.count(self._tag)
        self._tail = data[len(data) - len(self._tag) + 1 :] if len(data) >= len(self._tag) else data
