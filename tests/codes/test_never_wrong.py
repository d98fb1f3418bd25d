"""Where the truth is known, no cell is read as another code: made-up dirt, and real files that belong together."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from enricher.cells import Cells
from enricher.codes import Identified, Policy, Reader, asin, find_columns, gtin
from enricher.keys import NO_KEY, unpack
from enricher.model import CodeType, Domain
from enricher.sheets import open_sources
from tests.codes import dirt, reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from enricher.model import Key

COLUMNS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("upc",): ("UPC", ""),
    ("ean13",): ("EAN", "Barcode"),
    ("ean8",): ("EAN-8", "EAN", ""),
    ("gtin14",): ("GTIN",),
    ("isbn10",): ("ISBN", "ASIN", ""),
    ("isbn13",): ("ISBN13", "ISBN"),
    ("upc_e",): ("UPC-E", "UPC"),
    ("asin",): ("ASIN", "EAN"),
    ("upc", "ean13"): ("EAN", ""),
    ("ean8", "ean13"): ("EAN", "Barcode"),
    ("upc", "upc_e"): ("UPC", ""),
    ("isbn10", "isbn13"): ("ISBN", "Barcode"),
    ("asin", "isbn10"): ("ASIN", ""),
    ("asin", "upc", "ean13"): ("product-id", ""),
}
"""What columns hold, and what they are called."""
SIZES = ((1.0, 150), (0.3, 150), (0.05, 150))
"""The share of the cells that is damaged, and how many cells there are. With --long each of them is tried under every
header, otherwise each under one and every header with some."""

LEAST_READ = {
    "none": 0.95,
    "number cells": 0.85,
    "number cells shown with zeros": 0.9,
    "leading zeros lost, as text": 0.85,
    "leading zeros lost, and .0": 0.85,
    "scientific, 12 digits": 0.45,
    "scientific, all digits": 0.85,
    "rounded to 9 digits": 0.2,
    "rounded to 12 digits": 0.45,
    "quotes": 0.95,
    "apostrophe": 0.95,
    "formula of a text": 0.95,
    "list of one": 0.95,
    "hyphens or spaces": 0.75,
    "no-break spaces": 0.95,
    "full-width digits": 0.95,
    "label before it": 0.95,
    "words behind it": 0.55,
    "lower case": 0.95,
    "another code behind it": 0.95,
    "a mistyped one before it": 0.95,
    "padded to 14": 0.65,
    "padded to 16": 0.5,
    "Amazon's address": 0.9,
}
"""The share of damaged cells to be read, at least. In part they are declined for good reasons: eight digits that can be
two things, or an ISBN-10 under a header that says EAN. Of the damages not named here nothing is left to be read."""

LOOKALIKES = {
    "check digits lost": "an EAN without its last digit, among UPCs: one in ten is a valid UPC",
    "a digit dropped": "the same with any other digit",
    "a digit doubled": "and a UPC with one more, among EANs",
    "internal numbers of 8 digits": "one in ten has the check digit of an EAN-8, and they are among EAN-8s",
    "internal numbers of 10 digits": "one in eleven has that of an ISBN-10, among ISBN-10s",
    "internal numbers of 12 digits": "of a UPC, among UPCs",
    "internal numbers of 13 digits": "of an EAN, among EANs",
    "epoch milliseconds": "of an EAN, too",
    "dates, day first": "of an EAN-8, too",
    "rounded to 6 digits": "an EAN-8 that has lost no more than its last two digits",
    "rounded to 9 digits": "an ISBN-10 that has lost its last one",
    "rounded to 12 digits": "an EAN that has lost its last one",
    "through a float of 32 bits": "an EAN-8 that is off by less than eight",
}
"""What nobody can tell from a code, as long as at least half of the column's numbers of its length are right."""
FEW = 3
"""Or as long as fewer of them are wrong."""


