"""What a cell of some shape is worth in its column: which code it is read as, or why not. The rules, one shape a time.

Decides; has no rows and no arrays. A column has a few dozen shapes, however many rows. Repairs only where the column
agrees (`evidence`), and never chooses between two codes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from enricher.codes import asin, gtin, reasons
from enricher.codes.evidence import Claim, Evidence, is_isbn
from enricher.codes.headers import GTIN_HEADERS
from enricher.codes.policy import Policy
from enricher.codes.shapes import Can, Shape
from enricher.model import CodeType

if TYPE_CHECKING:
    from enricher.codes.reasons import Reason

_GTIN_CLAIMS = {Claim.UPC, Claim.EAN, Claim.GTIN}
_GTIN_TYPES = {CodeType.UPC, CodeType.EAN}
_NINE = 9
_MANY = 5
"""Cells that pass a check, none failing it, prove it without a header's word: chance does that once in 100,000."""
_DONE = (
    (Can.SHOWN, reasons.SHOWN_ZERO),
    (Can.WRITTEN_OUT, reasons.WRITTEN_OUT),
    (Can.SEVERAL, reasons.SEVERAL),
    (Can.FROM_ADDRESS, reasons.FROM_ADDRESS),
    (Can.FROM_TEXT, reasons.FROM_TEXT),
    (Can.PADDED, reasons.PADDED),
)
"""What was done to a cell's text before it was a number or an ASIN, and has to be said."""


