"""What the column beside a code says about its type: Amazon's `product-id-type`, and columns like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from enricher.codes.evidence import Claim
from enricher.codes.headers import words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enricher.cells import Cells

_CLAIMS = tuple(Claim)
NO_CLAIM, UNKNOWN_CLAIM = np.uint8(14), np.uint8(15)
"""In the place of a position in `Claim`: the row makes none, or one that nobody knows. `tally` has 4 bits for them."""
_BY_TEXT = {
    **{claim.value: claim for claim in Claim},
    "1": Claim.ASIN,
    "2": Claim.ISBN,
    "3": Claim.UPC,
    "4": Claim.EAN,  # Amazon's listing reports
    "isbn10": Claim.ISBN,
    "isbn13": Claim.ISBN,
    "upca": Claim.UPC,
    "upce": Claim.UPC,
    "gtin12": Claim.UPC,
    "ean13": Claim.EAN,
    "ean8": Claim.EAN,
    "jan": Claim.EAN,
    "gtin13": Claim.EAN,
    "gtin14": Claim.GTIN,
}


def claim_column(names: Sequence[str], code_column: int) -> int | None:
    """Find the column that names the type of each code: called like the code's own, and "type".

    >>> claim_column(["product-id", "price", "product-id-type"], 0)
    2
    """
    wanted = words_of(names[code_column]) | {"type"}
    for index, name in enumerate(names):
        if index != code_column and words_of(name) == wanted:
            return index
    return None


def read_claims(cells: Cells | None, rows: int) -> tuple[npt.NDArray[np.uint8], dict[int, str]]:
    """Read a type column: a position in `Claim` a row, NO_CLAIM for a blank cell, UNKNOWN_CLAIM for an unknown type.

    Returns them, and by row the texts of the unknown ones.
    """
    if cells is None:
        return np.full(rows, NO_CLAIM), {}
    plain = pc.utf8_lower(pc.replace_substring_regex(pc.fill_null(cells.text, ""), r"[\s_-]+|\.0$", ""))
    coded = plain.dictionary_encode()
    table = [_position(text) for text in coded.dictionary.to_pylist()]
    claims: npt.NDArray[np.uint8] = np.array(table, np.uint8)[coded.indices.to_numpy()]
    unknown = np.flatnonzero(claims == UNKNOWN_CLAIM)
    return claims, dict(zip(unknown.tolist(), cells.text.take(pa.array(unknown)).to_pylist(), strict=True))


def _position(text: str) -> int:
    if not text:
        return int(NO_CLAIM)
    claim = _BY_TEXT.get(text)
    return int(UNKNOWN_CLAIM) if claim is None else _CLAIMS.index(claim)


def claim_of(position: int) -> Claim | None:
    """Return the claim at a position, None for none."""
    return _CLAIMS[position] if position < len(_CLAIMS) else None


def claim_name(position: int) -> str:
    """Name a claim for people; empty for none."""
    claim = claim_of(position)
    return "" if claim is None else claim.upper()
