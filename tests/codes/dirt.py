"""Columns of true codes, damaged as spreadsheets and people damage them, each cell with the truth about it.

A damage takes a code as the package shows it, and gives the cell, or None where it can't be done to this code. An
intruder is a cell that stands for no article. Mistakes that leave a check digit right are never made: to swap digits
that differ by five is one, in an ASIN it is any, and in a UPC-E it is many. Nobody can see those.
"""

from __future__ import annotations

import random
import string
import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from enricher.cells import Cells
from enricher.codes import asin, gtin
from enricher.keys import EAN8_END, NO_KEY, KeyArray, pack
from enricher.model import CodeType, Domain, Key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

_EAN_PREFIXES = (
    "300",
    "376",
    "400",
    "426",
    "471",
    "490",
    "500",
    "541",
    "570",
    "690",
    "730",
    "761",
    "800",
    "841",
    "871",
)
_UPC_PREFIXES = ("01", "03", "06", "07", "08", "19", "35", "61", "73", "79", "81", "88")
_LETTERS_AND_DIGITS = string.digits + string.ascii_uppercase
_FULL_WIDTH = str.maketrans({digit: chr(0xFF10 + int(digit)) for digit in string.digits})
_ADDRESSES = (
    "https://www.amazon.com/dp/{}",
    "https://www.amazon.com/Some-Name/dp/{}/ref=sr_1_1?keywords=4006381333931&qid=1596240000",
    "amazon.com/gp/product/{}?psc=1",
    "https://www.amazon.com/s?asin={}&tag=x-20",
)


class Cell(NamedTuple):
    """What a file holds: the text, whether as a number, and the width of its format of zeros."""

    text: str
    numeric: bool = False
    zeros: int = 0


class Dirty(NamedTuple):
    """A column: one element a cell, same order. `truth` is NO_KEY for a cell that stands for no article."""

    cells: Cells
    texts: list[str]
    truth: KeyArray
    damaged: npt.NDArray[np.bool_]


# --- true codes -------------------------------------------------------------------------------------------------


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(string.digits, k=count))


def _checked(body: str) -> str:
    return body + gtin.check_digit(body)


def _upc(rng: random.Random) -> str:
    return _checked(rng.choice(_UPC_PREFIXES) + _digits(rng, 9))


def _ean13(rng: random.Random) -> str:
    return _checked(rng.choice(_EAN_PREFIXES) + _digits(rng, 9))


def _ean8(rng: random.Random) -> str:
    return _checked(rng.choice("345679") + _digits(rng, 6))


def _isbn13(rng: random.Random) -> str:
    return _checked("978" + rng.choice("01378") + _digits(rng, 8))


def _isbn10(rng: random.Random) -> str:
    return asin.from_isbn13(_isbn13(rng)) or ""


def _upc_e(rng: random.Random) -> str:
    body = "0" + rng.choice("123456789") + _digits(rng, 5)
    return body + gtin.check_digit(gtin.expand_upc_e(body + "0")[:-1])


def _asin(rng: random.Random) -> str:
    return "B0" + "".join(rng.choices(_LETTERS_AND_DIGITS, k=8))


CODES: dict[str, Callable[[random.Random], str]] = {
    "upc": _upc,
    "ean13": _ean13,
    "ean8": _ean8,
    "gtin14": lambda rng: "0" + _ean13(rng),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "upc_e": _upc_e,
    "asin": _asin,
}


def key_of(kind: str, code: str) -> int:
    """Return the packed key that a code has to be read as."""
    if kind in {"asin", "isbn10"}:
        return pack(Key(CodeType.ASIN, Domain.COM, code))
    number = gtin.expand_upc_e(code) if kind == "upc_e" else code
    is_upc = EAN8_END <= int(number) < 10**gtin.UPC_DIGITS
    return pack(Key(CodeType.UPC if is_upc else CodeType.EAN, Domain.COM, number))


# --- what spreadsheets do ---------------------------------------------------------------------------------------


def _number(code: str) -> Cell | None:
    """Make a number cell: the zeros in front are gone."""
    return Cell(code.lstrip("0"), numeric=True) if code.isdigit() else None


def _shown_with_zeros(code: str) -> Cell | None:
    cell = _number(code)
    return cell and cell._replace(zeros=len(code))


def _scientific(code: str, digits: int) -> Cell | None:
    return Cell(f"{int(code):.{digits - 1}E}") if code.isdigit() else None


def _scientific_with_comma(code: str) -> Cell | None:
    cell = _scientific(code, 3)
    return cell and Cell(cell.text.replace(".", ","))


def _rounded(code: str, digits: int) -> Cell | None:
    cell = _scientific(code, digits)
    return cell and Cell(str(int(float(cell.text))), numeric=True)


