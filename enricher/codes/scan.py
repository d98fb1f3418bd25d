"""One column of one batch: every cell's shape, and what is worth remembering of the odd ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from enricher.codes.shapes import Shapes, shapes_of, trimmed
from enricher.codes.undress import is_nothing, undress, undress_many

if TYPE_CHECKING:
    from enricher.model import Cells, CodeType, Domain

_KEPT_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Scan:
    """A column's cells seen; the arrays have one element a row.

    `skipped` marks cells that nobody has looked at, because `most_odd` others were odd. By row: the marketplaces that
    addresses name, and the texts of odd cells, shortened.
    """

    shapes: Shapes
    blank: npt.NDArray[np.bool_]
    skipped: npt.NDArray[np.bool_]
    domains: dict[int, Domain] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)


def scan(cells: Cells, wanted: CodeType | None = None, most_odd: int | None = None) -> Scan:
    """See what a column's cells can be. At most `most_odd` odd cells are looked at one by one.

    Of several codes in a cell the first of the `wanted` type is seen.
    """
    text = trimmed(cells)
    shapes = shapes_of(text, cells.numeric, cells.zeros)
    blank = pc.equal(text, "").to_numpy(zero_copy_only=False)
    seen = Scan(shapes, blank, np.zeros(len(text), np.bool_))
    odd = np.flatnonzero(~shapes.known() & ~blank)
    if not len(odd):
        return seen
    original = text.take(pa.array(odd))
    plain = undress_many(original)
    now = shapes_of(plain, cells.numeric[odd], cells.zeros[odd])
    shapes.put(odd, now)
    empty = pc.equal(plain, "").to_numpy(zero_copy_only=False)
    empty[empty] = is_nothing(original.filter(pa.array(empty))).to_numpy(zero_copy_only=False)
    blank[odd[empty]] = True
    still = np.flatnonzero(~now.known() & ~empty)
    if most_odd is not None:
        seen.skipped[odd[still[most_odd:]]] = True
        still = still[:most_odd]
    take = pa.array(still)
    _one_by_one(seen, odd[still], original.take(take).to_pylist(), plain.take(take).to_pylist(), wanted)
    return seen


def _one_by_one(
    seen: Scan, rows: npt.NDArray[np.intp], originals: list[str], plains: list[str], wanted: CodeType | None
) -> None:
    """Look at odd cells, then work out the shapes of what was found in them."""
    cells = list(zip(originals, plains, strict=True))
    bares = {cell: undress(*cell, wanted) for cell in dict.fromkeys(cells)}  # "n/a" and its like come again and again
    found = [bares[cell] for cell in cells]
    none = np.zeros(len(rows), np.bool_)
    shapes = shapes_of(pa.array([bare.text for bare in found], pa.string()), none, none.astype(np.uint8))
    shapes.can[:] |= np.array([bare.can for bare in found], np.int64)
    shapes.digits[:] = np.maximum(shapes.digits, [min(bare.digits, 255) for bare in found])
    seen.shapes.put(rows, shapes)
    numbers = rows.tolist()
    seen.texts.update((row, _shortened(original)) for row, original in zip(numbers, originals, strict=True))
    seen.domains.update((row, bare.domain) for row, bare in zip(numbers, found, strict=True) if bare.domain is not None)


def _shortened(text: str) -> str:
    """Keep of a long text what tells the most: the end of an address, the beginning of anything else."""
    if len(text) <= _KEPT_CHARACTERS:
        return text
    return f"...{text[-_KEPT_CHARACTERS:]}" if "://" in text else f"{text[:_KEPT_CHARACTERS]}..."