def _is_a_lookalike(damage: str, dirty: dirt.Dirty, at: int) -> bool:
    """Say whether nothing in the column gives a cell away: neither the numbers of its length, nor those with zeros."""
    text = dirty.texts[at]
    if damage not in LOOKALIKES or len(text) < gtin.EAN8_DIGITS or text.endswith("000000"):
        return False
    numbers = [other for other in dirty.texts if other.isdigit()]
    if text.endswith("000"):  # one in a thousand does: another one that is wrong can't be chance, too
        return all(_is_right(other) for other in numbers if other.endswith("000"))
    alike = [other for other in numbers if len(other) == len(text)]
    wrong = len([other for other in alike if not _is_right(other)])
    return wrong < FEW or 2 * wrong <= len(alike)


def _is_right(number: str) -> bool:
    if len(number) in {asin.LENGTH - 1, asin.LENGTH}:
        return asin.is_isbn10(number.zfill(asin.LENGTH))
    return gtin.is_valid(number) or (len(number) == gtin.EAN8_DIGITS and gtin.is_upc_e(number))


@pytest.mark.parametrize("damage", [*dirt.DAMAGES, *dirt.INTRUDERS])
def test_dirt_is_never_read_as_another_code(damage: str, request: pytest.FixtureRequest) -> None:
    is_long = request.config.getoption("--long")
    damaged = right = declined = excused = 0
    wrong: list[str] = []
    for kinds, headers in COLUMNS.items():
        for turn, (share, rows) in enumerate(SIZES):
            dirty = dirt.column(kinds, damage, share, rows)
            for header in headers if is_long else [headers[turn % len(headers)]]:
                read = reading.identify((header, dirty.cells)).candidates[0]
                damaged += int(dirty.damaged.sum())
                right += int((dirty.damaged & (read != NO_KEY) & (read == dirty.truth)).sum())
                declined += int((dirty.damaged & (read == NO_KEY)).sum())
                for at in np.flatnonzero((read != NO_KEY) & (read != dirty.truth)).tolist():
                    if _is_a_lookalike(damage, dirty, at):
                        excused += 1
                    else:
                        code = unpack([int(read[at])])[0].code
                        wrong.append(f"{dirty.texts[at]} as {code} in {share:.0%} of {rows} {kinds}, called {header!r}")
    print(  # noqa: T201 - with -s
        f"\n{damage:34}{damaged:7,} cells  {right / damaged:6.1%} right  {declined / damaged:6.1%} declined"
        f"  {len(wrong)} wrong  {excused} nobody could know",
        end="",
    )
    assert wrong == []
    assert right >= LEAST_READ.get(damage, 0) * damaged


# --- real files that belong together ----------------------------------------------------------------------------


def _read(path: Path, *wanted: str) -> tuple[Identified, list[list[str]]]:
    """Read a file's first table: what its rows ask for, and all their texts."""
    source = open_sources(path)[0]
    layout = find_columns(source.preview(1000), wanted=wanted)
    reader = Reader(layout, Domain.COM, Policy())
    for batch in source.batches(layout.header_row, layout.read_columns):
        reader.add(batch.columns)
    return reader.finish(), _texts(path)


@cache
def _texts(path: Path) -> list[list[str]]:
    source = open_sources(path)[0]
    preview = source.preview(1000)
    texts: list[list[str]] = []
    for batch in source.batches(find_columns(preview).header_row, range(len(preview.columns))):
        texts += map(list, zip(*(cells.text.fill_null("").to_pylist() for cells in batch.columns), strict=True))
    return texts


def _keys(found: Identified, rank: int = 0) -> list[Key | None]:
    return [unpack([packed])[0] if packed else None for packed in found.candidates[rank].tolist()]


