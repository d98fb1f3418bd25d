"""python-stdnum as an oracle: no check digit is disputed, and every other difference is of a kind with a name."""

from __future__ import annotations

import random
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from stdnum import ean, isbn

from enricher.codes import asin, gtin, reasons
from enricher.codes.digits import shapes_of
from enricher.codes.evidence import Evidence
from enricher.codes.shapes import Can, Shape, Shapes
from enricher.codes.verdicts import Take, judge
from enricher.keys import EAN8_END

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from enricher.codes.reasons import Reason

COUNT = 100_000
DIGITS = "0123456789"
EAN_LENGTHS = {8, 12, 13, 14}

NO_ARTICLE = {
    reasons.IN_STORE: "a prefix for shops and coupons, and EAN-8s that begin with 0 or 2: nothing to look up",
    reasons.CASE: "a GTIN-14 with an indicator from 1 to 8 is another article than the single one",
    reasons.MEASURE: "and with the indicator 9 it is of variable weight",
    reasons.ZEROS: "zeros pass every check and mean nothing",
    reasons.ROUNDED: "spreadsheets make more numbers that end in six zeros, or fit 32 bits, than GS1 does",
}
"""Why we refuse, whatever the header says, what has the right check digit."""
TWO_EIGHTS = {reasons.AMBIGUOUS_8: "58 % of UPC-Es are valid EAN-8s: only the column can tell"}
A_DATE = {reasons.DATE: "20260301 is a day"}
NO_BOOK = {reasons.AMBIGUOUS_10: "among GTINs, ten digits may be a UPC that lost two zeros"}
SHORT_BOOK = {reasons.BAD_ISBN: "among ISBNs, eight digits are an ISBN-10 without zeros or a mistake, and no EAN-8"}
LONG_BOOK = {
    reasons.AMBIGUOUS_10: "and twelve to fourteen may be an ISBN-10 behind zeros",
    reasons.AMBIGUOUS_ISBN: "eight that pass both checks may be either",
}
NO_UPC_E = {reasons.BAD_UPC_E: "a column of UPC-Es has no EAN-8s"}
REFUSED: dict[str | None, dict[Reason, str]] = {
    None: NO_ARTICLE | TWO_EIGHTS | A_DATE,
    "asin": NO_ARTICLE | TWO_EIGHTS | A_DATE,
    "isbn": NO_ARTICLE | TWO_EIGHTS | A_DATE | SHORT_BOOK | LONG_BOOK,
    "gtin": NO_ARTICLE | TWO_EIGHTS | A_DATE | NO_BOOK,
    "upc": NO_ARTICLE | TWO_EIGHTS | A_DATE | NO_BOOK,
    "upc_e": NO_ARTICLE | NO_UPC_E | A_DATE | NO_BOOK,
    "ean": NO_ARTICLE | A_DATE | NO_BOOK,
    "ean8": NO_ARTICLE | NO_BOOK,
}
"""By header, the kinds of valid numbers that we refuse."""

PADDED = {reasons.PADDED: "15 and 16 digits are no form of a GTIN, but files pad them so"}
LOST_ZERO = {reasons.LOST_ZERO: "11 digits whose check digit is that of the UPC with its zero"}
SHORT_ISBN = {reasons.ISBN_ZERO: "7 to 9 digits whose check digit is that of the ISBN-10 with its zeros"}
UPC_E = {reasons.UPC_E: "python-stdnum knows no UPC-E"}
TAKEN: dict[str | None, dict[Reason, str]] = {
    None: PADDED,
    "asin": PADDED,
    "isbn": PADDED | SHORT_ISBN,
    "gtin": PADDED | LOST_ZERO,
    "upc": PADDED | LOST_ZERO | UPC_E,
    "upc_e": PADDED | LOST_ZERO | UPC_E,
    "ean": PADDED | LOST_ZERO,
    "ean8": PADDED | LOST_ZERO,
}
"""By header, the kinds of numbers that we take and python-stdnum does not know, in a column where all agree."""


class Opinion(NamedTuple):
    """What python-stdnum says of a number: as it stands, and with its zeros restored or its padding removed."""

    is_code: bool
    is_gtin: bool
    is_isbn10: bool
    is_isbn13: bool


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(DIGITS, k=count))