class Take(Enum):
    """How the code is made of a cell's value."""

    NOTHING = auto()
    ASIN = auto()
    """The value is an ASIN in base 36."""
    ISBN10 = auto()
    """Its ten decimal digits are the ASIN of a book."""
    GTIN = auto()
    UPC_E = auto()
    UNIT = auto()
    """The article inside a case."""
    ISBN10_OF_EAN = auto()
    EAN_OF_ISBN10 = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to take, and the reason to give: of a repair, or of a refusal."""

    take: Take
    reason: Reason | None = None


def judge(shape: Shape, column: Evidence, claim: Claim | None = None, policy: Policy = Policy()) -> Verdict:  # noqa: B008 - frozen
    """Decide about all cells of one shape and claim in a column.

    >>> judge(Shape(13, Can.GTIN), Evidence()).take
    <Take.GTIN: 4>
    """
    verdict = _Judge(column, claim, policy).judge(shape)
    reason = verdict.reason
    if verdict.take is not Take.NOTHING and reason is not None and reason.is_repair and not policy.repair:
        note = reasons.NOT_REPAIRED.note.format(why=reason.what)
        return Verdict(Take.NOTHING, replace(reasons.NOT_REPAIRED, note=note))
    return verdict


def _no(reason: Reason) -> Verdict:
    return Verdict(Take.NOTHING, reason)


@dataclass(frozen=True, slots=True)
class _Judge:
    column: Evidence
    claim: Claim | None
    policy: Policy

    def judge(self, shape: Shape) -> Verdict:
        return self._with_repairs(shape, self._bare(shape))

    def _bare(self, shape: Shape) -> Verdict:
        can = shape.can
        if can & Can.OTHER_SITE:
            return _no(reasons.OTHER_SITE)
        if can & Can.LOST:
            return _no(reasons.SHORTENED)
        if can & Can.ZEROS:
            return _no(reasons.ZEROS)
        if can & Can.ASIN:
            return self._own_asin()
        if can & Can.ASIN_LIKE and (self.column.is_asin_column or self.claim is Claim.ASIN):
            return self._own_asin(reasons.ODD_ASIN)
        if can & Can.LETTERS:
            return self._lettered(shape)
        if can & Can.DATE and not can & (Can.FROM_ADDRESS | Can.PADDED) and self.column.header != "ean8":
            return _no(reasons.DATE)
        if shape.digits == 0:
            return _no(reasons.OTHER)
        return self._number(shape)

    def _number(self, shape: Shape) -> Verdict:
        if self._says_isbn and gtin.EAN8_DIGITS - 1 <= shape.digits <= _NINE and not is_isbn(shape):
            return _no(reasons.BAD_ISBN)
        if self.column.is_rounded(shape):
            return _no(reasons.ROUNDED)
        if shape.digits == gtin.EAN8_DIGITS:
            return self._eight(shape)
        if shape.digits == asin.LENGTH:
            return self._ten(shape)
        if shape.digits == gtin.UPC_DIGITS - 1:
            return self._eleven(shape)
        if gtin.UPC_DIGITS <= shape.digits <= gtin.MAX_DIGITS:
            return self._whole(shape)
        if shape.can & Can.PADDED:
            return _no(reasons.PADDED_SHORT)
        if self._is_book_with_lost_zeros(shape):
            return self._book(reasons.ISBN_ZERO)
        if self._says_isbn and gtin.EAN8_DIGITS - 1 <= shape.digits <= _NINE:
            return _no(reasons.DOUBTFUL_ISBN_ZERO)
        return self._seven(shape) if shape.digits == gtin.EAN8_DIGITS - 1 else _no(reasons.LENGTH)

    def _with_repairs(self, shape: Shape, verdict: Verdict) -> Verdict:
        """Name what was done to the text before it was a number."""
        if verdict.take is Take.NOTHING:
            return verdict
        reason = verdict.reason
        for flag, done in _DONE:
            if shape.can & flag:
                reason = done if reason is None else reasons.both(reason, done)
        return Verdict(verdict.take, reason)

    # --- letters

    def _own_asin(self, reason: Reason | None = None) -> Verdict:
        if self.claim in {*_GTIN_CLAIMS, Claim.ISBN}:
            return _no(reasons.NOT_AS_SAID)
        return _no(reasons.NOT_WANTED) if self.column.wanted in _GTIN_TYPES else Verdict(Take.ASIN, reason)

    def _lettered(self, shape: Shape) -> Verdict:
        if shape.can & Can.FNSKU:
            return _no(reasons.FNSKU)
        if shape.digits == asin.LENGTH:
            return self._book() if is_isbn(shape) else _no(reasons.BAD_10)
        return self._book(reasons.ISBN_ZERO) if self._is_book_with_lost_zeros(shape) else _no(reasons.OTHER)

    # --- numbers, by length

    def _seven(self, shape: Shape) -> Verdict:
        """Seven digits are a UPC-E without its zero in a column of UPC-Es; EAN-8s with a zero are a shop's own."""
        holds = self.column.holds(shape, Can.UPC_E) and self.column.eights(shape) != "ean8"
        if shape.can & Can.UPC_E and holds and (self.column.eights(shape) == "upc_e" or self.claim is Claim.UPC):
            return self._gtin(shape, Take.UPC_E, reasons.UPC_E)
        return _no(reasons.LENGTH)

    def _eight(self, shape: Shape) -> Verdict:
        ean8, upc_e = bool(shape.can & Can.GTIN), bool(shape.can & Can.UPC_E) and not shape.can & Can.PADDED
        if self._is_book_with_lost_zeros(shape):
            return self._book(reasons.ISBN_ZERO)
        is_upc_e = self.column.eights(shape) == "upc_e" or self.claim is Claim.UPC
        is_ean8 = self.column.eights(shape) == "ean8" or self.claim is Claim.EAN or self.column.header == "ean"
        if upc_e and (is_upc_e or (not ean8 and self.column.header == "upc")):
            trusted = self.column.trusts(shape, Can.UPC_E)
            return self._gtin(shape, Take.UPC_E, reasons.UPC_E) if trusted else _no(reasons.DOUBTFUL)
        if is_upc_e:
            return _no(reasons.BAD_UPC_E)
        if not ean8:
            return _no(reasons.DOUBTFUL_UPC_E if upc_e else reasons.BAD_EAN8)
        if upc_e and (not is_ean8 or (self.claim is not Claim.EAN and self.column.has_upc_es(shape))):
            return _no(reasons.AMBIGUOUS_8)
        if is_isbn(shape) and (self._says_isbn or (self.column.has_isbn10s and not is_ean8)):
            return _no(reasons.AMBIGUOUS_ISBN)
        if shape.can & Can.RESTRICTED:
            return _no(reasons.IN_STORE)
        return self._gtin(shape) if self._is_trusted(shape) else self._doubtful(shape, reasons.DOUBTFUL)

    def _ten(self, shape: Shape) -> Verdict:
        says_gtin = self.claim in _GTIN_CLAIMS or self.column.header in GTIN_HEADERS
        says_gtin |= self.column.is_gtin_column and not self.column.is_asin_column
        says_book = self.claim in {Claim.ISBN, Claim.ASIN} or self.column.header == "isbn" or self.column.is_of_books
        zeros_kept = bool(shape.can & (Can.ZERO_KEPT | Can.SHOWN))
        if is_isbn(shape):
            if says_gtin and not (says_book or zeros_kept or self.column.wanted is CodeType.ASIN):
                return _no(reasons.AMBIGUOUS_10)
            return self._book() if self.column.trusts(shape, Can.ISBN10) else _no(reasons.DOUBTFUL)
        if shape.can & Can.GTIN and says_gtin and not zeros_kept:
            return self._zeros_restored(shape, agrees=self.column.often(shape, Can.GTIN))
        return _no(reasons.BAD_ISBN if self._says_isbn else reasons.BAD_10)

    def _eleven(self, shape: Shape) -> Verdict:
        """Restore the zero of a UPC: one number in ten passes by chance, so the column has to agree."""
        if shape.can & Can.ZERO_KEPT:
            return _no(reasons.ELEVEN_WITH_ZERO)
        if not shape.can & Can.GTIN:
            return _no(reasons.NO_CHECK if self.column.lacks_checks(shape) else reasons.ELEVEN)
        column = self.column
        named = column.header in GTIN_HEADERS and not column.is_asin_column
        agrees = column.is_gtin_column or named or self.claim in _GTIN_CLAIMS or column.often(shape, Can.GTIN, _MANY)
        # Where other texts have kept their zeros, one number in ten that lacks a digit passes, too.
        lone = column.keeps_zeros and not shape.can & Can.NUMERIC and not column.often(shape, Can.GTIN)
        return self._zeros_restored(shape, agrees=agrees and not lone)

    def _zeros_restored(self, shape: Shape, *, agrees: bool) -> Verdict:
        if agrees and self.column.holds(shape, Can.GTIN):
            return self._gtin(shape, reason=reasons.LOST_ZERO)
        return _no(reasons.DOUBTFUL_ZERO)

    def _whole(self, shape: Shape) -> Verdict:
        can = shape.can
        if can & Can.ISBN10_PADDED and (self._says_isbn or self.column.is_of_books):
            return _no(reasons.AMBIGUOUS_10)
        if can & Can.RESTRICTED and can & Can.GTIN:
            return _no(reasons.IN_STORE)
        if not can & Can.GTIN:
            if shape.digits == gtin.MAX_DIGITS:
                return _no(reasons.BAD_GTIN14)
            sendable = self.policy.send_invalid and not can & Can.RESTRICTED
            if not sendable and self.column.lacks_checks(shape):
                return _no(reasons.NO_CHECK)
            return self._gtin(shape, reason=reasons.SENT_ANYWAY) if sendable else _no(reasons.BAD_CHECK)
        if not self._is_trusted(shape):
            return self._doubtful(shape, reasons.NO_CHECK if self.column.lacks_checks(shape) else reasons.DOUBTFUL)
        if can & Can.MEASURE:
            return _no(reasons.MEASURE)
        if can & Can.CASE:
            return self._gtin(shape, Take.UNIT, reasons.UNIT) if self.policy.unpack_cases else _no(reasons.CASE)
        return self._gtin(shape)

    @staticmethod
    def _doubtful(shape: Shape, reason: Reason) -> Verdict:
        return _no(reasons.IN_ADDRESS if shape.can & Can.FROM_ADDRESS else reason)

    def _is_trusted(self, shape: Shape) -> bool:
        """Say whether a number with the right check digit is right; those in addresses are by chance, if not proved."""
        if shape.can & Can.FROM_ADDRESS:
            return self.column.holds(shape, Can.GTIN) and self.column.often(shape, Can.GTIN)
        sent_anyway = self.policy.send_invalid and shape.digits >= gtin.UPC_DIGITS
        return sent_anyway or self.column.trusts(shape, Can.GTIN)

    # --- types

    def _gtin(self, shape: Shape, take: Take = Take.GTIN, reason: Reason | None = None) -> Verdict:
        """Take a GTIN, if its type is wanted. A UPC and the EAN made of 0 + it are one and the same."""
        is_book = bool(shape.can & Can.BOOK) and bool(shape.can & Can.GTIN) and take is Take.GTIN
        if self.claim is Claim.ASIN or self.column.wanted is CodeType.ASIN:
            if is_book:
                return Verdict(Take.ISBN10_OF_EAN, reasons.AS_ISBN10)
            return _no(reasons.NOT_AS_SAID if self.claim is Claim.ASIN else reasons.NOT_WANTED)
        if self.claim is Claim.ISBN and not shape.can & Can.ISBN13:
            return _no(reasons.NOT_AS_SAID)
        if self.column.wanted is CodeType.UPC and not shape.can & Can.UPC and take is not Take.UPC_E:
            return _no(reasons.NOT_WANTED)
        return Verdict(take, reason)

    def _book(self, reason: Reason | None = None) -> Verdict:
        """Take an ISBN-10, which is the ASIN of the book; under an EAN its ISBN-13 is the same book."""
        if self.claim in _GTIN_CLAIMS:
            return _no(reasons.NOT_AS_SAID)
        if self.column.wanted is CodeType.EAN:
            return Verdict(Take.EAN_OF_ISBN10, reason or reasons.AS_ISBN13)
        return _no(reasons.NOT_WANTED) if self.column.wanted is CodeType.UPC else Verdict(Take.ISBN10, reason)

    def _is_book_with_lost_zeros(self, shape: Shape) -> bool:
        """Say whether 7 to 9 digits are an ISBN-10: in a column of ISBNs, where nearly all of that length are.

        A lone one is believed if it lacks one zero, and the others' zeros are lost as well.
        """
        short = gtin.EAN8_DIGITS - 1 <= shape.digits <= _NINE and not shape.can & (Can.PADDED | Can.ZERO_KEPT)
        column = self.column
        if not (short and is_isbn(shape) and column.holds(shape, Can.ISBN10)):
            return False
        nine = shape._replace(digits=_NINE)
        lone_is_fine = (shape.digits == _NINE or column.often(nine, Can.ISBN10)) and (
            bool(shape.can & Can.NUMERIC) or not column.keeps_zeros
        )
        agrees = column.often(shape, Can.ISBN10) or lone_is_fine
        return agrees and (self._says_isbn or (self._says_asin and column.has_isbn10s))

    @property
    def _says_isbn(self) -> bool:
        return self.column.header == "isbn" or self.claim is Claim.ISBN

    @property
    def _says_asin(self) -> bool:
        return self.column.header == "asin" or self.claim is Claim.ASIN
