"""Files made to exhaust whoever opens them end in one clear line, within seconds and 500 MB."""

from __future__ import annotations

import struct
import zipfile
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pytest

from enricher.errors import InputError
from enricher.sheets.xlsx import worksheets
from enricher.sheets.xlsx.opc.limits import Limits
from tests.conftest import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.program import Ended, Program

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEAD = f'<worksheet xmlns="{MAIN}"><sheetData>'.encode()
TAIL = b"</sheetData></worksheet>"
ROWS = '<row r="1"><c r="A1" t="str"><v>EAN</v></c></row><row r="2"><c r="A2"><v>4006381333931</v></c></row>'
SHEET, STRINGS, STYLES = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"
BOOK = "xl/workbook.xml"
MOST_MB, MOST_CPU_S = 500, 20


class Inspect(Protocol):
    def __call__(self, path: Path) -> Ended: ...


@pytest.fixture
def inspected(program: Program) -> Inspect:
    """Run `enricher inspect` on a file in a process of its own, and measure that."""
    return lambda path: program.run(["inspect", str(path)], path.parent, environment("sandbox"))


def streamed(path: Path, target: Path, name: str, pieces: Iterator[bytes]) -> Path:
    """Copy a workbook with one part made of pieces, which need never be in memory together."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for one in old.namelist():
            with new.open(one, "w", force_zip64=True) as part:
                for piece in pieces if one == name else [old.read(one)]:
                    part.write(piece)
    return target


def repeated(head: bytes, piece: bytes, size_bytes: int, tail: bytes) -> Iterator[bytes]:
    yield head
    block = piece * ((1 << 20) // len(piece) + 1)
    for _ in range(size_bytes // len(block)):
        yield block
    yield tail


def cell_of(attributes: bytes = b"") -> bytes:
    return b'<row r="1"><c r="A1" t="inlineStr"%b><is><t>' % attributes


def text_sheet(size_mb: int) -> Iterator[bytes]:
    return repeated(HEAD + cell_of(), b"0123456789", size_mb << 20, b"</t></is></c></row>" + TAIL)


BOMBS: dict[str, tuple[str, Callable[[], Iterator[bytes]], str]] = {
    "spaces between rows": (SHEET, lambda: repeated(HEAD, b" " * 9, 300 << 20, TAIL), "--max-unpacked-gb 1"),
    "one text of 60 MB": (SHEET, lambda: text_sheet(60), "a single tag or text of more than 16 MB"),
    "one text of 200 MB": (SHEET, lambda: text_sheet(200), "a single tag or text"),
    "a shared text of 300 million characters": (
        STRINGS,
        lambda: repeated(f'<sst xmlns="{MAIN}"><si><t>'.encode(), b"x" * 9, 300 << 20, b"</t></si></sst>"),
        "--max-unpacked-gb",
    ),
    "a shared text of 20 MB": (
        STRINGS,
        lambda: repeated(f'<sst xmlns="{MAIN}"><si><t>'.encode(), b"x" * 9, 20 << 20, b"</t></si></sst>"),
        "a single tag or text of more than 16 MB",
    ),
    "an attribute of 20 MB": (
        SHEET,
        lambda: repeated(HEAD + b'<row r="1"><c r="', b"A" * 9, 20 << 20, b'"/></row>' + TAIL),
        "a single tag or text of more than 16 MB",
    ),
    "a comment of 20 MB": (
        SHEET,
        lambda: repeated(HEAD + b"<!--", b"<row/> <c>", 20 << 20, b"-->" + TAIL),
        "a single tag or text of more than 16 MB",
    ),
    "CDATA of 20 MB": (
        SHEET,
        lambda: repeated(HEAD + cell_of() + b"<![CDATA[", b"<t></t>", 20 << 20, b"]]></t></is></c></row>" + TAIL),
        "a single tag or text of more than 16 MB",
    ),
    "a processing instruction of 20 MB": (
        SHEET,
        lambda: repeated(HEAD + b"<?x ", b"<a></a>", 20 << 20, b"?>" + TAIL),
        "a single tag or text of more than 16 MB",
    ),
    "millions of tags in each other": (
        SHEET,
        lambda: repeated(HEAD + b'<row r="1">', b"<v>", 8 << 20, TAIL),
        "100,000 deep",
    ),
    "tags in each other that look self-closed": (
        SHEET,
        lambda: repeated(HEAD + b'<row r="1">', b'<v x="/>">/>', 8 << 20, TAIL),
        "100,000 deep",
    ),
    "tags in each other among the shared texts": (
        STRINGS,
        lambda: repeated(f'<sst xmlns="{MAIN}">'.encode(), b"<si><t>/></t>", 8 << 20, b"</sst>"),
        "100,000 deep",
    ),
    "more than a million rows": (SHEET, lambda: repeated(HEAD, b"<row/>", 8 << 20, TAIL), "row 1048577"),
    "a million styles": (
        STYLES,
        lambda: repeated(
            f'<styleSheet xmlns="{MAIN}"><cellXfs>'.encode(), b"<xf/>", 5 << 20, b"</cellXfs></styleSheet>"
        ),
        "500,000 styles",
    ),
    "styles of 90 MB": (
        STYLES,
        lambda: repeated(
            f'<styleSheet xmlns="{MAIN}"><cellXfs>'.encode(), b"<xf/>", 90 << 20, b"</cellXfs></styleSheet>"
        ),
        "64 are plenty",
    ),
    "half a million sheets": (
        BOOK,
        lambda: repeated(f'<workbook xmlns="{MAIN}"><sheets>'.encode(), b"<sheet/>", 4 << 20, b"</sheets></workbook>"),
        "250,000 entries",
    ),
    "cells past the last column": (
        SHEET,
        lambda: repeated(HEAD + b'<row r="1">', b"<c><v>1</v></c>", 4 << 20, b"</row>" + TAIL),
        "'XFE1', which is no place on a sheet",
    ),
    "one row of 20 MB": (
        SHEET,
        lambda: repeated(
            HEAD + b'<row r="1"><c r="A1" t="str">', b"<v>&amp;%b</v>" % (b"x" * 99), 20 << 20, b"</c></row>" + TAIL
        ),
        "row 1 is larger than 16 MB",
    ),
    "more than a million merged cells": (
        SHEET,
        lambda: repeated(
            HEAD + b"</sheetData><mergeCells>", b'<mergeCell ref="A1:B2"/>', 26 << 20, b"</mergeCells></worksheet>"
        ),
        "more than 1,000,000 merged cells",
    ),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_defused(handmade: Any, inspected: Inspect, tmp_path: Path, bomb: str) -> None:
    name, pieces, message = BOMBS[bomb]
    path = streamed(handmade(ROWS, strings=["x"]), tmp_path / "bomb.xlsx", name, pieces())
    outcome = inspected(path)
    assert outcome.code == 65, outcome.err
    assert message in " ".join(outcome.err.split())
    assert "Traceback" not in outcome.err
    assert outcome.peak_mb < MOST_MB
    assert outcome.cpu_s < MOST_CPU_S


def test_newlines_between_tags_take_no_memory_each(handmade: Any, inspected: Inspect, tmp_path: Path) -> None:
    pieces = repeated(HEAD + ROWS.encode(), b"\n" * ((1 << 20) - 4) + b"<x/>", 60 << 20, TAIL)
    outcome = inspected(streamed(handmade(ROWS), tmp_path / "newlines.xlsx", SHEET, pieces))
    assert outcome.code == 0, outcome.err
    assert outcome.peak_mb < MOST_MB


@pytest.mark.parametrize("before_cell", ["", "<!-- read by the parser -->"])
def test_a_long_text_that_many_cells_point_to_is_never_held_for_all_of_them(handmade: Any, before_cell: str) -> None:
    rows = "".join(f'<row r="{row}">{before_cell}<c t="s"><v>0</v></c></row>' for row in range(1, 1001))
    [sheet] = worksheets(handmade(rows, strings=["x" * 250_000]))
    batches = [(len(batch.empty), batch.columns[0].text.nbytes) for batch in sheet.batches(0, [0])]
    assert sum(count for count, _ in batches) == 1000
    grids = [grid.columns[0].text.nbytes for grid in sheet.grids()]
    preview = sheet.preview(1000).columns[0].text.nbytes
    assert max(preview, *grids, *(size for _, size in batches)) < 64 << 20


@pytest.mark.parametrize(
    ("rows", "length", "message"),
    [
        ('<row r="3">' + '<c t="s"><v>0</v></c>' * 16_000 + "</row>", 250_000, "show more than 128 MB of text"),
        ("", 300_000, "a text of more than 256 KB"),
    ],
)
def test_a_text_that_no_memory_would_hold_is_refused(handmade: Any, rows: str, length: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        worksheets(handmade(ROWS + rows, strings=["x" * length]))[0].preview(5)


def test_a_zip_of_half_a_million_parts_is_not_even_listed(tmp_path: Path) -> None:
    path = tmp_path / "many.xlsx"
    entry = struct.Struct("<4s42x")
    directory = b"".join(entry.pack(b"PK\x01\x02")[:28] + b"\x08\0" + b"\0" * 16 + b"%08d" % n for n in range(500_000))
    end = struct.pack("<4s4HLLH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(directory), 4, 0)
    path.write_bytes(b"PK\x03\x04" + directory + end)
    with pytest.raises(InputError, match="hundreds of thousands of parts"):
        worksheets(path)


def test_parts_that_share_bytes_are_refused(handmade: Any) -> None:
    path = handmade(ROWS)
    with zipfile.ZipFile(path) as file:
        sheet, styles = file.getinfo(SHEET), file.getinfo(STYLES)
    data = path.read_bytes()
    place = data.rfind(b"PK\x01\x02", 0, data.rfind(STYLES.encode()))
    path.write_bytes(data[: place + 42] + struct.pack("<L", sheet.header_offset) + data[place + 46 :])
    assert styles.header_offset != sheet.header_offset
    with pytest.raises(InputError, match="overlaps what stands before it"):
        worksheets(path)


def test_a_part_that_is_there_twice_is_refused(handmade: Any) -> None:
    path = handmade(ROWS)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(SHEET.upper(), b"")
    with pytest.raises(InputError, match=r"holds xl/worksheets/sheet1\.xml twice|SHEET1\.XML twice"):
        worksheets(path)


@pytest.mark.parametrize("size_bytes", [0, 10, 1 << 31])
def test_a_directory_that_lies_about_sizes_is_caught(handmade: Any, size_bytes: int) -> None:
    path = handmade(ROWS)
    data = path.read_bytes()
    place = data.rfind(b"PK\x01\x02", 0, data.rfind(SHEET.encode()))
    path.write_bytes(data[: place + 24] + struct.pack("<L", size_bytes) + data[place + 28 :])
    with pytest.raises(InputError, match=r"damaged|--max-unpacked-gb"):
        list(worksheets(path)[0].batches(1, [0]))


def test_names_that_lead_out_of_the_folder_are_only_names(handmade: Any, enrich: Any, tmp_path: Path) -> None:
    path = handmade(ROWS, extra={"../../outside.xml": b"<a/>", "/absolute.xml": b"<a/>", "C:\\disk.xml": b"<a/>"})
    result = enrich(path)
    with zipfile.ZipFile(result.path) as file:
        assert file.read("../../outside.xml") == b"<a/>"
    assert not (tmp_path.parent.parent / "outside.xml").exists()


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(total_bytes=1000), r"the workbook would unpack to \d KB, which"),
        (Limits(part_bytes=100), r"would unpack to"),
        (Limits(held_bytes=60), "sharedStrings.xml would unpack to"),
        (Limits(ratio=1, ratio_from_bytes=50), "would unpack to"),
    ],
)
def test_every_limit_names_the_flag_that_lifts_it(handmade: Any, limits: Limits, message: str) -> None:
    path = handmade(ROWS, strings=["x"])
    with pytest.raises(InputError, match=message) as caught:
        list(worksheets(path, limits)[0].batches(1, [0]))
    assert "If you trust the file, allow it with --max-unpacked-gb 1, or save the sheet as CSV" in str(caught.value)


def test_the_flag_lifts_all_of_them(handmade: Any, tmp_path: Path) -> None:
    blanks = repeated(HEAD + ROWS.encode(), b"<x/>", 120 << 20, TAIL)
    path = streamed(handmade(ROWS), tmp_path / "blanks.xlsx", SHEET, blanks)
    with pytest.raises(InputError, match="--max-unpacked-gb 1"):
        worksheets(path)[0].preview(1)
    assert worksheets(path, Limits.up_to(1))[0].preview(1).row_numbers == (1,)
    with pytest.raises(InputError, match="--max-unpacked-gb 1"):
        worksheets(path, Limits.up_to(0.01))


LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>',
    '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
    '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]>',
)


@pytest.mark.parametrize("laugh", LAUGHS)
@pytest.mark.parametrize("name", [BOOK, SHEET, STRINGS, STYLES, "_rels/.rels", "xl/_rels/workbook.xml.rels"])
def test_a_dtd_is_refused_in_every_part_that_is_read(handmade: Any, tmp_path: Path, name: str, laugh: str) -> None:
    path = handmade(ROWS, strings=["x"])
    with zipfile.ZipFile(path) as file:
        data = file.read(name)
    start = data.index(b"?>") + 2 if data.startswith(b"<?xml") else 0
    pieces = iter([data[:start] + laugh.encode() + data[start:]])
    with pytest.raises(InputError, match="declares a DTD"):
        [list(sheet.grids()) for sheet in worksheets(streamed(path, tmp_path / "dtd.xlsx", name, pieces))]


def test_a_stray_cell_in_the_last_corner_is_read_and_leaves_no_room_for_columns(
    handmade: Any, inspected: Inspect
) -> None:
    path = handmade(f'{ROWS}<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    outcome = inspected(path)
    assert outcome.code == 0, outcome.err
    assert outcome.peak_mb < MOST_MB
    assert outcome.cpu_s < MOST_CPU_S
    [sheet] = worksheets(path)
    with pytest.raises(InputError, match=r"would go past XFD.*, or save the sheet as CSV"):
        sheet.check(1, pa.schema([("t", pa.string())]))


def test_a_count_of_shared_texts_that_lies_changes_nothing(handmade: Any, tmp_path: Path, shown: Any) -> None:
    path = handmade('<row><c t="s"><v>1</v></c></row>')
    sst = f'<sst xmlns="{MAIN}" count="4294967295" uniqueCount="99999999"><si><t>a</t></si><si><t>b</t></si></sst>'
    made = streamed(path, tmp_path / "count.xlsx", STRINGS, iter([sst.encode()]))
    assert shown(worksheets(made)[0]) == [(1, ["b"])]


def test_a_workbook_cut_anywhere_is_refused(handmade: Any) -> None:
    path = handmade(ROWS, strings=["x"])
    whole = path.read_bytes()
    for size in range(0, len(whole), 5):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"made\.xlsx"):
            list(worksheets(path)[0].grids())


def test_a_byte_changed_anywhere_is_refused_or_does_no_harm(handmade: Any, shown: Any) -> None:
    path = handmade(ROWS, strings=["x"])
    whole = path.read_bytes()
    expected = shown(worksheets(path)[0])
    outcomes = set()
    for place in range(0, len(whole), 3):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            outcomes.add(shown(worksheets(path)[0]) == expected)
        except InputError:
            outcomes.add(None)
    assert outcomes == {True, None}, "what is read is checked, so it is what was written or nothing"
