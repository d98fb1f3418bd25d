"""Damage to text with delimiters, and to JSON lines and HTML: what is legal, odd, or nearly right."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.fuzz import raw

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_MOST_BYTES = 20_000_000  # a line that was made long may be made long again
_SIGNS = (
    b'"',
    b'""',
    b'"\n',
    b"'",
    b",",
    b";",
    b"\t",
    b"|",
    b"\r",
    b"\n",
    b"\r\n",
    b"\n\n",
    b"\0",
    b"\\",
    b"\x1a",
    b"{",
    b"}",
    b"\x81",
    b"\xc3",
    b"\xe2\x80\xa8",
    b"\x85",
    b"\x0b",
    b"\x0c",
    b"=",
    b"1E999",
    b"<td",
    b"&#0;",
    b"]",
    b":",
    b"\\ud800",
)
_ENCODINGS = ("utf-16", "utf-16-be", "utf-8-sig", "utf-32", "cp1252", "cp850", "utf-7", "cp037")
_FIELD = re.compile(rb"[^,;\t|\r\n]+")
_LONG_LINE = 300_000


def sprinkle(data: bytes, chance: Random) -> bytes:
    sign = chance.choice(_SIGNS)
    for _ in range(chance.choice((1, 1, 2, 5, 40))):
        at = chance.randrange(len(data) + 1)
        data = data[:at] + sign + data[at:]
    return data


def replace_sign(data: bytes, chance: Random) -> bytes:
    old = chance.choice((b'"', b",", b";", b"\t", b"|", b"\r\n", b"\n", b"\r", b"}", b">"))
    places = [match.start() for match in re.finditer(re.escape(old), data)]
    if not places or chance.random() < 0.3:
        return data.replace(old, chance.choice(_SIGNS))
    at = chance.choice(places)
    return data[:at] + chance.choice((b"", *_SIGNS)) + data[at + len(old) :]


def shuffle_lines(data: bytes, chance: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    for _ in range(chance.randint(1, 3)):
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        what = chance.choice(("drop", "double", "swap", "blank", "many", "join"))
        if what == "drop":
            lines[at] = b""
        elif what == "double":
            lines.insert(other, lines[at])
        elif what == "swap":
            lines[at], lines[other] = lines[other], lines[at]
        elif what == "blank":
            lines.insert(at, chance.choice((b"\n", b"\r\n", b",,,\n", b" \n", b'""\n', b";\n", b"{}\n")))
        elif what == "many":
            times = chance.choice((10, 5000))
            lines[at] *= min(times, _MOST_BYTES // max(1, len(lines[at])) + 1)
        else:
            lines[at] = lines[at].rstrip(b"\r\n")
    return b"".join(lines)


def change_field(data: bytes, chance: Random) -> bytes:
    fields = list(_FIELD.finditer(data))
    if not fields:
        return data
    field = chance.choice(fields)
    new = chance.choice(
        (b"", b'""', b"'4006381333931", b'="4006381333931"', b"4.00638E+12", b"NA", b'"a\nb"', b'"a""b"', b'a"b',
         b"x" * 40_000)
    )  # fmt: skip
    return data[: field.start()] + new + data[field.end() :]


def long_line(data: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice((b"x", b",", b'"', b'","', b" ", b"[", b'{"a":', b"<td>")) * _LONG_LINE + data[at:]


def recode(data: bytes, chance: Random) -> bytes:
    for encoding in ("utf-8", "cp1252", "latin-1"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text.encode(chance.choice(_ENCODINGS), "replace")
    return data


def foreign_late(data: bytes, chance: Random) -> bytes:
    sign = chance.choice((b"\x84", b"\xe4", b"\xfc\xdf", b"\xc3\xa4", b"\x81\x40", b"\xff"))
    return data + data[len(data) // 2 :] * chance.choice((1, 40)) + sign + b"\n"


DAMAGE: dict[str, Callable[[bytes, Random], bytes]] = {
    way.__name__: way for way in (sprinkle, replace_sign, shuffle_lines, change_field, long_line, recode, foreign_late)
}
_WEIGHTS = (5, 4, 4, 4, 0.5, 1, 1)


def damage(data: bytes, chance: Random) -> tuple[bytes, str]:
    """Damage a text in one way, or its bytes as any file's. Returns it and the way's name."""
    if not data or chance.random() < 0.2:
        return raw.damage(data, chance)
    way = chance.choices([*DAMAGE], _WEIGHTS)[0]
    return DAMAGE[way](data, chance) or b"\0", way
