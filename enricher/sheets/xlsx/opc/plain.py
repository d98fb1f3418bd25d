"""The plain dialect: the XML of rows and texts as nearly every program writes it, as a regular grammar.

Owns which bytes may be read by their places alone, without a parser. It is strict: what it vouches for is well-formed
XML with one meaning. Knows no value; what it does not vouch for goes through expat, which has the last word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enricher.sheets.xlsx.opc.markup import PRESERVE

if TYPE_CHECKING:
    from collections.abc import Collection

_SPACE = r"[ \t\r\n]*"
# A carriage return would have to become a newline; ]]> is looked for apart.
_TEXT = r"(?:[^<&\x00-\x08\x0b-\x1f]|&(?:amp|lt|gt|quot|apos|#9|#10|#13);)*"
_VALUE = r'[^"<&\x00-\x1f]*'
_STYLE = r'(?: s="[0-9]{1,9}")?'
_ROW_TAG = re.compile(rb"""<(?:[A-Za-z_][\w.-]*:)?row r="[0-9]+"((?: [A-Za-z_][\w.:-]*="[^"<]*")*) ?/?>""")
_ATTRIBUTE = re.compile(rb' ([^ =]+)="[^"]*"')
_NAME = re.compile(r"(?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*", re.ASCII)
_MAX_SHAPES = 24
_MAX_SHAPE_BYTES = 1_000  # Excel's longest comes to 150; RE2 refuses a grammar of a megabyte
_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")


def is_plain_text(data: bytes) -> bool:
    """Say whether bytes are characters that XML allows, but for control characters, as UTF-8."""
    # The search for one byte is quick, for several it is not.
    if b"]" in data and b"]]>" in data:
        return False
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return not any(character in data for character in _NO_CHARACTERS)


def matches(data: bytes, pattern: str) -> bool:
    """Match all of the bytes. RE2 takes 2 ns a byte and no stack, `re` takes 6; expat without a handler takes 9."""
    if len(data) > np.iinfo(np.int32).max:
        return False
    ends = pa.py_buffer(np.array([0, len(data)], np.int32))
    one = pa.Array.from_buffers(pa.binary(), 1, [None, ends, pa.py_buffer(data)])
    found: bool = pc.match_substring_regex(one, pattern)[0].as_py()
    return found


class PlainRows:
    """The grammar of whole rows, one after another, inside a sheet's `sheetData`.

    `prefix` is that of the sheet's elements, with its colon; `declared` are the prefixes that attributes may have.
    Attributes of rows come in any order, so the grammar learns the orders of this sheet as it meets them: a regular
    grammar can't tell an attribute that stands there twice. Of a cell's style and type it learns which comes first.
    """

    def __init__(self, prefix: str, declared: Collection[str]) -> None:
        self._prefix = re.escape(prefix)
        self._declared = {"xml", *declared}
        self._shapes: dict[tuple[str, ...], None] = {}
        self._type_first = False
        self._pattern = self._rows()

    def vouches_for(self, block: bytes) -> bool:
        """Say whether the bytes are whole plain rows."""
        if not is_plain_text(block):
            return False
        if matches(block, self._pattern) or (self._learns_from(block) and matches(block, self._pattern)):
            return True
        kept = self._type_first, self._pattern
        self._type_first = not self._type_first
        self._pattern = self._rows()
        if matches(block, self._pattern):
            return True
        self._type_first, self._pattern = kept
        return False

    def _learns_from(self, block: bytes) -> bool:
        known = len(self._shapes)
        for attributes in set(map(_shape, set(_ROW_TAG.findall(block)))):
            if len(self._shapes) < _MAX_SHAPES and self._is_sound(attributes):
                self._shapes[attributes] = None
        if len(self._shapes) == known:
            return False
        self._pattern = self._rows()
        return True

    def _is_sound(self, attributes: tuple[str, ...]) -> bool:
        locals_ = [name.rpartition(":")[2] for name in attributes]
        prefixes = {name.rpartition(":")[0] for name in attributes if ":" in name}
        return (
            all(map(_NAME.fullmatch, attributes))
            and sum(map(len, attributes)) <= _MAX_SHAPE_BYTES
            and prefixes <= self._declared
            and "xmlns" not in {*prefixes, *attributes}
            and len({"r", *locals_}) == len(locals_) + 1
        )

    def _rows(self) -> str:
        shapes = "|".join(
            "".join(f' {re.escape(name)}="{_VALUE}"' for name in attributes) for attributes in self._shapes
        )
        p = self._prefix
        return (
            rf'^(?:{_SPACE}<{p}row r="[1-9][0-9]{{0,6}}"(?:{shapes}) ?'
            rf"(?:/>|>(?:{_SPACE}{_cell(p, type_first=self._type_first)})*{_SPACE}</{p}row>))*\z"
        )


def _shape(attributes: bytes) -> tuple[str, ...]:
    return tuple(name.decode("latin-1") for name in _ATTRIBUTE.findall(attributes))


def _cell(p: str, *, type_first: bool) -> str:
    before, after = ("", _STYLE) if type_first else (_STYLE, "")
    formula = (
        rf'<{p}f(?: aca="{_VALUE}")?(?: t="(?:normal|shared|array)")?(?: ref="{_VALUE}")?(?: ca="{_VALUE}")?'
        rf'(?: si="[0-9]+")?(?: ?/>|>{_TEXT}</{p}f>)'
    )
    nothing = rf"(?: ?/>|></{p}c>)"
    value = rf"(?:{formula})?(?:<{p}v(?: ?/>|>{_TEXT}</{p}v>))?</{p}c>"
    shared = rf"<{p}v>(?:0|[1-9][0-9]{{0,8}})</{p}v></{p}c>"
    inline = rf"<{p}is><{p}t(?:/>|(?:{PRESERVE})?>{_TEXT}</{p}t>)</{p}is></{p}c>"
    return (
        rf'<{p}c r="[A-Z]{{1,3}}[1-9][0-9]*"{before}(?:'
        rf'(?: t="(?:n|b|e|d|str)")?{after}(?:>{value}|{nothing})|'
        rf' t="s"{after}(?:>{shared}|{nothing})|'
        rf' t="inlineStr"{after}(?:>{inline}|{nothing}))'
    )


def strings_pattern(prefix: str) -> str:
    """Return the grammar of shared strings of one run, with the phonetic settings that Japanese Excel adds."""
    p = re.escape(prefix)
    settings = rf'(?:<{p}phoneticPr fontId="[0-9]+"(?: type="{_VALUE}")?(?: alignment="{_VALUE}")? ?/>)?'
    text = rf"<{p}t(?:/>|(?:{PRESERVE})?>{_TEXT}</{p}t>)"
    return rf"^(?:{_SPACE}<{p}si(?: ?/>|>{text}{settings}</{p}si>))*\z"
