"""Whole columns of cells at once: cells -> packed keys, with the reason for every cell that gives none.

Plain codes take the vectorised path; odd cells alone go through `reading`. `columns` says which columns to read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from enricher.codes import asin, gtin, marketplaces, reading
from enricher.keys import EAN8_END, NO_KEY, KeyArray, pack, pack_array, read_digits, with_domains
from enricher.model import Cells, CodeType, Domain, Key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enricher.codes.reading import Evidence

_DOMAINS = tuple(Domain)
_UNKNOWN = np.uint8(15)
"""In the place of a position in `Domain`: a marketplace that nobody knows."""


@dataclass(frozen=True, slots=True)
class Identified:
    """What the rows of a batch ask for: one element a row, same order.

    `keys` is NO_KEY where a row has no usable code: `invalid` says that it has an unusable one. `notes` holds, by
    position, what was repaired or why there is no key.
    """

    keys: KeyArray
    invalid: npt.NDArray[np.bool_]
    notes: dict[int, str] = field(default_factory=dict)


def identify(
    columns: Sequence[tuple[str, Cells, Evidence]], domains: Cells | None, default_domain: Domain
) -> Identified:
    """Read the code columns (name, cells, evidence) of a batch; the first that gives a row a code wins.

    `domains` is the marketplace column; a row whose marketplace is unknown gets no key and a note.
    """
    rows = len(columns[0][1])
    row_domains, domain_notes = _domains(domains, default_domain, rows)
    keys = np.full(rows, NO_KEY, np.uint64)
    invalid = np.zeros(rows, np.bool_)
    notes: dict[int, str] = {}
    for name, cells, evidence in columns:
        found, notes_here = _column(cells, evidence, row_domains)
        take = (keys == NO_KEY) & (found != NO_KEY)
        for at in np.flatnonzero(take & invalid).tolist():
            notes[at] = f"code taken from column {name!r}; before it: {notes[at]}"
        keys[take] = found[take]
        for row, note in notes_here.items():
            if take[row]:
                notes[row] = f"{notes[row]}; {note}" if row in notes else note
            elif keys[row] == NO_KEY:
                invalid[row] = True
                notes.setdefault(row, note)
    for row, note in domain_notes.items():
        if keys[row] == NO_KEY:
            continue
        if row_domains[row] == _UNKNOWN:
            keys[row], invalid[row] = NO_KEY, True
        notes[row] = f"{notes[row]}; {note}" if row in notes else note
    invalid &= keys == NO_KEY
    return Identified(keys, invalid, notes)


def _domains(cells: Cells | None, default: Domain, rows: int) -> tuple[npt.NDArray[np.uint8], dict[int, str]]:
    """Read the marketplace column: a position in `Domain` a row, or _UNKNOWN, and notes on the odd ones."""
    default_at = _DOMAINS.index(default)
    if cells is None:
        return np.full(rows, default_at, np.uint8), {}
    coded = pc.fill_null(pc.utf8_trim_whitespace(cells.text), "").dictionary_encode()
    names = coded.dictionary.to_pylist()
    parsed = [marketplaces.parse(name) if name else default for name in names]
    table = np.array([_UNKNOWN if domain is None else _DOMAINS.index(domain) for domain in parsed], np.uint8)
    index = coded.indices.to_numpy()
    notes = {}
    for at, (name, domain) in enumerate(zip(names, parsed, strict=True)):
        if domain is None or not name:
            text = f"no marketplace in the row, so {default}" if not name else f"unknown marketplace {name!r}"
            notes.update(dict.fromkeys(np.flatnonzero(index == at).tolist(), text))
    return table[index], notes


def plain(cells: Cells, wanted: CodeType | None) -> tuple[KeyArray, npt.NDArray[np.bool_], pa.StringArray]:
    """Read the cells that are plainly a code; no repair, no doubt.

    Returns keys (of the first domain; NO_KEY where a cell is not plain), which cells are blank, and the trimmed texts.
    """
    text = pc.fill_null(pc.utf8_trim_whitespace(cells.text), "")
    lengths = pc.binary_length(text).to_numpy()
    keys = np.full(len(text), NO_KEY, np.uint64)
    if wanted is not CodeType.ASIN:
        for length in (gtin.UPC_DIGITS, gtin.EAN_DIGITS, gtin.MAX_DIGITS):
            rows = np.flatnonzero((lengths == length) & (cells.zeros <= length))
            at, values = read_digits(_matrix(text, rows, length), 10)
            good = gtin.valid_array(values) & ~gtin.restricted_array(values) & (values >= EAN8_END)
            is_upc = values < np.uint64(10**gtin.UPC_DIGITS)
            _place(keys, CodeType.UPC, rows[at[good & is_upc]], values[good & is_upc])
            if wanted is not CodeType.UPC:
                good &= ~is_upc & (values < np.uint64(10**gtin.EAN_DIGITS))
                _place(keys, CodeType.EAN, rows[at[good]], values[good])
    if wanted in {None, CodeType.ASIN}:
        rows = np.flatnonzero(lengths == asin.LENGTH)
        matrix = _matrix(text, rows, asin.LENGTH)
        own = (matrix[:, 0] == ord("B")) & (matrix[:, 1] == ord("0"))
        at, values = read_digits(matrix[own], 36)
        _place(keys, CodeType.ASIN, rows[np.flatnonzero(own)[at]], values)
    return keys, lengths == 0, text


def _matrix(text: pa.StringArray, rows: npt.NDArray[np.intp], length: int) -> npt.NDArray[np.uint8]:
    """Lay the bytes of texts of one length side by side."""
    _, offsets, data = text.buffers()
    if data is None or not len(rows):
        return np.empty((0, length), np.uint8)
    starts = np.frombuffer(offsets, np.int32)[text.offset + rows]
    matrix: npt.NDArray[np.uint8] = np.frombuffer(data, np.uint8)[starts[:, None] + np.arange(length)]
    return matrix


def _place(keys: KeyArray, code_type: CodeType, rows: npt.NDArray[np.intp], values: KeyArray) -> None:
    keys[rows] = pack_array(code_type, values)


def _column(cells: Cells, evidence: Evidence, domains: npt.NDArray[np.uint8]) -> tuple[KeyArray, dict[int, str]]:
    """Read one column: the fast path, then each odd cell by itself."""
    keys, blank, text = plain(cells, evidence.wanted)
    is_plain = keys != NO_KEY
    safe_domains = np.where(domains == _UNKNOWN, 0, domains).astype(np.uint8)
    keys[is_plain] = with_domains(keys[is_plain], safe_domains[is_plain])
    notes: dict[int, str] = {}
    odd = np.flatnonzero(~is_plain & ~blank)
    for row, raw in zip(odd.tolist(), text.take(pa.array(odd)).to_pylist(), strict=True):
        read = reading.read(raw, int(cells.zeros[row]), evidence, numeric=bool(cells.numeric[row]))
        if read.note:
            notes[row] = read.note
        if read.code is not None and read.code_type is not None:
            keys[row] = pack(Key(read.code_type, read.domain or _DOMAINS[safe_domains[row]], read.code))
    return keys, notes