def _through_float32(code: str) -> Cell | None:
    if not code.isdigit():
        return None
    (value,) = struct.unpack("f", struct.pack("f", int(code)))
    return Cell(str(int(value)), numeric=True)


def _with_decimals(code: str) -> Cell | None:
    return Cell(f"{int(code)}.0") if code.isdigit() else None


def _padded(code: str, digits: int) -> Cell | None:
    return Cell(code.zfill(digits)) if code.isdigit() else None


# --- what people do ---------------------------------------------------------------------------------------------


def _is_seen(code: str, mistaken: str) -> bool:
    """Say whether a check digit gives a mistake away."""
    if asin.is_own(code):
        return False
    if len(code) == asin.LENGTH:
        return not asin.is_isbn10(mistaken)
    if len(code) == gtin.EAN8_DIGITS and gtin.is_upc_e(mistaken):
        return False
    return not gtin.is_valid(mistaken)


def _mistyped(code: str, rng: random.Random) -> Cell | None:
    at = rng.randrange(len(code) - 1)
    mistaken = code[:at] + rng.choice(string.digits.replace(code[at], "")) + code[at + 1 :]
    return Cell(mistaken) if _is_seen(code, mistaken) else None


def _transposed(code: str, rng: random.Random) -> Cell | None:
    at = rng.randrange(len(code) - 2)
    mistaken = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
    return Cell(mistaken) if mistaken != code and _is_seen(code, mistaken) else None


def _dropped(code: str, rng: random.Random) -> Cell:
    at = rng.randrange(len(code))
    return Cell(code[:at] + code[at + 1 :])


def _doubled(code: str, rng: random.Random) -> Cell:
    at = rng.randrange(len(code))
    return Cell(code[:at] + code[at] + code[at:])


def _hyphenated(code: str, rng: random.Random) -> Cell:
    ends = sorted(rng.sample(range(1, len(code)), 3))
    parts = [code[start:end] for start, end in zip([0, *ends], [*ends, None], strict=True)]
    return Cell(rng.choice("-\u2010\u2011\u2013 ").join(parts))


def _two(code: str, rng: random.Random) -> Cell | None:
    """Put a second code behind: the first one is taken."""
    is_whole = asin.is_own(code) or len(code) > gtin.UPC_DIGITS - 1
    return Cell(f"{code}{rng.choice([', ', ' / ', ';', ' '])}{_ean13(rng)}") if is_whole else None


def _second_right(code: str, rng: random.Random) -> Cell | None:
    """Put a mistyped one before it."""
    mistyped = _mistyped(code, rng) if len(code) > gtin.UPC_DIGITS - 1 else None
    return mistyped and Cell(f"{mistyped.text}, {code}")


def _address(code: str, rng: random.Random) -> Cell | None:
    return Cell(rng.choice(_ADDRESSES).format(code)) if len(code) == asin.LENGTH else None


DAMAGES: dict[str, Callable[[str, random.Random], Cell | None]] = {
    "none": lambda code, _: Cell(code),
    "number cells": lambda code, _: _number(code),
    "number cells shown with zeros": lambda code, _: _shown_with_zeros(code),
    "leading zeros lost, as text": lambda code, _: Cell(code.lstrip("0")),
    "leading zeros lost, and .0": lambda code, _: _with_decimals(code),
    "check digits lost": lambda code, _: Cell(code[:-1]),
    "scientific, 3 digits": lambda code, _: _scientific(code, 3),
    "scientific, 3 digits, comma": lambda code, _: _scientific_with_comma(code),
    "scientific, 6 digits": lambda code, _: _scientific(code, 6),
    "scientific, 12 digits": lambda code, _: _scientific(code, 12),
    "scientific, all digits": lambda code, _: _scientific(code, len(code.lstrip("0"))),
    "rounded to 3 digits": lambda code, _: _rounded(code, 3),
    "rounded to 6 digits": lambda code, _: _rounded(code, 6),
    "rounded to 9 digits": lambda code, _: _rounded(code, 9),
    "rounded to 12 digits": lambda code, _: _rounded(code, 12),
    "through a float of 32 bits": lambda code, _: _through_float32(code),
    "quotes": lambda code, _: Cell(f'"{code}"'),
    "apostrophe": lambda code, _: Cell(f"'{code}"),
    "formula of a text": lambda code, _: Cell(f'="{code}"'),
    "list of one": lambda code, _: Cell(f"['{code}']"),
    "hyphens or spaces": _hyphenated,
    "no-break spaces": lambda code, _: Cell(f"\u00a0{code}\u00a0"),
    "full-width digits": lambda code, _: Cell(code.translate(_FULL_WIDTH)),
    "label before it": lambda code, _: Cell(f"EAN: {code}"),
    "words behind it": lambda code, _: Cell(f"{code} (blue)"),
    "lower case": lambda code, _: Cell(code.lower()),
    "another code behind it": _two,
    "a mistyped one before it": _second_right,
    "padded to 14": lambda code, _: _padded(code, 14),
    "padded to 16": lambda code, _: _padded(code, 16),
    "Amazon's address": _address,
    "a digit mistyped": _mistyped,
    "neighbours transposed": _transposed,
    "a digit dropped": _dropped,
    "a digit doubled": _doubled,
}


