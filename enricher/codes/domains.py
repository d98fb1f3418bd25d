"""The marketplace of every row: which column names it, and what its cells say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from enricher.codes import marketplaces
from enricher.codes.headers import words_of
from enricher.model import Domain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enricher.model import Cells, Preview

DOMAINS = tuple(Domain)
UNKNOWN = np.uint8(15)
"""In the place of a position in `Domain`: a marketplace that nobody knows."""
_SAMPLE = 200
_HEADER_WORDS = {"marketplace", "domain", "marktplatz", "amazon", "marketplaces", "domains", "site"}


@dataclass(frozen=True, slots=True)
class RowDomains:
    """A position in `Domain` a row, or UNKNOWN; and by row what is odd about it."""

    positions: npt.NDArray[np.uint8]
    notes: dict[int, str] = field(default_factory=dict)

    @classmethod
    def joined(cls, parts: Sequence[RowDomains]) -> RowDomains:
        """Put batches together."""
        starts = np.cumsum([0, *(len(part.positions) for part in parts)]).tolist()
        notes = {
            start + row: note for start, part in zip(starts, parts, strict=False) for row, note in part.notes.items()
        }
        return cls(np.concatenate([np.empty(0, np.uint8), *(part.positions for part in parts)]), notes)


def read_domains(cells: Cells | None, default: Domain, rows: int) -> RowDomains:
    """Read a marketplace column; without one every row is of the default marketplace."""
    default_at = DOMAINS.index(default)
    if cells is None:
        return RowDomains(np.full(rows, default_at, np.uint8))
    coded = pc.fill_null(pc.utf8_trim_whitespace(cells.text), "").dictionary_encode()
    names = coded.dictionary.to_pylist()
    parsed = [marketplaces.parse(name) if name else default for name in names]
    table = np.array([UNKNOWN if domain is None else DOMAINS.index(domain) for domain in parsed], np.uint8)
    index = coded.indices.to_numpy()
    notes: dict[int, str] = {}
    for at, (name, domain) in enumerate(zip(names, parsed, strict=True)):
        if domain is None or not name:
            text = f"no marketplace in the row, so {default}" if not name else f"unknown marketplace {name!r}"
            notes.update(dict.fromkeys(np.flatnonzero(index == at).tolist(), text))
    return RowDomains(table[index], notes)


def marketplace_column(preview: Preview, names: Sequence[str], first_row: int) -> str | None:
    """Name the column of marketplaces, by its header and its cells; None where there is none."""
    for cells, name in zip(preview.columns, names, strict=True):
        if _HEADER_WORDS & words_of(name) and all(named := _named(cells, first_row)) and named:
            return name
    return None


def linked_marketplace(preview: Preview, names: Sequence[str], first_row: int) -> tuple[str, Domain] | None:
    """Find a column of addresses that all name one marketplace: its header, and that marketplace."""
    for cells, name in zip(preview.columns, names, strict=True):
        texts = cells.text[first_row : first_row + _SAMPLE]
        if pc.any(pc.match_substring_regex(pc.fill_null(texts, ""), r"amazon\.[a-z]|keepa\.com")).as_py():
            named = set(_named(cells, first_row))
            if len(named) == 1 and (domain := named.pop()) is not None:
                return name, domain
    return None


def _named(cells: Cells, first_row: int) -> list[Domain | None]:
    """Return what the first filled cells name."""
    texts = [text.strip() for text in cells.text[first_row : first_row + _SAMPLE].to_pylist() if text]
    return [marketplaces.parse(text) for text in texts if text]