def _say(what: str, counts: Counter[str]) -> None:
    print(f"\n{what}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()), end="")  # noqa: T201


@pytest.mark.parametrize("wanted", [(), ("code",), ("url",)])
def test_a_code_is_that_of_the_address_beside_it(corpus: Path, wanted: tuple[str, ...]) -> None:
    found, texts = _read(corpus / "off_it_latin1_semicolon.csv", *wanted)
    counts: Counter[str] = Counter()
    for key, (_, url, *_) in zip(_keys(found), texts, strict=True):
        truth = re.search(r"/product/([0-9]+)", url)
        is_right = key is not None and truth is not None and key.code_type is not CodeType.ASIN
        is_right = is_right and int(key.code) == int(truth[1])  # type: ignore[union-attr,index]
        counts["declined" if key is None else "right" if is_right else "wrong"] += 1
    _say(f"Open Food Facts, {wanted or 'as found'}", counts)
    assert counts["wrong"] == 0
    assert counts["right"] == (40 if wanted == ("code",) else 725)  # of the 792 codes, 708 are shortened to 8,00E+12


def test_a_restored_isbn10_is_that_of_the_rounded_isbn13_beside_it(corpus: Path) -> None:
    found, texts = _read(corpus / "goodbooks_isbn13_sci12.csv")
    counts: Counter[str] = Counter()
    for key, row in zip(_keys(found), texts, strict=True):
        isbn10, isbn13 = row[5:7]
        if key is None or not isbn13:
            counts["declined, or nothing to compare with"] += 1
            continue
        assert key.code_type is CodeType.ASIN
        agrees = f"{float(asin.to_isbn13(key.code)):.11e}" == f"{float(isbn13):.11e}"
        counts[("restored" if len(isbn10) < 10 else "whole") + (", agree" if agrees else ", differ")] += 1
    _say("Goodbooks", counts)
    # Those that differ name two editions of a book, or have a UPC or the ISBN-10 in place of the ISBN-13; where the
    # ISBN-10 is whole (7 of 2,674) no less than where its zeros were lost (13 of 6,584), so no repair is at fault.
    assert counts["whole, differ"] == 7
    assert counts["restored, differ"] == 13
    assert counts["whole, agree"] + counts["restored, agree"] == 9238


def test_two_exports_of_the_same_products_are_read_alike(corpus: Path) -> None:
    one, _ = _read(corpus / "keepa_processors_utf16le.txt")
    other, _ = _read(corpus / "keepa_de_processors.csv")
    assert [_keys(one, rank) for rank in (0, 1)] == [_keys(other, rank) for rank in (0, 1)]
    assert sum(key is not None for key in _keys(one)) == 627


def test_an_order_form_made_of_an_export_is_read_like_it(corpus: Path) -> None:
    form, _ = _read(corpus / "keepa_bluray_orderform_chart.xlsx")
    export, texts = _read(corpus / "keepa_bluray_cp1252_semicolon.csv")
    known = {key.code: row[13] for key, row in zip(_keys(export), texts, strict=True) if key is not None}
    asins, eans = _keys(form), _keys(form, 1)
    assert {key.code for key in asins if key is not None} == set(known)
    read = [(key.code, ean.code.zfill(13)) for key, ean in zip(asins, eans, strict=True) if key and ean]
    assert [pair for pair in read if pair[1] not in known[pair[0]]] == []
    assert len(read) == 30  # the form kept the first number of each cell, and two of those are no global ones


@pytest.mark.parametrize("share", [1.0, 0.5, 0.05])
@pytest.mark.parametrize(
    ("file", "column"), [("tr_technopolis_eans.xlsx", 1), ("keepa_de_processors.csv", 13), ("catalog.csv", 2)]
)
def test_no_code_that_excel_has_rounded_is_read(corpus: Path, file: str, column: int, share: float) -> None:
    true = [row[column] for row in _texts(corpus / file) if row[column].isdigit()]
    rounded = np.random.default_rng(1).random(len(true)) < share
    cells = [f"{float(code):.5e}" if gone else code for code, gone in zip(true, rounded, strict=True)]
    written = [str(int(float(cell))) if gone else cell for cell, gone in zip(cells, rounded, strict=True)]
    by_chance = [cell for cell, gone in zip(written, rounded, strict=True) if gone and gtin.is_valid(cell)]
    assert len(by_chance) > 0.05 * rounded.sum()
    for texts_now in (cells, written):
        found = reading.identify(("EAN", _numbers(texts_now)))
        assert not found.candidates[0][rounded].any()


def _numbers(texts: Sequence[str]) -> Cells:
    return Cells(pa.array(texts, pa.string()), np.ones(len(texts), np.bool_), np.zeros(len(texts), np.uint8))
