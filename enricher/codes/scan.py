"""One column of one batch: every cell's shape, and what is worth remembering of the odd ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from enricher.cells import Cells
from enricher.codes.digits import shapes_of, trimmed
from enricher.codes.shapes import Can, Shapes
from enricher.codes.undress import is_nothing, may_hold_code, undress, undress_many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enricher.model import CodeType, Domain

_KEPT_CHARACTERS, _KEPT_START, _KEPT_END = 40, 16, 22
_LONGEST_NOTHING = 4
_EXAMPLES = 200
"""Texts of odd cells kept of each batch."""
_FEW_COLUMNS = 256
_CELLS_TOGETHER = 65_536


@dataclass(frozen=True, slots=True)
class Scan:
    """A column's cells seen; the arrays have one element a row.

    By row: the marketplaces that addresses name, and the texts of some odd cells, shortened.
    """

    shapes: Shapes
    blank: npt.NDArray[np.bool_]
    domains: dict[int, Domain] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)


def scan(cells: Cells, wanted: CodeType | None = None) -> Scan:
    """See what a column's cells can be. Of several codes in a cell the first of the `wanted` type is seen."""
    text = trimmed(cells)
    shapes = shapes_of(text, cells.numeric, cells.zeros)
    blank = pc.equal(text, "").to_numpy(zero_copy_only=False)
    seen = Scan(shapes, blank)
    odd = np.flatnonzero(~shapes.known() & ~blank)
    if not len(odd):
        return seen
    original = text.take(pa.array(odd))
    plain = undress_many(original)
    now = shapes_of(plain, cells.numeric[odd], cells.zeros[odd])
    shapes.put(odd, now)
    empty = (pc.binary_length(plain).to_numpy() <= _LONGEST_NOTHING) & ~now.known()
    empty[empty] = is_nothing(original.filter(pa.array(empty))).to_numpy(zero_copy_only=False)
    blank[odd[empty]] = True
    still = np.flatnonzero(~now.known() & ~empty)
    take = pa.array(still)
    worth = may_hold_code(original.take(take), plain.take(take)).to_numpy(zero_copy_only=False)
    _keep_texts(seen, odd[still[~worth]], original.take(pa.array(still[~worth][:_EXAMPLES])).to_pylist())
    still = still[worth]
    take = pa.array(still)
    _one_by_one(seen, odd[still], original.take(take).to_pylist(), plain.take(take).to_pylist(), wanted)
    return seen


def scan_columns(columns: Sequence[Cells], wanted: CodeType | None = None) -> list[Scan]:
    """See several columns of the same rows; columns without a cell may be one object, and are then seen once."""
    different = {id(cells): cells for cells in columns}
    seen = dict(zip(different, _scan_different([*different.values()], wanted), strict=True))
    return [seen[id(cells)] for cells in columns]


def _scan_different(columns: Sequence[Cells], wanted: CodeType | None) -> list[Scan]:
    """See columns; of very many, those that fit together at once: each costs a millisecond."""
    if len(columns) <= _FEW_COLUMNS:
        return [scan(cells, wanted) for cells in columns]
    rows = max(1, len(columns[0]))
    together = max(1, _CELLS_TOGETHER // rows)
    scans: list[Scan] = []
    for start in range(0, len(columns), together):
        some = columns[start : start + together]
        seen = scan(Cells.joined(some), wanted)
        scans += [_part(seen, at * rows, (at + 1) * rows) for at in range(len(some))]
    return scans


def _part(seen: Scan, start: int, stop: int) -> Scan:
    """Return what was seen of some rows."""
    arrays = (getattr(seen.shapes, name)[start:stop] for name in Shapes.__slots__)
    rows = range(start, stop)
    domains = {row - start: domain for row, domain in seen.domains.items() if row in rows}
    texts = {row - start: text for row, text in seen.texts.items() if row in rows}
    return Scan(Shapes(*arrays), seen.blank[start:stop], domains, texts)


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
    quoted = np.array([bool(bare.can & (Can.LOST | Can.OTHER_SITE)) for bare in found], np.bool_)
    quoted[:_EXAMPLES] = True
    kept = np.flatnonzero(quoted)
    _keep_texts(seen, rows[kept], [originals[at] for at in kept.tolist()])
    numbers = rows.tolist()
    seen.domains.update((row, bare.domain) for row, bare in zip(numbers, found, strict=True) if bare.domain is not None)


def _keep_texts(seen: Scan, rows: npt.NDArray[np.intp], texts: Sequence[str]) -> None:
    """Keep the texts of the first cells: those that notes quote, and enough for a few examples of each kind."""
    seen.texts.update((row, _shortened(text)) for row, text in zip(rows.tolist(), texts, strict=False))


def _shortened(text: str) -> str:
    """Keep of a long text what tells the most: both ends of an address, the beginning of anything else."""
    line = " ".join(text.split())
    if len(line) <= _KEPT_CHARACTERS:
        return line
    return f"{line[:_KEPT_START]}...{line[-_KEPT_END:]}" if "/" in line else f"{line[:_KEPT_CHARACTERS]}..."