# --- what is no code at all -------------------------------------------------------------------------------------


def _date(rng: random.Random, pattern: str) -> Cell:
    return Cell(
        pattern.format(
            y=rng.randrange(2010, 2027),
            m=rng.randrange(1, 13),
            d=rng.randrange(1, 29),
            time=f"{rng.randrange(24):02}{rng.randrange(60):02}",
        )
    )


INTRUDERS: dict[str, Callable[[random.Random], Cell]] = {
    "case packs": lambda rng: Cell(_checked(rng.choice("12345678") + _ean13(rng)[:-1])),
    "goods by weight": lambda rng: Cell(_checked("9" + _ean13(rng)[:-1])),
    "in-store numbers": lambda rng: Cell(_checked(rng.choice(["02", "20", "25", "29", "04", "05"]) + _digits(rng, 10))),
    "FNSKUs": lambda rng: Cell("X00" + "".join(rng.choices(_LETTERS_AND_DIGITS, k=7))),
    "SKUs": lambda rng: Cell(rng.choice(["SKU-", "W", "ART ", "BX-"]) + _digits(rng, 7)),
    "internal numbers of 3 to 7 digits": lambda rng: Cell(_digits(rng, rng.randrange(3, 8))),
    "internal numbers of 8 digits": lambda rng: Cell(_digits(rng, 8)),
    "internal numbers of 9 digits": lambda rng: Cell(_digits(rng, 9)),
    "internal numbers of 10 digits": lambda rng: Cell(_digits(rng, 10)),
    "internal numbers of 11 digits": lambda rng: Cell(_digits(rng, 11)),
    "internal numbers of 12 digits": lambda rng: Cell(_digits(rng, 12)),
    "internal numbers of 13 digits": lambda rng: Cell(_digits(rng, 13)),
    "dates, ISO": lambda rng: _date(rng, "{y}-{m:02}-{d:02}"),
    "dates, year first": lambda rng: _date(rng, "{y}{m:02}{d:02}"),
    "dates, day first": lambda rng: _date(rng, "{d:02}{m:02}{y}"),
    "dates and times": lambda rng: _date(rng, "{y}{m:02}{d:02}{time}"),
    "dates as serial numbers": lambda rng: Cell(str(rng.randrange(40_000, 47_000)), numeric=True),
    "epoch milliseconds": lambda rng: Cell(str(rng.randrange(1_400_000_000_000, 1_780_000_000_000))),
    "zeros": lambda rng: Cell("0" * rng.randrange(1, 15)),
    "phone numbers": lambda rng: Cell(f"+49 {_digits(rng, 3)} {_digits(rng, 7)}"),
    "prices": lambda rng: Cell(f"{rng.randrange(1, 500)}.{rng.randrange(100):02}"),
}


def column(kinds: Sequence[str], damage: str, share: float, rows: int) -> Dirty:
    """Make a column of codes of some kinds and damage a share of them; the same arguments make the same column."""
    rng = random.Random(f"{kinds} {damage} {share} {rows}")  # noqa: S311 - so that a failure can be replayed
    made = [_cell(rng, rng.choice(kinds), damage, share) for _ in range(rows)]
    cells = Cells(
        pa.array([cell.text for cell, _, _ in made], pa.string()),
        np.array([cell.numeric for cell, _, _ in made]),
        np.array([cell.zeros for cell, _, _ in made], np.uint8),
    )
    truth = np.array([key for _, key, _ in made], np.uint64)
    return Dirty(cells, [cell.text for cell, _, _ in made], truth, np.array([damaged for _, _, damaged in made]))


def _cell(rng: random.Random, kind: str, damage: str, share: float) -> tuple[Cell, int, bool]:
    code = CODES[kind](rng)
    if rng.random() < share:
        if damage in INTRUDERS:
            return INTRUDERS[damage](rng), int(NO_KEY), True
        if (cell := DAMAGES[damage](code, rng)) is not None:
            return cell, key_of(kind, code), True
    return Cell(code), key_of(kind, code), False
