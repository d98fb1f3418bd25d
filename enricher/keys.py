"""Keys packed into numbers, so that a million of them are one array.

Owns how a key becomes a number and back. Knows what a key is from `model`, and nothing of where keys come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from enricher.model import CodeType, Domain, Key

if TYPE_CHECKING:
    from collections.abc import Iterable

KeyArray: TypeAlias = npt.NDArray[np.uint64]
"""Packed keys: 4 bits of type (0 is no key), 4 of domain, 56 of code (a GTIN as an integer, an ASIN in base 36)."""

NO_KEY = np.uint64(0)
_TYPES = tuple(CodeType)
_DOMAINS = tuple(Domain)
_CODE_BITS = 56
_ASIN_LENGTH = 10
_CODE_MASK = (1 << _CODE_BITS) - 1
_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASE36_BYTES = np.frombuffer(_BASE36.encode(), np.uint8)
_DIGIT_VALUES = np.full(256, 255, np.uint8)
_DIGIT_VALUES[_BASE36_BYTES] = np.arange(36)
EAN8_END = 10**8
"""GTIN-13s below this number don't exist: GS1 keeps the prefixes 0000000-0000099 free for padded GTIN-8s."""


def pack(key: Key) -> int:
    """Pack one key.

    >>> unpack([pack(Key(CodeType.UPC, Domain.DE, "012345678905"))])
    [Key(code_type=<CodeType.UPC: 'upc'>, domain=<Domain.DE: 'de'>, code='012345678905')]
    """
    value = int(key.code, 36 if key.code_type is CodeType.ASIN else 10)
    return (_TYPES.index(key.code_type) + 1) << 60 | _DOMAINS.index(key.domain) << _CODE_BITS | value


def pack_array(code_type: CodeType, values: npt.NDArray[np.uint64]) -> KeyArray:
    """Pack codes of one type, given as numbers, for the first domain; same order."""
    return np.uint64((_TYPES.index(code_type) + 1) << 60) | values


def with_domains(keys: KeyArray, positions: npt.NDArray[np.uint8]) -> KeyArray:
    """Move keys of the first domain to others, given as positions in `Domain`; same order."""
    return keys | positions.astype(np.uint64) << np.uint64(_CODE_BITS)


def of_type(keys: KeyArray, code_type: CodeType) -> npt.NDArray[np.bool_]:
    """Say which keys are of a type."""
    mask: npt.NDArray[np.bool_] = keys >> np.uint64(60) == np.uint64(_TYPES.index(code_type) + 1)
    return mask


def markets_of(keys: KeyArray) -> npt.NDArray[np.uint64]:
    """Return the type and domain of each key, as a number for `market_of`."""
    return keys >> np.uint64(_CODE_BITS)


def market_of(number: int) -> tuple[CodeType, Domain]:
    """Return the type and domain that a number of `markets_of` stands for."""
    return _TYPES[(number >> 4) - 1], _DOMAINS[number & 0xF]


def pack_texts(code_type: CodeType, domain: Domain, codes: pa.StringArray) -> KeyArray:
    """Pack canonical texts of one type and one domain; same order. Raises ValueError for what is no code."""
    if code_type is CodeType.ASIN:
        fixed = codes.cast(pa.binary()).cast(pa.binary(_ASIN_LENGTH))
        text = np.frombuffer(fixed.buffers()[1], np.uint8)[fixed.offset * _ASIN_LENGTH :]
        rows, values = read_digits(text.reshape(-1, _ASIN_LENGTH)[: len(codes)], 36)
        if len(rows) < len(codes):
            raise ValueError("an ASIN is ten letters and digits")
    else:
        values = codes.cast(pa.uint64()).to_numpy()
    positions = np.full(len(codes), _DOMAINS.index(domain), np.uint8)
    return with_domains(pack_array(code_type, values), positions)


def read_digits(matrix: npt.NDArray[np.uint8], base: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.uint64]]:
    """Read rows of ASCII bytes as numbers of base 10 or 36.

    Returns which rows are digits of that base throughout, and the numbers of those.
    """
    digits = _DIGIT_VALUES[matrix]
    rows = np.flatnonzero((digits < base).all(axis=1))
    values = np.zeros(len(rows), np.uint64)
    for column in digits[rows].T:
        values = values * np.uint64(base) + column
    return rows, values


def unpack(keys: Iterable[int] | KeyArray) -> list[Key]:
    """Unpack keys, in order."""
    return [_unpack_one(int(packed)) for packed in keys]


def _unpack_one(packed: int) -> Key:
    code_type, domain = market_of(packed >> _CODE_BITS)
    value = packed & _CODE_MASK
    if code_type is CodeType.ASIN:
        return Key(code_type, domain, base36_text(value))
    if code_type is CodeType.UPC:
        return Key(code_type, domain, f"{value:012}")
    return Key(code_type, domain, f"{value:08}" if value < EAN8_END else f"{value:013}")


def code_texts(keys: KeyArray) -> pa.StringArray:
    """Return the codes of keys as text, in order; a whole array at a time.

    >>> code_texts(np.array([pack(Key(CodeType.EAN, Domain.DE, "73513537"))], np.uint64)).to_pylist()
    ['73513537']
    """
    values = keys & np.uint64(_CODE_MASK)
    is_upc, is_asin = of_type(keys, CodeType.UPC), of_type(keys, CodeType.ASIN)
    digits = np.where(is_upc, 12, np.where(values < EAN8_END, 8, 13)).astype(np.uint8)
    texts = number_texts(values, digits)
    return pc.replace_with_mask(texts, pa.array(is_asin), base36_texts(values[is_asin])) if is_asin.any() else texts


def number_texts(values: npt.NDArray[np.uint64], digits: npt.NDArray[np.uint8]) -> pa.StringArray:
    """Write numbers with so many digits each, zeros in front."""
    texts = pa.array(values).cast(pa.string())
    for width in np.unique(digits).tolist():
        if width > 1:
            texts = pc.if_else(pa.array(digits == width), pc.utf8_lpad(texts, width, "0"), texts)
    return texts


def base36_texts(values: npt.NDArray[np.uint64]) -> pa.StringArray:
    """Write numbers as the ten base-36 digits of ASINs."""
    places = np.empty((len(values), 10), np.uint8)
    rest = values
    for place in range(9, -1, -1):
        rest, digit = np.divmod(rest, np.uint64(36))
        places[:, place] = _BASE36_BYTES[digit]
    return pa.array(places.view("S10").ravel().astype(str), pa.string())


def base36_text(value: int) -> str:
    """Write a number as the ten base-36 digits of an ASIN."""
    digits = []
    for _ in range(10):
        value, digit = divmod(value, 36)
        digits.append(_BASE36[digit])
    return "".join(reversed(digits))
