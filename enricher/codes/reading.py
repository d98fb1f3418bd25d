"""One cell that is not plainly a code: undress it, read it, and say what was done or why it can't be read.

This is the slow path, for odd cells alone. It repairs only on evidence and never between two possible codes.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from enricher.codes import asin, gtin, marketplaces
from enricher.keys import EAN8_END
from enricher.model import CodeType, Domain

_WRAPPERS = re.compile(r"""^(?:=?["'`\u2018\u2019]+|\[)+\s*|\s*(?:["'`\u2018\u2019]+|\])+$""")
_SCIENTIFIC = re.compile(r"([0-9])(?:[.,]([0-9]+))?E\+?([0-9]{1,2})", re.IGNORECASE)
_DATE = re.compile(r"(?:19|20)[0-9]{2}[-./]?[01][0-9][-./]?[0-3][0-9]|[0-3]?[0-9][-./][01]?[0-9][-./](?:19|20)[0-9]{2}")
_GTIN_HEADERS = {"upc", "ean", "gtin"}
_LONGEST = 200
"""Characters of a cell that may still be a code with something around it."""
_BETWEEN_DIGITS = re.compile(r"(?<=[0-9X])[\s\-\u2010-\u2015](?=[0-9X])")
_SEPARATORS = re.compile(r"[\s,;|/:()]+|-(?=[A-Z])")
_INVISIBLE = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x200E, 0x200F))
_LENGTHS = {gtin.EAN8_DIGITS, gtin.UPC_DIGITS, gtin.EAN_DIGITS, gtin.MAX_DIGITS}
_PADDED_LEAST = 10**10
"""Below this a number padded to 15 or more digits is as likely a shop's own as a GTIN."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the column a cell stands in.

    `wanted` is the type the user named; `header` the kind its header names; the shares are of its plainly valid cells.
    """

    wanted: CodeType | None = None
    header: str | None = None
    asin_share: float = 0.0
    gtin_share: float = 0.0

    @property
    def is_gtin_column(self) -> bool:
        return self.wanted in {CodeType.UPC, CodeType.EAN} or self.gtin_share > max(0.5, self.asin_share)

    @property
    def is_asin_column(self) -> bool:
        if self.header in _GTIN_HEADERS:
            return self.wanted is CodeType.ASIN
        return self.wanted is CodeType.ASIN or self.header is not None or self.asin_share > self.gtin_share


@dataclass(frozen=True, slots=True)
class Reading:
    """A cell read: a code (with its type), or None and the reason. `domain` is set when an address named it."""

    code: str | None
    code_type: CodeType | None = None
    note: str = ""
    domain: Domain | None = None


def read(text: str, zeros: int, evidence: Evidence, *, numeric: bool) -> Reading:
    """Read one odd cell. `zeros` is the width of its all-zeros number format, 0 for none.

    >>> read('="0367672960"', 0, Evidence(header="asin"), numeric=False).code
    '0367672960'
    >>> read("8.49E+11", 0, Evidence(), numeric=False).note
    'shortened to 8.49E+11 by a spreadsheet: the other digits are lost; take the code from its source'
    """
    if (found := asin.from_url(text)) is not None:
        return _from_url(*found)
    if len(text) > _LONGEST:
        return Reading(None, note="neither an ASIN nor a UPC or EAN")
    bare = _undress(text)
    if _DATE.fullmatch(bare):
        return Reading(None, note=f"{bare} is a date")
    if scientific := _SCIENTIFIC.fullmatch(bare):
        whole, decimals, exponent = scientific[1], scientific[2] or "", int(scientific[3])
        if len(decimals) < exponent:
            lost = f"shortened to {text.strip()} by a spreadsheet: the other digits are lost"
            return Reading(None, note=f"{lost}; take the code from its source")
        written_out = _read_digits(whole + decimals[:exponent], zeros, evidence, numeric=numeric)
        return replace(written_out, note=written_out.note or f"written out from {bare}")
    compact = _BETWEEN_DIGITS.sub("", bare)
    if _is_digits(compact):
        return _read_digits(compact, zeros, evidence, numeric=numeric)
    # An ISBN may be hyphenated, an ASIN is not: pieces that happen to make one up are something else.
    if asin.is_isbn10(compact) or (asin.is_own(bare) and (bare.startswith("B0") or evidence.is_asin_column)):
        return _asin(compact, evidence)
    return _pick(bare, evidence)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _undress(text: str) -> str:
    """Take off what spreadsheets and exports put around a code; the letters end up in upper case."""
    plain = unicodedata.normalize("NFKC", text).translate(_INVISIBLE).strip()
    while (peeled := _WRAPPERS.sub("", plain).strip()) != plain:
        plain = peeled
    return re.sub(r"(?<=\d)\.0+$", "", plain).upper()


def _from_url(code: str, host: str) -> Reading:
    domain = marketplaces.parse(host)
    if domain is None and "amazon." in host:
        return Reading(None, note=f"{host} is a marketplace that the service does not offer")
    return Reading(code, CodeType.ASIN, "ASIN taken from the address", domain)


def _asin(code: str, evidence: Evidence) -> Reading:
    if evidence.wanted in {CodeType.UPC, CodeType.EAN}:
        return Reading(None, note=f"{code} is an ASIN, and only {evidence.wanted.upper()} codes were asked for")
    return Reading(code, CodeType.ASIN)


