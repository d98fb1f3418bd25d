"""One whole column judged: its census, a verdict for each shape, and with it the key and the reason of every row."""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from enricher.codes import asin, gtin, reasons
from enricher.codes.claims import UNKNOWN_CLAIM, claim_name, claim_of
from enricher.codes.domains import DOMAINS
from enricher.codes.evidence import Evidence
from enricher.codes.kinds import Kind, kind_of
from enricher.codes.shapes import Can
from enricher.codes.tally import BLANK, Tallied
from enricher.codes.verdicts import Take, Verdict, judge
from enricher.keys import (
    EAN8_END,
    NO_KEY,
    KeyArray,
    base36_text,
    base36_texts,
    code_texts,
    number_texts,
    pack,
    pack_array,
)
from enricher.model import CodeType, Key

if TYPE_CHECKING:
    from enricher.codes.policy import Policy
    from enricher.codes.reasons import Reason


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of problem or repair: the reason, how many rows have it, and the first of them with what they hold."""

    reason: Reason
    rows: int
    examples: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A column's rows judged: their keys, of the first domain, NO_KEY for none; and the reasons by shape."""

    label: str
    keys: KeyArray
    rows: Tallied
    reasons: tuple[Reason | None, ...]
    wanted: CodeType | None

    def refused(self) -> npt.NDArray[np.bool_]:
        """Say which rows hold something that can't be used."""
        refused: npt.NDArray[np.bool_] = (self.keys == NO_KEY) & self.rows.filled
        return refused

    def kinds(self) -> dict[Kind, tuple[int, int]]:
        """Count the cells of each kind, and how many of them are used."""
        used = np.bincount(self.rows.numbers[self.keys != NO_KEY], minlength=len(self.rows.shapes)).tolist()
        kinds: dict[Kind, tuple[int, int]] = {}
        for number, (cells, taken) in enumerate(zip(self.rows.counts(), used, strict=True)):
            kind = Kind.BLANK if number == BLANK else kind_of(self.rows.shapes[number])
            before = kinds.get(kind, (0, 0))
            if cells:
                kinds[kind] = (before[0] + cells, before[1] + taken)
        return kinds

    def cells(self, rows: npt.NDArray[np.intp], *, as_read: bool = False) -> pa.StringArray:
        """Write what rows hold, as far as it is known; or only the code in it, where one was read."""
        digits, lettered, values = self._digits(rows), self._are(Can.LETTERS, rows), self.rows.integers[rows]
        texts = number_texts(values, digits)
        if lettered.any():
            texts = pc.replace_with_mask(texts, pa.array(lettered), base36_texts(values[lettered]))
        known = self.rows.texts
        is_read = (lettered | (digits > 0)) & ~self._are(Can.LOST, rows)
        texts = pc.if_else(pa.array(is_read), texts, "")
        is_read &= as_read
        odd = [at for at in np.flatnonzero(~is_read).tolist() if rows[at] in known] if known else []
        if odd:
            mask = np.zeros(len(rows), np.bool_)
            mask[odd] = True
            kept = [known[row] for row in rows[odd].tolist()]
            texts = pc.replace_with_mask(texts, pa.array(mask), pa.array(kept, pa.string()))
        return texts

    def _digits(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.uint8]:
        return np.array([shape.digits for shape in self.rows.shapes], np.uint8)[self.rows.numbers[rows]]

    def _are(self, flag: Can, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        return np.array([bool(shape.can & flag) for shape in self.rows.shapes])[self.rows.numbers[rows]]

    def notes(self, rows: npt.NDArray[np.intp]) -> dict[int, str]:
        """Say in words what was repaired in rows, or why they have no key; nothing of rows that need no words."""
        notes: dict[int, str] = {}
        noted = np.array([reason is not None for reason in self.reasons], np.bool_)
        rows = rows[noted[self.rows.numbers[rows]]]
        numbers = self.rows.numbers[rows]
        for number in np.unique(numbers).tolist():
            reason, here = self.reasons[number], rows[numbers == number]
            if reason is not None:
                notes.update(zip(here.tolist(), self._fill(reason.note or reason.what, here), strict=True))
        return notes

    def grouped(self, rows: npt.NDArray[np.bool_], most_examples: int) -> list[Problem]:
        """Group some rows by reason: those that have one."""
        found: list[Problem] = []
        for number, reason in enumerate(self.reasons):
            if reason is not None and len(here := np.flatnonzero(rows & (self.rows.numbers == number))):
                shown = here[:most_examples]
                examples = tuple(zip(shown.tolist(), self.cells(shown).to_pylist(), strict=True))
                found.append(Problem(reason, len(here), examples))
        return found

    def _fill(self, template: str, rows: npt.NDArray[np.intp]) -> list[str]:
        """Write a note for each of many rows, a whole column of texts at a time."""
        pieces: list[Any] = []
        for literal, name, _, _ in string.Formatter().parse(template):
            pieces += [literal, *([self._field(name, rows)] if name else [])]
        if all(isinstance(piece, str) for piece in pieces):
            return ["".join(pieces)] * len(rows)
        texts: list[str] = pc.binary_join_element_wise(*pieces, "").to_pylist()
        return texts

    def _field(self, name: str, rows: npt.NDArray[np.intp]) -> pa.StringArray | str:
        """Return what a word in braces stands for."""
        keys, values = self.keys[rows], self.rows.integers[rows]
        if name == "code":
            return self.cells(rows, as_read=True)
        if name == "used":
            # Of a code that is not taken: what it would be, if the doubt were settled.
            return code_texts(np.where(keys == NO_KEY, pack_array(CodeType.UPC, values), keys))
        if name == "right":
            return pa.array(gtin.check_digits_array(values)).cast(pa.string())
        if name == "count":
            return pa.array(self._digits(rows)).cast(pa.string())
        if name == "kind":
            is_asin = self._are(Can.LETTERS, rows) | (self._digits(rows) == asin.LENGTH)
            is_ean = values >= np.uint64(10**gtin.UPC_DIGITS)
            return pa.array(np.select([is_asin, is_ean], ["an ASIN", "an EAN"], "a UPC or EAN"))
        if name == "claim":
            return pa.array([self.rows.unknown_claims.get(row, "") for row in rows.tolist()], pa.string())
        if name == "said":
            said = pa.array([claim_name(claim) for claim in self.rows.claims.tolist()])
            return said.take(pa.array(self.rows.numbers[rows]))
        return f"{str(self.wanted).upper()}s"


def judge_column(label: str, header: str | None, rows: Tallied, policy: Policy) -> Judged:
    """Judge every row of a column."""
    evidence = Evidence(policy.wanted, header, rows.census())
    verdicts = [Verdict(Take.NOTHING)]
    verdicts += [
        Verdict(Take.NOTHING, reasons.UNKNOWN_CLAIM)
        if claim == UNKNOWN_CLAIM
        else judge(shape, evidence, claim_of(claim), policy)
        for shape, claim in zip(rows.shapes[1:], rows.claims[1:].tolist(), strict=True)
    ]
    keys = np.full(len(rows.numbers), NO_KEY, np.uint64)
    takes = np.array([verdict.take.value for verdict in verdicts], np.int8)[rows.numbers]
    lettered = np.array([bool(shape.can & Can.LETTERS) for shape in rows.shapes])
    for take in {verdict.take for verdict in verdicts} - {Take.NOTHING}:
        here = np.flatnonzero(takes == take.value)
        keys[here] = _keys(take, rows.integers[here], lettered[rows.numbers[here]])
    return Judged(label, keys, rows, tuple(verdict.reason for verdict in verdicts), policy.wanted)


def _keys(take: Take, values: npt.NDArray[np.uint64], lettered: npt.NDArray[np.bool_]) -> KeyArray:
    """Make keys of the values of cells that are taken the same way."""
    if take is Take.ASIN:
        return pack_array(CodeType.ASIN, values)
    if take is Take.ISBN10:
        return pack_array(CodeType.ASIN, np.where(lettered, values, _in_base_36(values)))
    if take in {Take.ISBN10_OF_EAN, Take.EAN_OF_ISBN10}:
        return np.array(
            [_other_isbn(take, *each) for each in zip(values.tolist(), lettered.tolist(), strict=True)], np.uint64
        )
    if take is Take.UPC_E:
        values = gtin.expand_upc_e_array(values)
    elif take is Take.UNIT:
        values = gtin.units_array(values)
    is_upc = (values < np.uint64(10**gtin.UPC_DIGITS)) & (values >= np.uint64(EAN8_END))
    none = np.zeros(1, np.uint64)
    return np.where(is_upc, pack_array(CodeType.UPC, none), pack_array(CodeType.EAN, none)) | values


def _in_base_36(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Read the ten decimal digits of numbers as digits of base 36, as in an ASIN."""
    total, rest = np.zeros(len(values), np.uint64), values
    for place in range(asin.LENGTH):
        rest, digit = np.divmod(rest, np.uint64(10))
        total += digit * np.uint64(36**place)
    return total


def _other_isbn(take: Take, value: int, lettered: bool) -> int:  # noqa: FBT001 - private
    """Make the key of a book's other number; asked for with --code-type only, so one by one is good enough."""
    if take is Take.ISBN10_OF_EAN:
        return pack(Key(CodeType.ASIN, DOMAINS[0], asin.from_isbn13(f"{value:013}") or ""))
    text = base36_text(value) if lettered else f"{value:010}"
    return pack(Key(CodeType.EAN, DOMAINS[0], asin.to_isbn13(text)))
