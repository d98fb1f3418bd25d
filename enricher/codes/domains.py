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
    from collections.abc import Collection, Sequence

    from enricher.cells import Cells, Preview

DOMAINS = tuple(Domain)
UNKNOWN = np.uint8(15)
"""In the place of a position in `Domain`: a marketplace that nobody knows."""
_SITE = r"(?:^|[/.\s])amazon\.[a-z]|^amzn\.|keepa\.com/|^A[0-9A-Z]{12,13}$"
_COUNTRY_WORDS = {"country", "countries", "land", "pays", "pais", "país", "paese", "locale", "region", "kraj"}
_SURE_WORDS = {"marketplace", "marketplaces", "marktplatz"}
_HEADER_WORDS = {*_SURE_WORDS, "domain", "domains", "site", "market", "markets", "channel"}
_YES_OR_NO = {"y", "n", "yes", "no", "true", "false", "0", "1"}


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
    said = [_odd(name, domain, default) for name, domain in zip(names, parsed, strict=True)]
    odd = np.flatnonzero(np.array([text is not None for text in said], np.bool_)[index])
    notes = {row: said[at] or "" for row, at in zip(odd.tolist(), index[odd].tolist(), strict=True)}
    return RowDomains(table[index], notes)


def _odd(name: str, domain: Domain | None, default: Domain) -> str | None:
    if not name:
        return f"no marketplace in the row, so {default}"
    return f"unknown marketplace {name!r}" if domain is None else None


@dataclass(frozen=True, slots=True)
class Marketplaces:
    """A column that tells where rows belong: its header, what its first cells name (None: something unknown).

    `by_header`: the header says so, too; otherwise the cells are Amazon's addresses, hosts or ids.
    """

    column: str
    named: frozenset[Domain | None]
    by_header: bool


def find_marketplaces(
    preview: Preview, names: Sequence[str], first_row: int, skipped: Collection[int] = ()
) -> Marketplaces | None:
    """Find the column of marketplaces, by its header and half of its cells, or by cells that name Amazon's sites.

    Under a header that says marketplace unknown ones count as well: rows must not be asked elsewhere in silence.
    Columns of codes are to be `skipped`: an address there names its own marketplace.
    """
    for index, (cells, name) in enumerate(zip(preview.columns, names, strict=True)):
        words = words_of(name)
        texts = [] if index in skipped or not _HEADER_WORDS & words else _texts(cells, first_row)
        is_yes_or_no = {text.casefold() for text in texts} <= _YES_OR_NO  # Amazon's item-is-marketplace
        # A count of offers is no number of Keepa's, unless somebody says so.
        named = [None if text.isdigit() else marketplaces.parse(text) for text in texts]
        known = len([domain for domain in named if domain is not None])
        if texts and not is_yes_or_no and (2 * known >= len(texts) or words & _SURE_WORDS):
            return Marketplaces(name, frozenset(named), by_header=True)
    for index, (cells, name) in enumerate(zip(preview.columns, names, strict=True)):
        texts = pc.fill_null(cells.text[first_row:], "")
        explicit = pc.sum(pc.match_substring_regex(texts, _SITE, ignore_case=True)).as_py() or 0
        if index not in skipped and explicit and 2 * explicit >= len(named := _named(cells, first_row)):
            return Marketplaces(name or f"column {index + 1}", frozenset(named), by_header=False)
    return None


def country_column(preview: Preview, names: Sequence[str], first_row: int) -> str | None:
    """Name a column of countries, which may or may not say where to ask; None where there is none."""
    for cells, name in zip(preview.columns, names, strict=True):
        named = _named(cells, first_row) if _COUNTRY_WORDS & words_of(name) else []
        if named and 2 * len([domain for domain in named if domain]) >= len(named):
            return name
    return None


def _texts(cells: Cells, first_row: int) -> list[str]:
    """Return what the filled cells hold."""
    texts = [text.strip() for text in cells.text[first_row:].to_pylist() if text]
    return [text for text in texts if text]


def _named(cells: Cells, first_row: int) -> list[Domain | None]:
    """Return what the filled cells name."""
    return [marketplaces.parse(text) for text in _texts(cells, first_row)]