def _gtin(code: str, evidence: Evidence, note: str = "") -> Reading:
    """Give a valid GTIN of 8 or 13 digits its type: a UPC and the EAN made of 0 + it are one and the same."""
    is_upc = len(code) == gtin.EAN_DIGITS and code.startswith("0")
    if evidence.wanted is CodeType.ASIN:
        return Reading(None, note=f"{code} is a UPC or EAN, and only ASINs were asked for")
    if evidence.wanted is CodeType.UPC and not is_upc:
        return Reading(None, note=f"{code} is an EAN that has no UPC form")
    if is_upc:
        return Reading(code[1:], CodeType.UPC, note)
    return Reading(code, CodeType.EAN, note)


def _read_digits(digits: str, zeros: int, evidence: Evidence, *, numeric: bool) -> Reading:
    length = len(digits)
    if not int(digits):
        return Reading(None, note="only zeros")
    if zeros > length and zeros in _LENGTHS:
        return _whole(digits.zfill(zeros), evidence, "leading zero restored, as the cell's format shows it")
    if length == asin.LENGTH:
        return _ten_digits(digits, evidence)
    if length in {8, 9} and evidence.header == "isbn" and asin.is_isbn10(digits.zfill(asin.LENGTH)):
        return Reading(digits.zfill(asin.LENGTH), CodeType.ASIN, "leading zero of the ISBN-10 restored")
    if length == gtin.UPC_DIGITS - 1:
        return _eleven_digits(digits, evidence, numeric=numeric)
    return _whole(digits, evidence)


def _whole(digits: str, evidence: Evidence, note: str = "") -> Reading:
    """Read a number that has all its digits."""
    if len(digits) > gtin.MAX_DIGITS and int(digits) < 10**gtin.EAN_DIGITS:
        if int(digits) < _PADDED_LEAST:
            return Reading(None, note=f"{digits.lstrip('0')} padded with zeros: too short for a UPC or EAN")
        digits, note = digits[-gtin.EAN_DIGITS :], "padding zeros removed"
    length = len(digits)
    if length not in _LENGTHS:
        return Reading(None, note=f"{length} digits: a UPC has 12, an EAN 13 or 8")
    if not gtin.is_valid(digits):
        right = gtin.check_digit(digits[:-1])
        return Reading(None, note=f"check digit wrong: {digits} would have to end in {right}; a mistyped digit?")
    if length == gtin.MAX_DIGITS and digits[0] != "0":
        return Reading(None, note=f"{digits} is a GTIN-14 of a case or a weight, another article than the single one")
    if length == gtin.MAX_DIGITS and int(digits) < EAN8_END:
        return Reading(None, note=f"{digits} can be an EAN-8 or a UPC: write it with 8 or with 12 digits")
    if length == gtin.EAN8_DIGITS:
        return _ean8(digits, evidence, note)
    ean = digits[-gtin.EAN_DIGITS :].zfill(gtin.EAN_DIGITS)
    if gtin.is_restricted(ean):
        return Reading(None, note=f"{digits} is an in-store or coupon number, not a global product")
    return _gtin(ean, evidence, note)


def _ean8(digits: str, evidence: Evidence, note: str) -> Reading:
    """Read eight digits with the right check digit. GS1 keeps the prefixes 0 and 2 for a shop's own (and 20240103)."""
    if gtin.is_upc_e(digits) and evidence.header != "ean" and evidence.wanted is not CodeType.EAN:
        return Reading(None, note=f"{digits} can be an EAN-8 or a short UPC-E: write the UPC in full, 12 digits")
    if digits[0] in "02":
        return Reading(None, note=f"{digits} is an in-store number, not a global product")
    return _gtin(digits, evidence, note)


def _ten_digits(digits: str, evidence: Evidence) -> Reading:
    if not asin.is_isbn10(digits):
        return Reading(None, note="10 digits, and not an ISBN-10: the check digit is wrong")
    if evidence.header in _GTIN_HEADERS or (evidence.is_gtin_column and not evidence.is_asin_column):
        return Reading(None, note=f"{digits} can be an ISBN-10 or a UPC that lost zeros: write it in full")
    return _asin(digits, evidence)


def _eleven_digits(digits: str, evidence: Evidence, *, numeric: bool) -> Reading:
    """Restore the zero a spreadsheet dropped: one number in ten passes by chance, so the column must agree."""
    if not gtin.is_valid(digits):
        return Reading(None, note="11 digits: a UPC has 12, and with a zero in front the check digit is wrong")
    named = evidence.header in _GTIN_HEADERS
    if not (evidence.is_gtin_column or (named and not evidence.is_asin_column) or (numeric and named)):
        return Reading(None, note=f"11 digits: if this is a UPC that lost its zero, write it as 0{digits}")
    return _whole("0" + digits, evidence, "leading zero restored")


def _pick(text: str, evidence: Evidence) -> Reading:
    """Take the first whole, valid code out of a cell that holds more than one thing."""
    for token in _SEPARATORS.split(text):
        bare = token.strip("\"'[]{}.")
        if _is_digits(bare) and len(bare) >= gtin.UPC_DIGITS:
            reading = _whole(bare, evidence)
        elif bare.startswith("B0") and asin.is_own(bare):
            reading = _asin(bare, evidence)
        else:
            continue
        if reading.code is not None:
            return Reading(reading.code, reading.code_type, f"several things in the cell; took {bare}")
    if re.fullmatch(r"X0[0-9A-Z]{8}", text):
        return Reading(None, note=f"{text} is an FNSKU, Amazon's label of one seller's stock; give the ASIN")
    return Reading(None, note="neither an ASIN nor a UPC or EAN")
