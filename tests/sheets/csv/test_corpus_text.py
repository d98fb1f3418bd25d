"""Real text files, where they are at hand: read as listed, and no byte of them lost."""

from __future__ import annotations

import csv
from functools import cache
from typing import TYPE_CHECKING

import pytest

from enricher.sheets.csv.dialect import detect

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    # Named latin-1 in the list, but for 3 of 2,078 characters it is UTF-8 (of characters that were lost before).
    "off_it_latin1_semicolon.csv": ("cp1252", ";", True),
    "amz_active_listings_2020.txt": ("utf-8", "\t", True),
    "amz_manage_inventory.csv": ("cp1252", ",", True),
    "asins_movies_253k.csv": ("utf-8", ",", True),
    "catalog.csv": ("utf-8", ",", True),
    "EXPECTED.tsv": ("utf-8", "\t", True),
    "goodbooks_isbn13_sci12.csv": ("utf-8", ",", True),
    "jp_asin_jan_headerless.csv": ("utf-8", ",", True),
    "keepa_bluray_cp1252_semicolon.csv": ("cp1252", ";", True),
    "keepa_de_processors.csv": ("utf-8", ",", True),
    "keepa_deals_formula_asin.csv": ("utf-8", ",", True),
    "keepa_processors_utf16le.txt": ("utf-16-le", "\t", True),
    "liquor_upc_pipe.csv": ("utf-8", "|", True),
    "shopify_export_apostrophe.csv": ("utf-8", ",", True),
    "walmart_standardupc_list.csv": ("utf-8", ",", True),
}


def _path(corpus: Path, name: str) -> Path:
    if not (corpus / name).exists():
        pytest.skip(f"{name} is not here")
    return corpus / name


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_is_read_in_its_own_dialect(corpus: Path, name: str) -> None:
    found = detect(_path(corpus, name))
    assert (found.encoding, found.delimiter, found.quoting) == FILES[name]


@pytest.mark.parametrize("name", FILES)
def test_every_byte_of_a_real_file_comes_back(corpus: Path, name: str) -> None:
    path = _path(corpus, name)
    found = detect(path)
    with path.open(encoding=found.encoding, errors=found.errors, newline="") as file:
        assert file.read().encode(found.encoding, found.errors) == path.read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_the_header_of_a_real_file_is_as_wide_as_its_rows(corpus: Path, name: str) -> None:
    path = _path(corpus, name)
    found = detect(path)
    with path.open(encoding=found.encoding, errors=found.errors, newline="") as file:
        widths = [len(fields) for fields in found.reader(file) if fields]
    assert max(set(widths), key=widths.count) == widths[0]
    assert widths.count(widths[0]) > len(widths) * 0.95


@cache
def _rows(source: Path) -> list[list[str]]:
    """The first records of a file, with a letter where some program before left none."""
    read = detect(source)
    with source.open(encoding=read.encoding, errors="replace", newline="") as file:
        rows = [fields for fields, _ in zip(read.reader(file), range(400), strict=False)]
    lost = ("\ufffd", "\ufffd".encode().decode("cp1252"))
    return [[field.replace(lost[1], "é").replace(lost[0], "é").removeprefix("\ufeff") for field in row] for row in rows]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "cp1252", "cp850"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_real_table_is_recognised_in_any_other_dialect(
    corpus: Path, tmp_path: Path, name: str, codec: str, delimiter: str
) -> None:
    target = tmp_path / "in.csv"
    with target.open("w", encoding=codec, errors="replace", newline="") as out:
        csv.writer(out, delimiter=delimiter).writerows(_rows(_path(corpus, name)))
    found = detect(target)
    assert found.delimiter == delimiter
    text = target.read_bytes().decode(codec).removeprefix("\ufeff")
    # A trade mark is one sign in one encoding and another in the next; without letters nobody can know.
    if not text.isascii() and any(char.isalpha() and not char.isascii() for char in text):
        assert target.read_bytes().decode(found.encoding).removeprefix("\ufeff") == text
