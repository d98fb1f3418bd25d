"""Parts of worksheets as programs write them, and as none should: for comparing two ways of reading them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from enricher.sheets.xlsx.cells.strings import SharedStrings

if TYPE_CHECKING:
    from collections.abc import Iterator

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHARED = ["", "B00X", "4006381333931", "", "é\n", "x"]


def shared() -> SharedStrings:
    strings = SharedStrings()
    for text in SHARED:
        strings.append(text)
    return strings


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def sheet(rows: str, *, head: str = "", tail: str = "", root: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<worksheet xmlns="{MAIN}" xmlns:x14ac="urn:x"{root}>{head}<sheetData>'
        f"{rows}</sheetData>{tail}</worksheet>"
    ).encode()


def plain_rows(count: int, row: str = '<c r="A{0}" t="s"><v>2</v></c><c r="B{0}" s="1"><v>{0}.5</v></c>') -> str:
    return "".join(f'<row r="{number}">{row.format(number)}</row>' for number in range(1, count + 1))


TEXTS = ["", "1", "B00X", "a&amp;b", "&lt;/row&gt;", " x ", "é€😀", "_x000D_", "_x0041", "a>b", "two\nlines", "&#10;x"]
ODD_TEXTS = [*TEXTS, "&#65;", "]]", "<![CDATA[</row>]]>", "<!-- </row> -->", "\r\n", "&#x41;", "<?p </row>?>", "\ufffd"]
NUMBERS = [
    "0",
    "1",
    "12345678905",
    "1.50",
    "10.33",
    "1E10",
    "-5",
    "-0",
    "0.1",
    "1e-7",
    "123456789012345678",
    "007",
    ".5",
]
ODD_NUMBERS = [*NUMBERS, " 5 ", "", "x", "1_0", "nan", "٣", "+5", "1.2345678901234567", "9" * 400]
TEXT = st.sampled_from(TEXTS)
ODD_TEXT = st.sampled_from(ODD_TEXTS)


def attributes(draw: Any, kind: str) -> str:
    style = draw(st.sampled_from(["", "", ' s="0"', ' s="3"', ' s="12"', ' s="123456"']))
    typed = f' t="{kind}"' if kind else ""
    order: str = draw(st.sampled_from([style + typed, typed + style]))
    return order


@st.composite
def cells(draw: Any, column: int, row: int, *, odd: bool) -> str:
    place = f"{chr(65 + column)}{row}" if column < 26 else f"A{chr(39 + column)}{row}"
    reference = draw(st.sampled_from([f' r="{place}"'] * 12 + ["", f" r='{place}'", f'  r="{place}"'])) if odd else None
    reference = f' r="{place}"' if reference is None else reference
    text = draw(ODD_TEXT if odd else TEXT)
    number = draw(st.sampled_from(ODD_NUMBERS if odd else NUMBERS))
    formula = draw(
        st.sampled_from(
            ["", "", "", "<f>A1&amp;B1</f>", "<f/>", '<f t="shared" ref="A1:A9" si="0">A1+1</f>', "<f></f>"]
            + ['<f t="shared" si="0"/>', '<f aca="false">A1</f>', '<f ca="1">NOW()</f>', "<f ca='1' />"] * odd
        )
    )
    kind = draw(st.sampled_from(["s", "s", "", "", "n", "str", "inlineStr", "b", "e", "d", "blank"]))
    if kind == "blank":
        end = draw(st.sampled_from(["/>", " />", "></c>"]))
        return f"<c{reference}{attributes(draw, draw(st.sampled_from(['', 's', 'n', 'inlineStr'])))}{end}"
    if kind == "inlineStr":
        space = draw(st.sampled_from(["", ' xml:space="preserve"']))
        one = f"<t{space}>{text}</t>"
        rich = f"<r><rPr><b/></rPr>{one}</r><r><t>b</t></r><rPh sb='0' eb='1'><t>c</t></rPh>"
        content = draw(st.sampled_from([one, one, "<t/>", rich])) if odd else one
        return f"<c{reference}{attributes(draw, kind)}><is>{content}</is></c>"
    values = {
        "s": str(draw(st.integers(0, len(SHARED) - (not odd)))),
        "b": draw(st.sampled_from(["0", "1", "1", "true"] if odd else ["0", "1"])),
        "n": number,
        "": number,
    }
    value = values.get(kind, text)
    wrapped = f"<v>{value}</v>"
    if formula or odd:
        wrapped = draw(st.sampled_from([wrapped, wrapped, "<v/>", "<v></v>", "", "<v />"]))
    formula = "" if kind == "s" and not odd else formula
    extra = draw(st.sampled_from(["", "", "", "<extLst/>", "<!-- c -->", "\n "])) if odd else ""
    return f"<c{reference}{attributes(draw, kind)}>{formula}{wrapped}{extra}</c>"


@st.composite
def rows_of(draw: Any, *, odd: bool) -> str:
    made = []
    number = 0
    for _ in range(draw(st.integers(0, 12))):
        number += draw(st.sampled_from([1, 1, 1, 2, 40]))
        tag = draw(
            st.sampled_from(
                [f'r="{number}"', f'r="{number}" spans="1:8"', f'r="{number}" ht="9.5" s="3" x14ac:dyDescent="0.25"']
                + [f'ht="1" r="{number}"', f'r="{number}" xml:space="preserve"', f"r='{number}'", 'x="1"'] * odd
            )
        )
        if odd and draw(st.integers(0, 9)) == 0:
            made.append(f"<row {tag}/>")
            continue
        columns = sorted(draw(st.sets(st.sampled_from([0, 1, 2, 3, 7, 26, 30]), max_size=5)))
        if odd and draw(st.integers(0, 20)) == 0:
            columns = columns[::-1]
        content = "".join(draw(cells(column, number, odd=odd)) for column in columns)
        extra = draw(st.sampled_from(["", "", "", "<extLst><ext uri='u'/></extLst>", "<!-- <row> -->"])) if odd else ""
        made.append(
            f"<row {tag}>{content}{extra}</row>" + draw(st.sampled_from(["", "\n", "<!-- </row> -->"] if odd else [""]))
        )
    return "".join(made)


SIZES = st.one_of(st.integers(1, 80), st.integers(80, 3000))
WANTED = st.sampled_from([None, frozenset({0}), frozenset({1, 7}), frozenset({26}), frozenset()])


BYTES = b"<>/\"'& =\r\n\t\0[]!?-;:0159ABZsrtvcfi\xff\xc3\xa9\xed\xa0\x80\xef\xbf\xbe"
TOKENS = (
    *(
        b"</row>",
        b"<row>",
        b"<row r=",
        b"<c ",
        b"</c>",
        b"<v>",
        b"</v>",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"<is>",
    ),
    *(b"<t>", b"</t>", b"<f>", b' s="1"', b' t="s"', b' r="B2"', b"</sheetData>", b"<sheetData>"),
    *(b"&amp;", b"&#0;", b"\xef\xbf\xbf"),
)


def mutated(data: bytes, seed: int) -> bytes:
    """Damage some bytes in one to four places."""
    dice = random.Random(seed)  # noqa: S311 - damage is no secret
    for _ in range(dice.choice([1, 1, 2, 4])):
        place, length = dice.randrange(len(data)), dice.choice([0, 1, 1, 3, 9])
        new = dice.choice([b"", bytes([dice.choice(BYTES)]), dice.choice(TOKENS), data[place : place + 20]])
        data = data[:place] + new + data[place + length :]
    return data


def damaged_sheet(rows: str, seed: int) -> bytes:
    """Make a part with damage anywhere but in its declaration: other encodings never come to a reader of rows."""
    declaration, _, rest = sheet(rows).partition(b"\n")
    return declaration + mutated(rest, seed)
