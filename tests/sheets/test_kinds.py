"""Files are what they hold, whatever they are called."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from enricher.errors import InputError, OutputError
from enricher.sheets import Form, check_form, default_output, misnamed
from enricher.sheets.kinds import Kind, kind_of

if TYPE_CHECKING:
    from pathlib import Path

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
STARTS = {
    b"EAN,Title\n1,2\n": Kind.TEXT,
    b"\xff\xfeE\0A\0N\0": Kind.TEXT,
    b"<no markup>\tEAN\n": Kind.TEXT,
    b'{"ean": "4006381333931"}\n': Kind.JSON_LINES,
    b'\xef\xbb\xbf\n{"ean": 1}\n{"ean": 2}': Kind.JSON_LINES,
    b'{"ean": "' + b"x" * 70_000: Kind.JSON_LINES,
    b"{weird},header\n": Kind.TEXT,
    b"PAR1....": Kind.PARQUET,
    OLE + b"\0" * 600: Kind.XLS,
    OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"): Kind.WORKBOOK,
    b"<html><body><table><tr><td>EAN": Kind.HTML,
    b"\n\n<!-- x --> <!DOCTYPE html>\n<table>": Kind.HTML,
    "\ufeff<table><tr>".encode("utf-16-le"): Kind.HTML,
    b'<?xml version="1.0"?><html xmlns="x">': Kind.HTML,
    b'<html xmlns:x="urn:schemas-microsoft-com:office:spreadsheet">': Kind.HTML,
    b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">': Kind.XML_2003,
    b"": Kind.TEXT,
    b"<!-- x -->" * 2_000 + b"<p>": Kind.TEXT,
}


@pytest.mark.parametrize(("start", "kind"), STARTS.items())
def test_the_first_bytes_tell_the_kind(tmp_path: Path, start: bytes, kind: Kind) -> None:
    path = tmp_path / "file.dat"
    path.write_bytes(start)
    assert kind_of(path) is kind


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        (["xl/workbook.xml"], Kind.WORKBOOK),
        (["xl/workbook.bin"], Kind.XLSB),
        (["mimetype", "content.xml"], Kind.ODS),
        (["word/document.xml"], Kind.WORKBOOK),
    ],
)
def test_zips_are_told_apart_by_their_parts(tmp_path: Path, members: list[str], kind: Kind) -> None:
    with zipfile.ZipFile(tmp_path / "a.xls", "w") as made:
        for name in members:
            made.writestr(name, "")
    assert kind_of(tmp_path / "a.xls") is kind


def test_a_folder_and_a_missing_file_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no file"):
        kind_of(tmp_path)
    with pytest.raises(InputError, match="No such file"):
        kind_of(tmp_path / "no.csv")


@pytest.mark.parametrize(
    ("name", "start", "output"),
    [
        ("a.csv", b"EAN\n", "a.enriched.csv"),
        ("a.TXT", b"EAN\n", "a.enriched.TXT"),
        ("a.dat", b"EAN\n", "a.enriched.dat"),
        ("a", b"EAN\n", "a.enriched.csv"),
        ("a.xls", b"EAN\n", "a.enriched.csv"),
        ("a.xlsx", b"EAN\n", "a.enriched.csv"),
        ("a.xls", OLE, "a.enriched.xlsx"),
        ("a.xls", b"<table>", "a.enriched.xlsx"),
        ("a.html", b"<table>", "a.enriched.xlsx"),
        ("a.xls", b"PK", "a.enriched.xlsx"),
        ("a.xlsm", b"PK", "a.enriched.xlsm"),
        ("a.csv", b"PK", "a.enriched.xlsx"),
        ("a.parquet", b"PAR1", "a.enriched.parquet"),
        ("a.ndjson", b'{"a":1}', "a.enriched.ndjson"),
        ("a.txt", b'{"a":1}', "a.enriched.jsonl"),
    ],
)
def test_the_output_is_named_after_the_input_and_for_what_it_is(
    tmp_path: Path, name: str, start: bytes, output: str
) -> None:
    path = tmp_path / name
    path.write_bytes(start)
    assert default_output(path).name == output
    check_form(path, Form(default_output(path).suffix), output)
    assert default_output(path, new_workbook=True).name == "a.enriched.xlsx"


def test_a_wrong_name_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.xls").write_bytes(b"<table>")
    assert misnamed(tmp_path / "a.xls") == "a.xls is a web page, not what its name says"
    (tmp_path / "a.csv").write_bytes(b"EAN\n")
    assert not misnamed(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "start", "output", "new_workbook"),
    [
        ("a.csv", b"EAN\n", "b.pdf", False),
        ("a.csv", b"EAN\n", "b.xls", False),
        ("a.csv", b"EAN\n", "b.xlsm", False),
        ("a.xlsx", b"PK", "b.xlsm", False),
        ("a.xlsm", b"PK", "b.xlsx", False),
        ("a.xlsm", b"PK", "b.xlsm", True),
        ("a.xls", OLE, "b.xls", False),
        ("a.dat", b"PK", "b.dat", False),
        ("a.pq", b"PAR1", "b.pq", False),
        ("a.json", b"EAN\n", "b.json", False),
    ],
)
def test_outputs_that_can_not_be_are_refused(
    tmp_path: Path, name: str, start: bytes, output: str, *, new_workbook: bool
) -> None:
    path = tmp_path / name
    path.write_bytes(start)
    with pytest.raises(OutputError, match=output):
        check_form(path, Form(tmp_path.joinpath(output).suffix, new_workbook), output)
