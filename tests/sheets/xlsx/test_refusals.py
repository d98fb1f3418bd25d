"""What can't be done without damage is refused, by name and with a way out."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from enricher.errors import InputError, OutputError
from enricher.sheets.xlsx import worksheets

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
ROWS = '<row r="1"><c r="A1" t="str"><v>EAN</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>'
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def repacked(path: Path, target: Path, changes: Mapping[str, bytes | None]) -> Path:
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in dict.fromkeys([*old.namelist(), *changes]):
            data = changes[name] if name in changes else old.read(name)
            if data is not None:
                new.writestr(name, data)
    return target


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (OLE + b"\0" * 600, "old .xls workbook"),
        (b"EAN,Stock\n4006381333931,1\n", "no Excel workbook"),
        (b"", "no Excel workbook"),
        (b"PK\x03\x04" + b"\0" * 100, "cut short or damaged"),
    ],
)
def test_a_file_that_is_no_workbook_is_named_for_what_it_is(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "range.xlsx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"range\.xlsx: .*{message}"):
        worksheets(path)


def test_a_workbook_cut_short_is_refused(handmade: Any) -> None:
    path = handmade(ROWS)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(InputError, match="cut short or damaged"):
        worksheets(path)


def test_a_part_encrypted_in_the_zip_is_not_copied_as_if_it_were_not(handmade: Any) -> None:
    path = handmade(ROWS, extra={"xl/media/image1.png": b"png"})
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02", 0, data.rindex(b"xl/media/image1.png"))
    data[entry + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="encrypted as a zip"):
        worksheets(path)


def test_a_flipped_bit_is_noticed(handmade: Any) -> None:
    path = handmade(ROWS)
    with zipfile.ZipFile(path) as file:
        member = file.getinfo("xl/worksheets/sheet1.xml")
    data = bytearray(path.read_bytes())
    data[member.header_offset + 30 + len(member.filename) + member.compress_size // 2] ^= 0x10
    path.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        list(worksheets(path)[0].grids())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"xl/workbook.xml": None}, "lacks its part xl/workbook.xml"),
        ({"_rels/.rels": None}, "no Excel workbook"),
        ({"xl/workbook.xml": b"<document/>"}, "no Excel workbook"),
        ({"xl/workbook.xml": b"<workbook><oops></workbook>"}, "damaged"),
        ({"xl/workbook.xml": f'<workbook xmlns="{MAIN}"><sheets/></workbook>'.encode()}, "no worksheet"),
        ({"xl/workbook.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><workbook/>'}, "declares a DTD"),
    ],
)
def test_a_package_without_a_sound_workbook_is_refused(
    handmade: Any, tmp_path: Path, changes: dict[str, bytes | None], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        worksheets(repacked(handmade(ROWS), tmp_path / "x.xlsx", changes))


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        (b'<!DOCTYPE a><worksheet xmlns="%b"><sheetData/></worksheet>' % MAIN.encode(), "declares a DTD"),
        (b"<html/>", "holds no worksheet"),
        (b"<worksheet><row>", "damaged"),
    ],
)
def test_a_sheet_that_is_none_is_refused(handmade: Any, sheet: bytes, message: str) -> None:
    with pytest.raises(InputError, match=rf"made\.xlsx, sheet 'Data': .*{message}"):
        worksheets(handmade(sheet))[0].preview(1)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ('<row r="2"/><row r="2"/>', "row 2 stands after row 2"),
        ('<row r="1048577"/>', "row 1048577"),
        ('<row><c r="XFE1"><v>1</v></c></row>', "'XFE1'"),
        ('<row><c t="s"><v>3</v></c></row>', "text number 3"),
    ],
)
def test_places_that_are_on_no_sheet_are_refused(handmade: Any, rows: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        worksheets(handmade(rows))[0].preview(1)


def test_a_sheet_that_is_missing_is_named(handmade: Any, tmp_path: Path) -> None:
    path = repacked(handmade(ROWS), tmp_path / "x.xlsx", {"xl/worksheets/sheet1.xml": None})
    with pytest.raises(InputError, match=r"lacks its part xl/worksheets/sheet1\.xml"):
        worksheets(path)[0].preview(1)


def test_merged_cells_in_the_way_are_refused_and_a_merged_title_is_not(handmade: Any, enrich: Any) -> None:
    merged = '<mergeCells><mergeCell ref="{}"/></mergeCells>'
    with pytest.raises(InputError, match="merged cells A2:C2 reach into the columns B to C"):
        enrich(handmade(ROWS, around=("", merged.format("A2:C2"))))
    assert enrich(handmade(ROWS, around=("", merged.format("A5:F5")))).data_rows == 1


def test_columns_past_the_last_one_are_refused(handmade: Any, enrich: Any) -> None:
    with pytest.raises(InputError, match="past XFD"):
        enrich(handmade(ROWS.replace("A2", "XFC2"), around=("", "")), columns={"a": ["x"], "b": ["x"]})


def test_a_signed_workbook_is_not_written(handmade: Any, enrich: Any) -> None:
    with pytest.raises(InputError, match=r"digital signature, which any change would break.*--new-workbook"):
        enrich(handmade(ROWS, extra={"_xmlsignatures/sig1.xml": b"<x/>"}))


def test_a_shared_workbook_with_its_history_is_not_written(handmade: Any, enrich: Any, tmp_path: Path) -> None:
    path = handmade(ROWS)
    with zipfile.ZipFile(path) as file:
        rels = file.read("xl/_rels/workbook.xml.rels")
    link = f'<Relationship Id="rId9" Type="{RELATIONS}/revisionHeaders" Target="revisions/h.xml"/></Relationships>'
    changes = {
        "xl/_rels/workbook.xml.rels": rels.replace(b"</Relationships>", link.encode()),
        "xl/revisions/h.xml": b"<headers/>",
    }
    with pytest.raises(InputError, match=r"is shared and keeps a history.*Unshare Workbook.*--new-workbook"):
        enrich(repacked(path, tmp_path / "shared.xlsx", changes))


def test_macros_and_their_signature_are_copied_byte_for_byte(handmade: Any, enrich: Any, tmp_path: Path) -> None:
    path = handmade(ROWS)
    with zipfile.ZipFile(path) as file:
        rels = file.read("xl/_rels/workbook.xml.rels")
    office = "http://schemas.microsoft.com/office/2006/relationships"
    link = f'<Relationship Id="rId9" Type="{office}/vbaProject" Target="vbaProject.bin"/></Relationships>'
    signature = f'<Relationship Id="rId1" Type="{office}/vbaProjectSignature" Target="vbaProjectSignature.bin"/>'
    macros = {
        "xl/_rels/workbook.xml.rels": rels.replace(b"</Relationships>", link.encode()),
        "xl/vbaProject.bin": OLE + bytes(range(256)) * 9,
        "xl/_rels/vbaProject.bin.rels": f'<Relationships xmlns="x">{signature}</Relationships>'.encode(),
        "xl/vbaProjectSignature.bin": bytes(range(255, 0, -1)) * 5,
    }
    made = repacked(path, tmp_path / "macros.xlsm", macros)
    result = enrich(made)
    assert result.notes == []
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(result.path) as new:
        assert [name for name in old.namelist() if old.read(name) != new.read(name)] == ["xl/worksheets/sheet1.xml"]


@pytest.mark.parametrize(
    ("rows", "around"),
    [
        (ROWS, '<mergeCells><mergeCell ref="A2:C2"/></mergeCells>'),
        (ROWS.replace("A2", "XFD2"), ""),
    ],
)
def test_every_refusal_to_write_names_the_way_out(handmade: Any, rows: str, around: str) -> None:
    [sheet] = worksheets(handmade(rows, around=("", around)))
    with pytest.raises(
        InputError,
        match=r", or (?:write a new workbook without .*: --new-workbook|save the sheet as CSV and use that)\.$",
    ):
        sheet.check(1, pa.schema([("t", pa.string())]))


def test_a_header_row_that_is_not_in_the_sheet_is_refused(handmade: Any, enrich: Any) -> None:
    with pytest.raises(InputError, match=r"row 3 .*header"):
        enrich(handmade(ROWS), header_row=3)


def test_what_does_not_read_back_is_refused(handmade: Any, enrich: Any, monkeypatch: Any) -> None:
    path = handmade(ROWS)
    monkeypatch.setattr("enricher.sheets.xlsx.write.verify.shown", lambda _: "something else")
    with pytest.raises(OutputError, match="reads back differently"):
        enrich(path)
