"""Damage to one XML part: legal oddities that few writers write, and plain wrong XML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.fuzz import raw

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_TOKEN = re.compile(rb"<!\[CDATA\[.*?\]\]>|<!--.*?-->|<[^>]*>|[^<]+", re.DOTALL)
_ATTRIBUTE = re.compile(rb'([\w:.-]+)="([^"]*)"')
_TELLING = re.compile(
    rb"\b(r|s|t|ref|sqref|count|uniqueCount|spans|min|max|id|sheetId|state|Target|Type|numFmtId|name|totalsRowCount|headerRowCount"
    rb'|hidden|displayName|localSheetId|date1904|xfId|si|PartName|ContentType|encoding)="([^"]*)"'
)
_VALUES = (
    b"", b"0", b"-1", b"1", b"2", b"99999999999999999999", b"4294967296", b"2147483648", b"1.5", b"1E5", b"A", b"A0",
    b"XFD1048576",
    b"XFE1", b"A1048577", b"ZZZZZZZ1", b"A1:XFD1048576", b"B2:A1", b"$A$1", b"A1 B2", b"1:3 5:9", b"s", b"n", b"str",
    b"inlineStr",
    b"e", b"b", b"d", b"x", b"hidden", b"veryHidden", b"../../../etc/passwd", b"/xl/workbook.xml",
    b"xl/worksheets/sheet1.xml",
    b"External", b"rId1", b"true", b"&amp;", b"&bad;", b"&#0;", b"&#xD800;", b"\xff", b"UTF-16", b"a\nb", b" 1 ",
    b"x" * 70_000,
)  # fmt: skip
_TEXTS = (
    b"", b"0", b"-1", b"99999999999", b"1E400", b"-1E-400", b"nan", b"INF", b"0x10", b" 5 ", b"12345678905",
    b"4006381333931",
    b"1.2345678905E10", b"#N/A", b"TRUE", b"_x000D_", b"_x0041_", b"&#10;", b"&amp;lt;", b"&#x1F600;", b"]]>",
    b"\x01", b"\xed\xa0\x80",
    b"2024-05-06T07:08:09", b"x" * 40_000, b"9" * 400, b"<![CDATA[ ]]>",
)  # fmt: skip
_THINGS = (
    b"<!-- c -->", b'<!--<row r="1"><c r="A1"/></row>-->', b"<![CDATA[x]]>", b"<?pi data?>", b"&unknown;", b"\n \t",
    b"</x>", b"<x>",
    b'<extLst><ext uri="{0}"><row/></ext></extLst>', b"<row/>", b"<row></row>", b'<row r="3"/>', b"<c/>",
    b'<c r="B2"><v>1</v></c>', b'<c t="inlineStr"><is><t>EAN</t></is></c>', b"<v>7</v>", b"<f>A1+1</f>",
    b'<mergeCell ref="A1:XFD9"/>', b"<si/>", b"<is/>",
    b"<rPh><t>x</t></rPh>", b"\xef\xbb\xbf", b"<sheetData/>", b"<sheetData></sheetData>", b'<xml xmlns="u"/>',
)  # fmt: skip
_BOMB = b'<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "' + b"&a;" * 50 + b'"><!ENTITY c "' + b"&b;" * 50 + b'">]>'
_EXTERNAL = b'<!DOCTYPE b [<!ENTITY c SYSTEM "file:///etc/hostname">]>'
_MANY = 20_000


def change_attribute(data: bytes, chance: Random) -> bytes:
    found = list((_TELLING if chance.random() < 0.8 else _ATTRIBUTE).finditer(data))
    if not found:
        return raw.flip(data, chance)
    one = chance.choice(found)
    what = chance.choice(("value", "value", "value", "drop", "double", "rename", "swap"))
    new = {
        "value": b'%b="%b"' % (one[1], chance.choice(_VALUES)),
        "drop": b"",
        "double": one[0] + b" " + one[0],
        "rename": b'%b%b="%b"' % (chance.choice((b"x", b"r:", b"xml:")), one[1], one[2]),
        "swap": b'%b="%b"' % (one[1], chance.choice(found)[2]),
    }[what]
    return data[: one.start()] + new + data[one.end() :]


def change_text(data: bytes, chance: Random) -> bytes:
    tokens = _TOKEN.findall(data)
    texts = [at for at, token in enumerate(tokens) if not token.startswith(b"<")]
    if texts:
        tokens[chance.choice(texts)] = chance.choice(_TEXTS)
    return b"".join(tokens)


def change_tags(data: bytes, chance: Random) -> bytes:
    tokens = _TOKEN.findall(data)
    at, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
    size = chance.choice((1, 1, 2, 3, 10))
    what = chance.choice(("drop", "double", "swap", "move", "many"))
    if what == "drop":
        del tokens[at : at + size]
    elif what == "double":
        tokens[at:at] = tokens[at : at + size]
    elif what == "swap":
        tokens[at], tokens[other] = tokens[other], tokens[at]
    elif what == "move":
        moved = tokens[at : at + size]
        del tokens[at : at + size]
        tokens[other:other] = moved
    else:
        tokens[at:at] = tokens[at : at + size] * chance.choice((5, 2000))
    return b"".join(tokens)


def change_element(data: bytes, chance: Random) -> bytes:
    """Drop, double or move a whole row or cell."""
    name = chance.choice((b"row", b"c", b"si", b"xf", b"sheet", b"Relationship", b"tableColumn", b"col", b"mergeCell"))
    found = list(re.finditer(rb"<%b[ >](?:[^>]*/>|.*?</%b>)" % (name, name), data, re.DOTALL))
    if not found:
        return change_tags(data, chance)
    one, other = chance.choice(found), chance.choice(found)
    what = chance.choice(("drop", "double", "swap", "last"))
    if what == "drop":
        return data[: one.start()] + data[one.end() :]
    if what == "double":
        return data[: one.end()] + one[0] + data[one.end() :]
    if what == "swap":
        return data.replace(one[0], b"\0other\0").replace(other[0], one[0]).replace(b"\0other\0", other[0])
    return data[: one.start()] + data[one.end() : found[-1].end()] + one[0] + data[found[-1].end() :]


def insert_thing(data: bytes, chance: Random) -> bytes:
    tokens = _TOKEN.findall(data)
    tokens.insert(chance.randrange(len(tokens) + 1), chance.choice(_THINGS))
    return b"".join(tokens)


def odd_but_legal(data: bytes, chance: Random) -> bytes:
    """Write the same content as few programs do: what may not be read otherwise, or must be refused by name."""
    what = chance.choice(
        ("no r", "quotes", "spaces", "prefix", "strict", "utf-16", "no dimension", "comments", "no spans", "expand")
    )
    if what == "no r":
        return re.sub(rb'(<(?:row|c)\b[^>]*?) r="[^"]*"', rb"\1", data)
    if what == "quotes":
        return _ATTRIBUTE.sub(lambda one: one[0] if b"'" in one[2] else b"%b='%b'" % (one[1], one[2]), data)
    if what == "spaces":
        return re.sub(rb"(<[\w:]+)((?: [^<>]*?)?)(/?>)", rb"\1\n\t\2 \3", data)
    if what == "prefix":
        named = re.sub(rb"<(/?)(?=[a-zA-Z]+[ />])", rb"<\1q:", data)
        return named.replace(b' xmlns="', b' xmlns:q="')
    if what == "strict":
        return data.replace(
            b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
            b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        )
    if what == "utf-16":
        text = data.decode("utf-8", "replace")
        return re.sub(r'encoding="[^"]*"', 'encoding="UTF-16"', text, count=1).encode("utf-16")
    if what == "no dimension":
        return re.sub(rb"<dimension[^>]*>", b"", data)
    if what == "comments":
        return re.sub(
            rb"(?=<(?:row|c|v)\b)", lambda _: chance.choice((b"", b"", b'<!-- > " -->', b"<?p?>", b" ")), data
        )
    if what == "no spans":
        return re.sub(rb' spans="[^"]*"', b"", data)
    return re.sub(rb"<(\w+)( [^<>]*)?/>", rb"<\1\2></\1>", data)


def doctype(data: bytes, chance: Random) -> bytes:
    head = data.find(b"?>") + 2 if data.startswith(b"<?") else 0
    bombed = data[:head] + chance.choice((_BOMB, _EXTERNAL, b"<!DOCTYPE x>")) + data[head:]
    return re.sub(rb"(<(?:v|t)[^>]*>)", rb"\1&c;", bombed, count=1)


def deepen(data: bytes, chance: Random) -> bytes:
    tokens = _TOKEN.findall(data)
    name = chance.choice((b"x", b"row", b"c", b"is", b"r", b"extLst"))
    end = b"</%b>" % name if chance.random() < 0.5 else b""
    tokens.insert(chance.randrange(1, len(tokens) + 1), b"<%b>" % name * _MANY + end * _MANY)
    return b"".join(tokens)


DAMAGE: dict[str, Callable[[bytes, Random], bytes]] = {
    way.__name__: way
    for way in (
        change_attribute,
        change_text,
        change_tags,
        change_element,
        insert_thing,
        odd_but_legal,
        doctype,
        deepen,
    )
}
_WEIGHTS = (7, 3, 2, 3, 3, 3, 0.5, 0.3)


def damage(data: bytes, chance: Random) -> tuple[bytes, str]:
    """Damage a part in one way, or its bytes as any file's. Returns it and the way's name."""
    if not _TOKEN.search(data) or chance.random() < 0.1:
        return raw.damage(data, chance)
    way = chance.choices([*DAMAGE], _WEIGHTS)[0]
    return DAMAGE[way](data, chance), way
