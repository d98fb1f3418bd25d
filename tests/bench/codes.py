"""A column of mixed cells identified, against a loop over the same cells with python-stdnum."""

from __future__ import annotations

import random
import re
import time
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from stdnum import ean, isbn

from enricher.codes import CodeColumn, Layout, Policy, Reader
from enricher.codes.gtin import check_digit
from enricher.model import Cells, Domain

if TYPE_CHECKING:
    from collections.abc import Callable

_ASIN = re.compile(r"B0[0-9A-Z]{8}")
_BATCH = 65_536
_MIX = {
    "EAN-13": 34,
    "UPC-A": 18,
    "ASIN": 12,
    "ISBN-10": 6,
    "EAN-8": 3,
    "GTIN-14, indicator 0": 4,
    "ISBN-13, hyphens": 3,
    "quoted or spaced": 4,
    "apostrophe in front": 2,
    "UPC without its zero": 4,
    "check digit wrong": 3,
    "scientific notation": 1,
    "words": 1,
    "blank": 5,
}
"""Percent of the cells; what the files of real merchandisers hold, with a little of everything."""


def run(count: int) -> None:
    """Print the CPU seconds of both, their ratio, and how they agree."""
    texts = make_cells(count)
    column = pa.array(texts, pa.string())
    start_s = time.process_time()
    ours = identify(column)
    ours_s = time.process_time() - start_s
    start_s = time.process_time()
    theirs = stdnum_loop(texts)
    theirs_s = time.process_time() - start_s
    both, only_ours = int((ours & theirs).sum()), int((ours & ~theirs).sum())
    print(f"{count:,} mixed cells: {', '.join(f'{percent} % {name}' for name, percent in _MIX.items())}")
    print(f"  enricher.codes, notes included  {ours_s:7.2f} s of CPU")
    print(f"  loop over python-stdnum         {theirs_s:7.2f} s of CPU")
    print(f"  ratio                           {ours_s / theirs_s:7.3f}")
    print(
        f"  codes: {both:,} by both, {only_ours:,} by enricher only, {int((theirs & ~ours).sum()):,} by the loop only"
    )


def identify(column: pa.StringArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Say which cells hold a usable code, as a run does it: batch by batch, then the column as a whole."""
    layout = Layout(1, ("EAN",), (CodeColumn(0, "EAN", "gtin", ""),), None)
    reader = Reader(layout, Domain.COM, Policy())
    for start in range(0, len(column), _BATCH):
        text = column[start : start + _BATCH]
        reader.add([Cells(text, np.zeros(len(text), np.bool_), np.zeros(len(text), np.uint8))])
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = reader.finish().candidates[0] != 0
    return found


def stdnum_loop(texts: list[str | None]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Do what one would write in an afternoon."""
    return np.array(
        [text is not None and (ean.is_valid(text) or isbn.is_valid(text) or _is_asin(text)) for text in texts]
    )


def _is_asin(text: str) -> bool:
    return _ASIN.fullmatch(text.strip().upper()) is not None


def make_cells(count: int, seed: int = 1) -> list[str | None]:
    """Make up cells in the proportions of the mix, each time the same."""
    chance = random.Random(seed)
    return [_cell(kind, chance) for kind in chance.choices([*_MIX], [*_MIX.values()], k=count)]


def _cell(kind: str, chance: random.Random) -> str | None:
    digits = f"{chance.randrange(10**13):013}"
    upc = _closed(f"0{chance.choice('0136789')}{digits[:10]}")[1:]
    european = _closed(f"{chance.choice(('400', '501', '761', '871', '30', '54'))}{digits}"[:12])
    isbn13 = _closed(f"978{digits[:9]}")
    makers: dict[str, Callable[[], str]] = {
        "EAN-13": lambda: european,
        "UPC-A": lambda: upc,
        "ASIN": lambda: "B0" + "".join(chance.choices("0123456789ABCDEFGHJKLMNPQRSTVWXYZ", k=8)),
        "ISBN-10": lambda: str(isbn.to_isbn10(isbn13)),
        "EAN-8": lambda: _closed(f"{chance.choice('3456789')}{digits[:6]}"),
        "GTIN-14, indicator 0": lambda: f"0{european}",
        "ISBN-13, hyphens": lambda: f"{isbn13[:3]}-{isbn13[3]}-{isbn13[4:8]}-{isbn13[8:12]}-{isbn13[12]}",
        "quoted or spaced": lambda: chance.choice(('"{}"', '="{}"', " {} ", "\u00a0{}")).format(european),
        "apostrophe in front": lambda: f"'{upc}",
        "UPC without its zero": lambda: _closed(f"0{digits[:10]}").lstrip("0"),
        "check digit wrong": lambda: european[:-1] + str((int(european[-1]) + 1) % 10),
        "scientific notation": lambda: f"{european[0]}.{european[1:6]}E+12",
        "words": lambda: chance.choice(("see note", "n/a", "discontinued", "SKU-1234")),
    }
    return makers[kind]() if kind in makers else None


def _closed(body: str) -> str:
    return body + check_digit(body)
