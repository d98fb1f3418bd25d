"""Which of its codes each row is answered by, and what its note says about the others. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from enricher import merge
from enricher.keys import unpack
from enricher.pipeline import fallback

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from enricher.pipeline.reading import Reading


def choose(reading: Reading, answers: merge.Answers) -> merge.Rows:
    """Give every row the first of its codes that was not answered with not found; same rows, same order."""
    found, not_found = answers.outcomes()
    ranks = fallback.ranks(reading.candidates, not_found)
    key_index = reading.candidates[ranks, np.arange(len(ranks))]
    notes = dict(reading.notes[0])
    if len(reading.candidates) > 1:
        moved = ranks > 0
        first, second = reading.candidates[:2]
        exhausted = ~moved & (second != merge.NO_KEY_INDEX) & np.append(not_found, False)[first]
        notes |= _notes(reading, np.flatnonzero(moved | exhausted), ranks, np.append(found, False)[key_index])
    return merge.Rows(key_index, reading.invalid, reading.empty, reading.beyond, notes)


def _notes(
    reading: Reading, rows: npt.NDArray[np.intp], ranks: npt.NDArray[np.intp], found: npt.NDArray[np.bool_]
) -> dict[int, str]:
    """Write the notes of those rows alone that left their first code."""
    candidates = reading.candidates[:, rows]
    involved = np.unique(candidates[candidates != merge.NO_KEY_INDEX])
    codes = {at: key.code for at, key in zip(involved.tolist(), unpack(reading.keys[involved]), strict=True)}
    columns = [column.label for column in reading.layout.code_columns]
    notes = {}
    for row, keys, sources in zip(
        rows.tolist(), candidates.T.tolist(), reading.sources[:, rows].T.tolist(), strict=True
    ):
        rank = int(ranks[row])
        named = [(codes[key], columns[at]) for key, at in zip(keys, sources, strict=True) if key != merge.NO_KEY_INDEX]
        own = reading.notes[rank].get(row)
        parts = [moved_on(named[: rank + 1], found=bool(found[row])), own] if rank else [own, none_found(named)]
        notes[row] = "; ".join(part for part in parts if part)
    return notes


def moved_on(named: Sequence[tuple[str, str]], *, found: bool) -> str:
    """Say which codes were not found before the last one: (code, column in words) each.

    >>> moved_on([("B088H39PXX", "column 'ASIN'"), ("4006381333931", "column 'EAN'")], found=True)
    "B088H39PXX in column 'ASIN' was not found; this is 4006381333931 from column 'EAN'"
    """
    *before, (code, column) = named
    tried = " and ".join(f"{code} in {column}" for code, column in before)
    were = "were" if len(before) > 1 else "was"
    return f"{tried} {were} not found; {'this' if found else 'next'} is {code} from {column}"


def none_found(named: Sequence[tuple[str, str]]) -> str:
    """Say which codes were not found, either, behind the first one, which the row shows.

    >>> none_found([("B088H39PXX", "column 'ASIN'"), ("4006381333931", "column 'EAN'")])
    "not found, nor 4006381333931 from column 'EAN'"
    """
    return "not found, " + ", ".join(f"nor {code} from {column}" for code, column in named[1:])
