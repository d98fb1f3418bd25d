"""A column of mixed cells identified, against a loop over the same cells with python-stdnum."""

from __future__ import annotations

import random
import re
import time
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from stdnum import ean, isbn

from enricher.cells import Cells
from enricher.codes import CodeColumn, Layout, Policy, Reader
from enricher.codes.gtin import check_digit
from enricher.keys import NO_KEY
from enricher.model import Domain

if TYPE_CHECKING:
    from collections.abc import Callable

BoolArray: TypeAlias = npt.NDArray[np.bool_]
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
"""Percent of the cells: mostly plain codes, and a little of everything that spreadsheets do to them."""


def run(count: int) -> None:
    """Print the CPU seconds of both, the best of three each, their ratio, and how they agree."""
    texts = make_cells(count)
    column = pa.array(texts, pa.string())  # as the reader of a sheet hands them over
    identify(column[:_BATCH])  # what is loaded and compiled once is not counted
    ours_s, ours = min((_timed(lambda: identify(column)) for _ in range(3)), key=itemgetter(0))
    theirs_s, theirs = min((_timed(lambda: stdnum_loop(texts)) for _ in range(3)), key=itemgetter(0))
    both, only_ours = int((ours & theirs).sum()), int((ours & ~theirs).sum())
    print(f"{count:,} made-up cells: {', '.join(f'{percent} % {name}' for name, percent in _MIX.items())}")
    print(f"  enricher.codes, notes included  {ours_s:7.2f} s of CPU")
    print(f"  loop over python-stdnum         {theirs_s:7.2f} s of CPU")
    print(f"  ratio                           {ours_s / theirs_s:7.3f}")
    only_theirs = int((theirs & ~ours).sum())
    print(f"  codes: {both:,} by both, {only_ours:,} by enricher only: the loop undresses and repairs nothing;")
    print(f"  {only_theirs:,} by the loop only: ISBN-10s, which may be UPCs without zeros in such a column")


def _timed(measured: Callable[[], BoolArray]) -> tuple[float, BoolArray]:
    start_s = time.process_time()
    result = measured()
    return time.process_time() - start_s, result


def identify(column: pa.StringArray) -> BoolArray:
    """Say which cells hold a usable code, as a run does it: batch by batch, then the column as a whole."""
    layout = Layout(1, ("EAN",), (CodeColumn(0, "EAN", "gtin", ""),), None)
    reader = Reader(layout, Domain.COM, Policy())
    for start in range(0, len(column), _BATCH):
        text = column[start : start + _BATCH]
        reader.add([Cells(text, np.zeros(len(text), np.bool_), np.zeros(len(text), np.uint8))])
    return np.asarray(reader.finish().candidates[0] != NO_KEY)


def stdnum_loop(texts: list[str | None]) -> BoolArray:
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

    def upc() -> str:
        return _closed(f"{chance.choice('0136789')}{digits[:10]}")

    def european() -> str:
        return _closed(f"{chance.choice(('400', '501', '761', '871', '30', '54'))}{digits}"[:12])

    def isbn13() -> str:
        return _closed(f"978{digits[:9]}")

    def with_wrong_check_digit(code: str) -> str:
        return code[:-1] + str((int(code[-1]) + 1) % 10)

    makers: dict[str, Callable[[], str]] = {
        "EAN-13": european,
        "UPC-A": upc,
        "ASIN": lambda: "B0" + "".join(chance.choices("0123456789ABCDEFGHJKLMNPQRSTVWXYZ", k=8)),
        "ISBN-10": lambda: str(isbn.to_isbn10(isbn13())),
        "EAN-8": lambda: _closed(f"{chance.choice('3456789')}{digits[:6]}"),
        "GTIN-14, indicator 0": lambda: f"0{european()}",
        "ISBN-13, hyphens": lambda: "-".join(re.fullmatch(r"(...)(.)(....)(....)(.)", isbn13()).groups()),  # type: ignore[union-attr]
        "quoted or spaced": lambda: chance.choice(('"{}"', '="{}"', " {} ", "\u00a0{}")).format(european()),
        "apostrophe in front": lambda: f"'{upc()}",
        "UPC without its zero": lambda: _closed(f"0{chance.choice('123456789')}{digits[:9]}")[1:],
        "check digit wrong": lambda: with_wrong_check_digit(european()),
        "scientific notation": lambda: f"{digits[1]}.{digits[2:7]}E+12",
        "words": lambda: chance.choice(("see note", "n/a", "discontinued", "SKU-1234")),
    }
    return makers[kind]() if kind in makers else None


def _closed(body: str) -> str:
    return body + check_digit(body)