def _gtin(rng: random.Random) -> str:
    prefix = rng.choice(["", "", "", "0", "20", "04", "978", "979"])
    length = 13 if prefix.startswith("97") else rng.choice([8, 12, 13, 14])
    body = prefix + _digits(rng, length - 1 - len(prefix))
    return body + str(ean.calc_check_digit(body))


def _isbn10(rng: random.Random) -> str:
    body = "978" + _digits(rng, 9)
    return str(isbn.to_isbn10(body + ean.calc_check_digit(body)))


def _with_a_digit_changed(rng: random.Random, number: str) -> str:
    at = rng.randrange(len(number))
    return number[:at] + rng.choice(DIGITS) + number[at + 1 :]


def _with_two_swapped(rng: random.Random, number: str) -> str:
    at = rng.randrange(len(number) - 1)
    return number[:at] + number[at + 1] + number[at] + number[at + 2 :]


def _rounded(rng: random.Random, number: str) -> str:
    zeros = rng.randrange(1, 8)
    return number[:-zeros] + "0" * zeros


MUTATIONS: list[Callable[[random.Random, str], str]] = [
    lambda _, number: number,
    _with_a_digit_changed,
    _with_two_swapped,
    _rounded,
    lambda rng, number: number[: rng.randrange(7, len(number) + 1)],
    lambda rng, number: number.lstrip("0").zfill(rng.randrange(8, 17)),
    lambda _, number: number.lstrip("0"),
]
ORIGINS: list[Callable[[random.Random], str]] = [lambda rng: _digits(rng, rng.randrange(7, 17)), _gtin, _isbn10]


@pytest.fixture(scope="module")
def numbers() -> list[str]:
    """Random numbers, valid ones and mutated ones, always the same."""
    rng = random.Random(20_260_301)  # noqa: S311 - a seed, so that a failure can be replayed
    made: list[str] = []
    while len(made) < COUNT:
        number = rng.choice(MUTATIONS)(rng, rng.choice(ORIGINS)(rng))
        # An X is a digit at the end of an ISBN-10 only.
        if 7 <= len(number) <= 16 and number[:-1].isdigit() and (number.isdigit() or 8 <= len(number) <= 10):
            made.append(number)
    return made


def _opinion(number: str) -> Opinion:
    length = len(number)
    is_isbn10 = length <= 10 and isbn.is_valid(number.zfill(10))
    is_isbn13 = length == 13 and isbn.is_valid(number)
    if length in EAN_LENGTHS:
        is_gtin = ean.is_valid(number)
        return Opinion(is_gtin, is_gtin, is_isbn10, is_isbn13)
    full = number.zfill(8 if length == 7 else 12) if length < 12 else number.lstrip("0").zfill(14)
    return Opinion(is_isbn10 and length == 10, ean.is_valid(full), is_isbn10, is_isbn13)


@pytest.fixture(scope="module")
def opinions(numbers: list[str]) -> list[Opinion]:
    return [_opinion(number) for number in numbers]


@pytest.fixture(scope="module")
def shapes(numbers: list[str]) -> Shapes:
    return shapes_of(pa.array(numbers), np.zeros(COUNT, np.bool_), np.zeros(COUNT, np.uint8))


def test_no_check_digit_is_disagreed_about(numbers: list[str], opinions: list[Opinion], shapes: Shapes) -> None:
    can, lengths = shapes.can, np.array([len(number) for number in numbers])

    def disputed(ours: npt.NDArray[np.bool_], theirs: Sequence[bool]) -> list[str]:
        return [numbers[at] for at in np.flatnonzero(ours != np.array(theirs))]

    is_gtin = (can & Can.GTIN > 0) & (shapes.digits <= gtin.MAX_DIGITS)
    assert disputed(is_gtin, [opinion.is_gtin for opinion in opinions]) == []
    assert disputed(can & Can.ISBN10 > 0, [opinion.is_isbn10 for opinion in opinions]) == []
    is_isbn13 = is_gtin & (can & Can.ISBN13 > 0) & (lengths == 13)
    assert disputed(is_isbn13, [opinion.is_isbn13 for opinion in opinions]) == []


