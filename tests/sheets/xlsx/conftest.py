"""Workbooks to test with: made by hand, part by part, and the shortest way from a workbook to an enriched one."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pytest

from enricher.cells import Additions
from enricher.sheets.xlsx import worksheets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from enricher.sheets.source import Source

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"


class Enriched(NamedTuple):
    """What came of a workbook: the file, the notes, and how many data rows were read."""

    path: Path
    notes: list[str]
    data_rows: int
    ticks: int


class Handmade(Protocol):
    def __call__(  # noqa: PLR0913 - a workbook has many parts
        self,
        rows: str | bytes,
        *,
        around: tuple[str, str] = ("", ""),
        strings: Sequence[str] = (),
        formats: Sequence[str] = (),
        extra: Mapping[str, bytes] | None = None,
        workbook: str = "",
    ) -> Path: ...


class Enrich(Protocol):
    def __call__(
        self, path: Path, header_row: int = 1, columns: Mapping[str, Sequence[Any]] | None = None, sheet: str = ""
    ) -> Enriched: ...


class Shown(Protocol):
    def __call__(self, source: Source) -> list[tuple[int, list[str]]]: ...


def additions(columns: Mapping[str, Sequence[Any]], index: Sequence[int]) -> Additions:
    return Additions(pa.table(dict(columns)), np.array(index, np.int32))


@pytest.fixture
def enrich(tmp_path: Path) -> Enrich:
    """Add columns to a worksheet; the answers go round the data rows."""

    def run(
        path: Path, header_row: int = 1, columns: Mapping[str, Sequence[Any]] | None = None, sheet: str = ""
    ) -> Enriched:
        answers = columns or {"amazon_title": ["Sony & <co>", None], "amazon_bsr": [7, 8]}
        source: Source = next(one for one in worksheets(path) if sheet in ("", one.sheet))
        count = sum(len(batch.empty) for batch in source.batches(header_row, [0]))
        pieces = len(next(iter(answers.values())))
        target = tmp_path / f"enriched-{path.name}"
        ticks: list[int] = []
        index = [row % pieces for row in range(count)]
        notes = source.write(target, header_row, additions(answers, index), ticks.append)
        return Enriched(target, notes, count, sum(ticks))

    return run


@pytest.fixture
def shown() -> Shown:
    """Read a worksheet's rows as a person sees them, without blanks at their ends."""

    def read(source: Source) -> list[tuple[int, list[str]]]:
        rows = []
        for grid in source.grids():
            texts = [column.text.to_pylist() for column in grid.columns]
            for at, number in enumerate(grid.numbers.tolist()):
                row = [column[at] or "" for column in texts]
                while row and not row[-1]:
                    row.pop()
                rows.append((number, row))
        return rows

    return read


@pytest.fixture
def handmade(tmp_path: Path) -> Handmade:
    """Make a workbook with one sheet, `Data`, from the content of its sheetData (bytes: the whole part)."""

    def make(  # noqa: PLR0913 - a workbook has many parts
        rows: str | bytes,
        *,
        around: tuple[str, str] = ("", ""),
        strings: Sequence[str] = (),
        formats: Sequence[str] = (),
        extra: Mapping[str, bytes] | None = None,
        workbook: str = "",
    ) -> Path:
        before, after = around
        sheet = (
            rows
            if isinstance(rows, bytes)
            else f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{MAIN}" xmlns:r="{RELATIONS}">'
            f"{before}<sheetData>{rows}</sheetData>{after}</worksheet>".encode()
        )
        number_formats = "".join(
            f'<numFmt numFmtId="{200 + place}" formatCode="{code}"/>' for place, code in enumerate(formats)
        )
        styles = "".join(f'<xf numFmtId="{200 + place}"/>' for place in range(len(formats)))
        shared = "".join(f"<si>{text if text.startswith('<') else f'<t>{text}</t>'}</si>" for text in strings)
        parts: dict[str, bytes | str] = {
            "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{TYPES}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{TYPES}.worksheet+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{TYPES}.styles+xml"/>'
            f'<Override PartName="/xl/sharedStrings.xml" ContentType="{TYPES}.sharedStrings+xml"/>'
            f'<Override PartName="/xl/tables/table1.xml" ContentType="{TYPES}.table+xml"/></Types>',
            "_rels/.rels": _relationships(("rId1", "officeDocument", "xl/workbook.xml")),
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>'
            f'<sheet name="Data" sheetId="1" r:id="rId1"/></sheets>{workbook}</workbook>',
            "xl/_rels/workbook.xml.rels": _relationships(
                ("rId1", "worksheet", "worksheets/sheet1.xml"),
                ("rId2", "styles", "/xl/styles.xml"),
                ("rId3", "sharedStrings", "sharedStrings.xml"),
            ),
            "xl/worksheets/sheet1.xml": sheet,
            "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts>{number_formats}</numFmts><fonts><font/></fonts>'
            "<fills><fill><patternFill/></fill></fills><borders><border/></borders><cellStyleXfs><xf/></cellStyleXfs>"
            f'<cellXfs><xf numFmtId="0"/>{styles}</cellXfs>'
            '<cellStyles><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
            "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{shared}</sst>',
            **(extra or {}),
        }
        path = tmp_path / "made.xlsx"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, data in parts.items():
                file.writestr(zipfile.ZipInfo(name, (2024, 5, 6, 7, 8, 10)), data, zipfile.ZIP_DEFLATED)
        return path

    return make


def _relationships(*links: tuple[str, str, str]) -> str:
    lines = "".join(f'<Relationship Id="{one}" Type="{RELATIONS}/{kind}" Target="{to}"/>' for one, kind, to in links)
    return f'<Relationships xmlns="{PACKAGE}/relationships">{lines}</Relationships>'
