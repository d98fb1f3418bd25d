"""A whole column kept small: of every row the number of its shape and its value, whatever the file's size.

Gathers what `scan` saw, batch by batch. Ten bytes a row, and a few dozen shapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from enricher.codes.shapes import Can, Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enricher.codes.scan import Scan
    from enricher.model import Domain

BLANK = 0
"""The number of the shape of a cell that holds nothing."""
_TAIL_AT, _CLAIM_AT, _CAN_AT = 8, 12, 16
"""Bits at which the parts of a shape begin in one number."""


@dataclass(frozen=True, slots=True)
class Tallied:
    """A column's rows: `numbers` are positions in `shapes` and `claims`, `integers` the codes.

    `claims` are positions of what the row's type column says (`claims.read_claims`). By row: the marketplaces that
    addresses name, the texts of some odd cells, shortened, and the types that nobody knows.
    """

    numbers: npt.NDArray[np.uint16]
    integers: npt.NDArray[np.uint64]
    shapes: tuple[Shape, ...]
    claims: npt.NDArray[np.uint8]
    domains: dict[int, Domain]
    texts: dict[int, str]
    unknown_claims: dict[int, str]

    @property
    def filled(self) -> npt.NDArray[np.bool_]:
        """Say which rows hold something."""
        filled: npt.NDArray[np.bool_] = self.numbers != BLANK
        return filled

    def counts(self, first_row: int = 0) -> list[int]:
        """Count the cells of each shape from some row on."""
        counts: list[int] = np.bincount(self.numbers[first_row:], minlength=len(self.shapes)).tolist()
        return counts

    def census(self, first_row: int = 0) -> dict[Shape, int]:
        """Count the cells of each shape, whatever is claimed of them; blank ones are left out."""
        census: dict[Shape, int] = {}
        for number, count in enumerate(self.counts(first_row)):
            if count and number != BLANK:
                census[self.shapes[number]] = census.get(self.shapes[number], 0) + count
        return census


class Tally:
    """Takes a column in batches."""

    def __init__(self) -> None:
        self._numbers: list[npt.NDArray[np.uint16]] = []
        self._integers: list[npt.NDArray[np.uint64]] = []
        self._known: dict[int, int] = {-1: BLANK}
        self._domains: dict[int, Domain] = {}
        self._texts: dict[int, str] = {}
        self._unknown_claims: dict[int, str] = {}
        self._rows = 0

    def add(
        self, seen: Scan, claims: npt.NDArray[np.uint8], unknown_claims: Mapping[int, str] = MappingProxyType({})
    ) -> None:
        """Take the next rows; `claims` says for each what its type column says, and by row what nobody knows of it."""
        shapes = seen.shapes
        packed = shapes.can << _CAN_AT | claims.astype(np.int64) << _CLAIM_AT
        packed |= shapes.tail.astype(np.int64) << _TAIL_AT | shapes.digits
        packed[seen.blank] = -1
        codes, distinct = pd.factorize(packed)
        known = [self._known.setdefault(shape, len(self._known)) for shape in distinct.tolist()]
        self._numbers.append(np.array(known, np.uint16)[codes])
        self._integers.append(shapes.values)
        self._domains.update((self._rows + row, domain) for row, domain in seen.domains.items())
        self._texts.update((self._rows + row, text) for row, text in seen.texts.items())
        self._unknown_claims.update((self._rows + row, text) for row, text in unknown_claims.items())
        self._rows += len(codes)

    def finish(self) -> Tallied:
        """Return the column."""
        packed = [0, *list(self._known)[1:]]
        return Tallied(
            np.concatenate([np.empty(0, np.uint16), *self._numbers]),
            np.concatenate([np.empty(0, np.uint64), *self._integers]),
            tuple(Shape(shape & 0xFF, Can(shape >> _CAN_AT), shape >> _TAIL_AT & 0xF) for shape in packed),
            np.array([shape >> _CLAIM_AT & 0xF for shape in packed], np.uint8),
            self._domains,
            self._texts,
            self._unknown_claims,
        )
