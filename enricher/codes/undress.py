"""What stands around a code is taken off: quotes, labels, hyphens, addresses, scientific notation, other codes.

Two ways to the same end: with Arrow's kernels for many cells at once, and a look at each cell for what is odder than
that. Says what was found in the cell, never what it is worth.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

from enricher.codes import asin, gtin, marketplaces
from enricher.codes.shapes import MOST_TAIL, Can
from enricher.model import CodeType

if TYPE_CHECKING:
    from collections.abc import Callable

    from enricher.model import Domain

_QUOTES = "\"'`\u00b4\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
_WRAPPING = rf"^(?:[=\s{_QUOTES}\[({{<#*]|&#39;)+|(?:[\s{_QUOTES}\])}}>;,.*]|&#39;)+$"
_LABEL = (
    r"^(?:(?:ISBN(?:[- ]?1[03])?|EAN(?:[- ]?(?:8|13))?|UPC(?:[- ]?[AE])?|GTIN(?:[- ]?(?:8|12|13|14))?|JAN|ASIN|BARCODE)"
    r" ?[:#=]|(?:ISBN(?:-?1[03])?|EAN(?:-?(?:8|13))?|UPC(?:-?[AE])?|GTIN(?:-?(?:8|12|13|14))?|JAN|ASIN|BARCODE) ) ?"
    r"([0-9B])"
)
_ZERO_DECIMALS = r"^([0-9]{7,})[.,]0+$"
_DATE = r"^(?:(?:19|20)[0-9]{2}[-./][01]?[0-9][-./][0-3]?[0-9]|[0-3]?[0-9][-./][0-3]?[0-9][-./](?:19|20)?[0-9]{2})$"
_HYPHEN = "\\-\u2010-\u2015\u2212"
_GROUPED = (
    rf"^[0-9]{{1,7}}(?:[ {_HYPHEN}][0-9]{{1,7}})*(?:[ {_HYPHEN}]?[0-9X])$"
    r"|^[0-9]{1,3}(?:[,'][0-9]{3}){3,4}$|^[0-9]{1,3}(?:\.[0-9]{3}){3,4}$|^[0-9]{1,7}(?:\.[0-9X]{1,7}){3,}$"
)
_ISBN13 = rf"^97[89][ {_HYPHEN}][0-9]{{10}}$"
_SEPARATORS = rf"[ .,'{_HYPHEN}]"
_INVISIBLE = "[\u200b-\u200f\u2060\ufeff\u00ad\u00b4\u00b2\u00b3\u00b9\u2070-\u209f\u2460-\u24ff]"
"""Characters that are not to be seen, and the small digits that refer to a footnote."""

_IS_DATE = re.compile(_DATE)
_SCIENTIFIC = re.compile(r"([0-9])(?:[.,]([0-9]+))?E\+?([0-9]{1,2})")
_TOKENS = re.compile(
    rf"(?<![0-9A-Z.{_HYPHEN}])(?:[0-9]{{8}}|[0-9]{{9}}[0-9X]|[0-9]{{12,14}}|B0[0-9A-Z]{{8}})(?![0-9A-Z]|[.,{_HYPHEN}][0-9])"
)
_SEARCHED = re.compile(r"[?&](?:k|keywords|field-keywords)=(B0[0-9A-Z]{8}|[0-9]{12,13})(?![0-9A-Z])", re.IGNORECASE)
_WORTH_A_LOOK = r"[0-9]{8}|B0[0-9A-Z]{8}|[0-9]E\+?[0-9]"
_NOTHING = rf"(?i)^(?:[\s{_QUOTES}.{_HYPHEN}]*|n/?a|none|null|nan)$"
_LIST = re.compile(r"[0-9,;|/\s]+")
_LONGEST = 400
"""Characters of a cell that may still be a code with something around it: addresses are long, descriptions longer."""
_LONGEST_TEXT = 120


@dataclass(frozen=True, slots=True)
class Bare:
    """A cell undressed: the bare text (empty: there is no code in it), and what is known of it.

    `domain` is what an address names; `digits` tells of a number whose last digits are lost how many it had.
    """

    text: str
    can: Can = Can.NOTHING
    domain: Domain | None = None
    digits: int = 0


def undress_many(text: pa.StringArray) -> pa.StringArray:
    """Take off what spreadsheets and exports commonly put around codes; same cells, same order, in upper case.

    Dates keep their hyphens, and so does what is not digits throughout: pieces must not add up to a code.
    """
    ascii_only = pc.string_is_ascii(text)
    plain = _changed(text, pc.invert(ascii_only), lambda odd: pc.utf8_normalize(_visible(odd), form="NFKC"))
    plain = pc.replace_substring_regex(pc.utf8_upper(plain), _WRAPPING, "")
    labelled = pc.match_substring_regex(plain, "^[A-Z]")
    plain = _changed(plain, labelled, lambda odd: pc.replace_substring_regex(odd, _LABEL, r"\1"))
    plain = pc.replace_substring_regex(plain, _ZERO_DECIMALS, r"\1")
    grouped = pc.or_(pc.match_substring_regex(plain, _GROUPED), pc.match_substring_regex(plain, _ISBN13))
    grouped = pc.and_not(grouped, pc.match_substring_regex(plain, _DATE))
    return _changed(plain, grouped, lambda odd: pc.replace_substring_regex(odd, _SEPARATORS, ""))


def may_hold_code(text: pa.StringArray, plain: pa.StringArray) -> pa.BooleanArray:
    """Say which odd cells are worth a look one by one: those with digits enough, an address, or letters of others."""
    worth = pc.or_(pc.match_substring_regex(plain, _WORTH_A_LOOK), pc.match_substring_regex(plain, _DATE))
    address = pc.match_substring_regex(text, "/|%2[Ff]")
    return pc.or_(worth, pc.or_(address, pc.invert(pc.string_is_ascii(plain))))


def _changed(
    text: pa.StringArray, mask: pa.BooleanArray, change: Callable[[pa.StringArray], pa.StringArray]
) -> pa.StringArray:
    """Change those cells alone that are marked: regular expressions are what takes the time here."""
    return pc.replace_with_mask(text, mask, change(text.filter(mask)))


def _visible(text: pa.StringArray) -> pa.StringArray:
    return pc.replace_substring_regex(text, _INVISIBLE, "")


def is_nothing(text: pa.StringArray) -> pa.BooleanArray:
    """Say which cells hold what people write where there is nothing: a hyphen, n/a, none, or quotes alone."""
    return pc.match_substring_regex(_visible(text), _NOTHING)


def undress(text: str, plain: str, wanted: CodeType | None = None) -> Bare:
    """Look for a code in one odd cell: `text` as it stands there, `plain` as `undress_many` left it.

    >>> undress("8902102164166 :1", "8902102164166 :1").text
    '8902102164166'
    >>> undress("4.006381333931e+12", "4.006381333931E+12").text
    '4006381333931'
    """
    if "." in text and ("/" in text or "%2F" in plain):
        return _in_address(text)
    if len(text) > _LONGEST_TEXT and not _LIST.fullmatch(text):
        return Bare("")
    bare = plain if plain.isascii() else "".join(map(_digit, plain))
    if _IS_DATE.fullmatch(bare):
        return Bare("", Can.DATE)
    if scientific := _SCIENTIFIC.fullmatch(bare):
        whole, decimals, exponent = scientific[1], scientific[2] or "", int(scientific[3])
        if len(decimals) < exponent:
            was_code = exponent + 1 >= gtin.EAN8_DIGITS - 1
            return Bare("", Can.LOST, digits=exponent + 1) if was_code else Bare("")
        return Bare("" if decimals[exponent:].strip("0") else whole + decimals[:exponent], Can.WRITTEN_OUT)
    return _in_text(bare, wanted)


def _digit(char: str) -> str:
    """Write a digit of another script as ours."""
    return str(unicodedata.decimal(char)) if char.isdecimal() and not char.isascii() else char


def _in_address(text: str) -> Bare:
    """Look for a product in an address: Amazon's, or the one number in another one that is as long as a code."""
    if (found := asin.from_url(text)) is not None:
        code, host = found
        domain = marketplaces.parse(host)
        return Bare("", Can.OTHER_SITE) if domain is None else Bare(code, Can.FROM_ADDRESS, domain)
    if amazon := [host for host, _ in marketplaces.addresses(text)]:
        domain, searched = marketplaces.parse(amazon[0]), _SEARCHED.search(text)
        if domain is None or searched is None:
            return Bare("", Can.OTHER_SITE if domain is None else Can.NOTHING)
        return Bare(searched[1].upper(), Can.FROM_TEXT, domain)
    if len(text) > _LONGEST:
        return Bare("")
    tokens = [
        token for token in _TOKENS.findall(unquote(text).upper()) if token.isdigit() and len(token) != asin.LENGTH
    ]
    return Bare(tokens[0], Can.FROM_ADDRESS) if len(set(tokens)) == 1 else Bare("")


