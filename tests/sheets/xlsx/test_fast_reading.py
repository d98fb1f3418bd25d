"""The quick way of reading a worksheet says exactly what the careful one says, or leaves it to that."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from enricher.errors import InputError
from enricher.sheets.xlsx.opc.two_ways import in_stretches
from enricher.sheets.xlsx.read.plain_cells import PlainCells
from enricher.sheets.xlsx.read.reading import SheetReader
from enricher.sheets.xlsx.read.scanner import RowScanner
from enricher.sheets.xlsx.read.shared_strings import StringsReader, read_strings
from tests.sheets.xlsx.sheet_makers import (
    MAIN,
    ODD_TEXT,
    SIZES,
    WANTED,
    damaged_sheet,
    mutated,
    pieces,
    plain_rows,
    rows_of,
    shared,
    sheet,
)

if TYPE_CHECKING:
    from enricher.sheets.xlsx.cells.facts import Row
    from enricher.sheets.xlsx.cells.strings import SharedStrings


class Outcome(NamedTuple):
    """What reading came to: rows and facts, or the words of the refusal."""

    rows: list[Row]
    facts: dict[str, Any]
    refusal: str = ""


def refusal(error: InputError) -> str:
    """What was refused; what expat calls a fault depends on how the bytes were cut."""
    said: str = error.args[0]
    return re.sub(r"is damaged \(.*\)", "is damaged", said)


def carefully(part: bytes, header_row: int = 0, wanted: frozenset[int] | None = None) -> Outcome:
    try:
        scanner = RowScanner("a.xlsx", shared(), header_row, wanted)
        rows = scanner.feed(part)
        return Outcome(rows, asdict(scanner.close()))
    except InputError as error:
        return Outcome([], {}, refusal(error))


def quickly(part: bytes, size: int, header_row: int = 0, wanted: frozenset[int] | None = None) -> Outcome:
    try:
        reader = SheetReader("a.xlsx", shared(), header_row, wanted)
        rows = [row for block in reader.blocks(pieces(part, size)) for row in block.rows()]
        return Outcome(rows, asdict(reader.facts))
    except InputError as error:
        return Outcome([], {}, refusal(error))


@settings(max_examples=80, deadline=None)
@given(rows_of(odd=False), SIZES, st.integers(0, 3), WANTED)
def test_plain_sheets_are_read_alike(rows: str, size: int, header_row: int, wanted: frozenset[int] | None) -> None:
    part = sheet(rows)
    assert quickly(part, size, header_row, wanted) == carefully(part, header_row, wanted)


@settings(max_examples=80, deadline=None)
@given(rows_of(odd=True), SIZES, st.integers(0, 3), WANTED)
@example('<row r="1"><c r="A1"><f>1</f><row r="2"/></c></row>', 10, 0, None)
@example('<f/><row r="1"><c r="A1" t="str"><v>1</v></c></row>', 10, 0, None)
def test_odd_sheets_are_read_alike(rows: str, size: int, header_row: int, wanted: frozenset[int] | None) -> None:
    part = sheet(rows)
    assert quickly(part, size, header_row, wanted) == carefully(part, header_row, wanted)


@settings(max_examples=150, deadline=None)
@given(rows_of(odd=False), st.integers(0, 2**32), SIZES, st.integers(0, 3), WANTED)
def test_damaged_sheets_are_read_alike_or_refused_alike(
    rows: str, seed: int, size: int, header_row: int, wanted: frozenset[int] | None
) -> None:
    part = damaged_sheet(rows, seed)
    assert quickly(part, size, header_row, wanted) == carefully(part, header_row, wanted)


# --- what the quick way is for, and what it must leave ---


def rows_read_quickly(part: bytes, monkeypatch: pytest.MonkeyPatch, size: int = 4096) -> int:
    read: list[int] = []
    original = PlainCells.read

    def counted(self: PlainCells, block: bytes, after_row: int) -> Any:
        found = original(self, block, after_row)
        read.append(0 if found is None else len(found))
        return found

    monkeypatch.setattr(PlainCells, "read", counted)
    assert quickly(part, size) == carefully(part)
    return sum(read)


@pytest.mark.parametrize(
    "row",
    [
        '<c r="A{0}" t="s"><v>2</v></c><c r="B{0}" s="1"><v>{0}.5</v></c>',  # Excel, XlsxWriter
        '<c r="A{0}" s="2" t="s"><v>2</v></c><c r="B{0}" t="n"><v>5</v></c><c r="D{0}"><f>A1</f><v /></c>',  # openpyxl
        '<c r="A{0}" t="s" s="1"><v>2</v></c><c r="B{0}" t="b"><v>1</v></c><c r="D{0}" t="str"><f>A1</f><v>a</v></c>',
        '<c r="A{0}" s="0" t="inlineStr"><is><t xml:space="preserve"> a&amp;b&#10;</t></is></c>',
        '<c r="A{0}" s="0" t="n"><f aca="false">1+{0}</f><v>3</v></c><c r="B{0}" s="0"/>',  # LibreOffice
    ],
)
def test_what_programs_write_is_read_quickly(row: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rows_read_quickly(sheet(plain_rows(500, row)), monkeypatch) > 450


def test_a_prefix_and_new_orders_of_attributes_are_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = plain_rows(500).replace("</", "</x:").replace("<row", "<x:row").replace("<c", "<x:c").replace("<v", "<x:v")
    rows = "".join(
        row.replace('">', '" ht="9" x14ac:a="1">', 1) if number % 2 else row
        for number, row in enumerate(re.split("(?=<x:row)", rows))
    )
    part = f'<x:worksheet xmlns:x="{MAIN}" xmlns:x14ac="urn:x"><x:sheetData>{rows}</x:sheetData></x:worksheet>'
    assert rows_read_quickly(part.encode(), monkeypatch) > 450


def test_one_odd_row_does_not_slow_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = plain_rows(4000).replace('<row r="2000">', '<!-- x --><row r="2000">')
    assert rows_read_quickly(sheet(rows), monkeypatch, 1 << 16) > 3600


@pytest.mark.parametrize(
    "attributes",
    [
        'ht="1" ht="2"',
        'x14ac:="1"',
        'x14ac:1a="1"',
        'x14ac:a="1" x14ac:a="1"',
        'un:a="1"',
        'xmlns="urn:y"',
        'xmlns:x14ac="urn:z"',
        'r="7"',
    ],
)
def test_attributes_that_change_or_break_the_meaning_are_not_vouched_for(attributes: str) -> None:
    part = sheet(plain_rows(30) + f'<row r="31" {attributes}><c r="A31"><v>1</v></c></row>' + '<row r="32"></row>')
    for size in (64, 200, 5000):
        assert quickly(part, size) == carefully(part)


def test_a_prefix_that_rows_declare_for_themselves_is_not_taken_to_go_on() -> None:
    declaring = plain_rows(30).replace("<row ", f'<row xmlns="{MAIN}" ')
    part = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData>{declaring}<!-- </x:row> -->'
        '<row r="31"><c r="A31"><v>1</v></c></row></x:sheetData></x:worksheet>'
    ).encode()
    for size in (64, 200, 5000):
        assert quickly(part, size) == carefully(part)


def test_a_name_of_a_megabyte_is_no_part_of_the_grammar() -> None:
    part = sheet(plain_rows(30).replace("<row ", f'<row {"a" * 1_000_000}="1" ', 1))
    assert quickly(part, len(part)) == carefully(part)


def test_a_boolean_with_an_escaped_newline_is_read_alike() -> None:
    part = sheet(plain_rows(30, '<c r="A{0}" t="b"><v>1&#10;</v></c>'))
    assert quickly(part, 5000) == carefully(part)


def test_rows_in_a_wide_encoding_are_no_rows_to_the_quick_way() -> None:
    part = sheet("").decode().partition("</sheetData>")[0].replace("UTF-8", "UTF-16").encode("utf-16")
    part += plain_rows(20).encode() + "</sheetData></worksheet>".encode("utf-16-le")
    assert quickly(part, len(part) - 600) == carefully(part)


# --- shared strings ---


def texts_of(strings: SharedStrings) -> list[str]:
    return [strings[number] for number in range(len(strings))]


STRING = st.sampled_from(
    [
        "<si><t>{}</t></si>",
        '<si><t xml:space="preserve">{}</t></si>',
        "<si/>",
        "<si><t/></si>",
        "<si></si>",
        "<si ><t>{}</t></si>",
        "<si><r><rPr><b/></rPr><t>{}</t></r><r><t>b</t></r></si>",
        '<si><t>{}</t><phoneticPr fontId="1"/></si>',
        "<si><t>{}</t><rPh sb='0' eb='1'><t>c</t></rPh></si>",
        "<!-- </si> --><si><t>{}</t></si>\n",
        "<si><si/><t>{}</t></si>",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(STRING, ODD_TEXT), max_size=20), st.integers(0, 2**32), st.integers(0, 1), SIZES)
def test_shared_strings_are_read_alike(strings: list[tuple[str, str]], seed: int, damage: int, size: int) -> None:
    part = f'<sst xmlns="{MAIN}">{"".join(form.format(text) for form, text in strings)}</sst>'.encode()
    part = mutated(part, seed) if damage else part
    careful = StringsReader("a.xlsx")
    try:
        careful.careful(part)
        expected: Any = texts_of(careful.close())
    except InputError as error:
        expected = refusal(error)
    try:
        found: Any = texts_of(read_strings(pieces(part, size), "a.xlsx"))
    except InputError as error:
        found = refusal(error)
    assert found == expected


def test_a_long_part_of_strings_is_read_quickly() -> None:
    part = f'<sst xmlns="{MAIN}">'.encode() + b"<si><t>B00X</t></si><si/>" * 5000 + b"</sst>"
    reader = StringsReader("a.xlsx")
    quick = sum(taken is True for taken in in_stretches(pieces(part, 4096), reader))
    assert quick > 25
    assert len(reader.close()) == 10_000