def test_no_isbn_is_converted_to_another_one(numbers: list[str], opinions: list[Opinion]) -> None:
    for number, opinion in zip(numbers, opinions, strict=True):
        if opinion.is_isbn10 and len(number) == 10:
            assert asin.to_isbn13(number) == isbn.to_isbn13(number)
        if opinion.is_isbn13:
            assert asin.from_isbn13(number) == (isbn.to_isbn10(number) if number.startswith("978") else None)


def test_no_number_is_completed_by_another_check_digit(numbers: list[str]) -> None:
    bodies = [number[:-1] for number in numbers if len(number) in EAN_LENGTHS and number.isdigit()]
    ours = gtin.check_digits_array(np.array([f"{body}0" for body in bodies]).astype(np.uint64)).tolist()
    assert [str(digit) for digit in ours] == [ean.calc_check_digit(body) for body in bodies]


def test_every_upc_e_is_written_out_to_a_valid_upc(numbers: list[str], shapes: Shapes) -> None:
    eights = [at for at, number in enumerate(numbers) if len(number) == 8 and number[0] in "01" and number.isdigit()]
    assert len(eights) > 1000
    for at in eights:
        full = gtin.expand_upc_e(numbers[at])
        is_upc = ean.is_valid(full) and int(full) >= EAN8_END  # below that GS1 has EAN-8s behind zeros
        assert bool(shapes.can[at] & Can.UPC_E) == is_upc


@pytest.mark.parametrize("header", REFUSED)
def test_every_kind_of_difference_has_a_name(header: str | None, opinions: list[Opinion], shapes: Shapes) -> None:
    column = Evidence(header=header)
    census = Counter(
        zip(
            shapes.digits.tolist(),
            shapes.can.tolist(),
            shapes.tail.tolist(),
            (opinion.is_code for opinion in opinions),
            strict=True,
        )
    )
    refused: Counter[Reason | None] = Counter()
    taken: Counter[Reason | None] = Counter()
    for (digits, can, tail, is_code), count in census.items():
        verdict = judge(Shape(digits, Can(can), tail), column)
        if is_code and verdict.take is Take.NOTHING:
            refused[verdict.reason] += count
        if not is_code and verdict.take is not Take.NOTHING:
            taken[verdict.reason] += count
    for word, differences in (("refused", refused), ("taken", taken)):
        for reason, count in differences.most_common():
            print(f"{header or 'no header':>9}  {word:>7}  {count:6,}  {reason and reason.what}")  # noqa: T201 - with -s
    assert set(refused) == set(REFUSED[header])
    assert set(taken) == set(TAKEN[header])


FORMS = {
    reasons.IN_STORE: r"0{5,6}[02][0-9]{7}|[02][0-9]{7}|[0-9](?:02|2[0-9]|04|05|98|99)[0-9]{11}",
    reasons.CASE: r"[1-8][0-9]{13}",
    reasons.MEASURE: r"9[0-9]{13}",
    reasons.ZEROS: r"0+",
    reasons.AMBIGUOUS_8: r"[01][0-9]{7}",
    reasons.DATE: r"(?:19|20)[0-9]{6}|[0-9]{4}(?:19|20)[0-9]{2}",
}
"""What the numbers look like that we refuse, those of 12 and more digits written with 14."""


@pytest.mark.parametrize("reason", FORMS, ids=lambda reason: reason.what)
def test_what_is_refused_looks_as_it_should(reason: Reason, numbers: list[str], shapes: Shapes) -> None:
    verdicts = {
        shape: judge(Shape(shape[0], Can(shape[1]), shape[2]), Evidence())
        for shape in set(zip(shapes.digits.tolist(), shapes.can.tolist(), shapes.tail.tolist(), strict=True))
    }
    rows = zip(numbers, shapes.digits.tolist(), shapes.can.tolist(), shapes.tail.tolist(), strict=True)
    refused = [number for number, *shape in rows if verdicts[tuple(shape)].reason is reason]
    written = [number.lstrip("0").zfill(14) if len(number) > 10 else number for number in refused]
    assert refused
    assert [number for number in written if not re.fullmatch(FORMS[reason], number)] == []