def _in_text(text: str, wanted: CodeType | None) -> Bare:
    """Take the first valid code out of a cell that holds more than one thing, and say so."""
    tokens = _TOKENS.findall(text)
    if wanted is not None:
        tokens = [
            token for token in tokens if (token.isdigit() and len(token) != asin.LENGTH) != (wanted is CodeType.ASIN)
        ]
    for kind in (_is_long, _is_ten, str.isdigit):
        alike = [token for token in tokens if kind(token)]
        if alike:
            valid = next((token for token in alike if _is_valid(token)), None)
            distinct = {token.zfill(gtin.MAX_DIGITS) for token in tokens}
            return Bare(valid or alike[0], Can.SEVERAL if valid and len(distinct) > 1 else Can.FROM_TEXT)
    return Bare("")


def _is_long(token: str) -> bool:
    return len(token) > asin.LENGTH or token.startswith("B")


def _is_ten(token: str) -> bool:
    return len(token) == asin.LENGTH


def _is_valid(token: str) -> bool:
    if token.startswith("B"):
        return True
    return asin.is_isbn10(token) if len(token) == asin.LENGTH else _is_article(token)


def _is_article(number: str) -> bool:
    """Say whether a number of 8 or 12 to 14 digits is one article's own."""
    if len(number) == gtin.EAN8_DIGITS and gtin.is_upc_e(number):
        return True
    if number.endswith("0" * MOST_TAIL) or not gtin.is_valid(number):
        return False
    return int(number) < 10**gtin.EAN_DIGITS and not gtin.is_restricted(number.zfill(gtin.MAX_DIGITS)[1:])
