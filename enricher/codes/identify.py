"""Rows to keys: the code columns are scanned batch by batch, and judged when they are known as a whole.

A row's codes are candidates in the order of the columns: what comes after the first is a fallback. `columns` says
which columns to read, `verdicts` what a cell is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from enricher.codes import reasons
from enricher.codes.claims import read_claims
from enricher.codes.domains import DOMAINS, UNKNOWN, RowDomains, read_domains
from enricher.codes.judging import Judged, Problem, judge_column
from enricher.codes.scan import scan
from enricher.codes.tally import Tally
from enricher.keys import NO_KEY, KeyArray, with_domains

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enricher.cells import Cells
    from enricher.codes.columns import Layout
    from enricher.codes.policy import Policy
    from enricher.codes.reasons import Reason
    from enricher.model import Domain

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Identified:
    """What the rows of a sheet ask for; the arrays have one element a row, same order.

    `candidates[0]` is a row's first usable code, NO_KEY where it has none (`invalid` says that it has an unusable
    one); `candidates[1]` what to ask for if that is not found, and so on. `sources` tells the code column of each.
    `notes` holds by row, for each candidate, what was repaired; `notes[0]` also why there is none. `columns` are the
    code columns judged, `domain_faults` the rows whose marketplace is of no use.
    """

    candidates: tuple[KeyArray, ...]
    sources: tuple[npt.NDArray[np.uint8], ...]
    invalid: npt.NDArray[np.bool_]
    notes: tuple[dict[int, str], ...]
    columns: tuple[Judged, ...]
    domain_faults: dict[int, Reason]

    def problems(self, rows: npt.NDArray[np.bool_]) -> list[Problem]:
        """Group the reasons why some of `rows` have no code, the most frequent first."""
        wanted = rows & self.invalid
        faults: dict[Reason, list[int]] = {}
        for row, reason in self.domain_faults.items():
            if wanted[row]:
                faults.setdefault(reason, []).append(row)
                wanted[row] = False
        found = [Problem(reason, len(at), tuple((row, "") for row in at[:_EXAMPLES])) for reason, at in faults.items()]
        for column in self.columns:
            refused = column.refused()
            found += column.grouped(wanted & refused, _EXAMPLES)
            wanted &= ~refused
        return _merged(found)

    def repairs(self, rows: npt.NDArray[np.bool_]) -> list[Problem]:
        """Group what was done to the first codes of some of `rows`, the most frequent first."""
        found: list[Problem] = []
        for at, column in enumerate(self.columns):
            found += column.grouped(rows & (self.candidates[0] != NO_KEY) & (self.sources[0] == at), _EXAMPLES)
        return _merged(found)


def _merged(problems: Sequence[Problem]) -> list[Problem]:
    """Put problems of the same kind together."""
    merged: dict[str, Problem] = {}
    for problem in problems:
        before = merged.get(problem.reason.what, Problem(problem.reason, 0, ()))
        examples = tuple(sorted((*before.examples, *problem.examples))[:_EXAMPLES])
        merged[problem.reason.what] = Problem(before.reason, before.rows + problem.rows, examples)
    return sorted(merged.values(), key=lambda problem: -problem.rows)


class Reader:
    """Takes the columns of a sheet in batches, and tells at the end what its rows ask for."""

    def __init__(self, layout: Layout, default_domain: Domain, policy: Policy) -> None:
        self._layout, self._default, self._policy = layout, default_domain, policy
        self._tallies = [Tally() for _ in layout.code_columns]
        self._domains: list[RowDomains] = []

    def add(self, columns: Sequence[Cells]) -> None:
        """Take the next rows: the cells of `Layout.read_columns`, in that order."""
        cells = dict(zip(self._layout.read_columns, columns, strict=True))
        rows = len(columns[0])
        for column, tally in zip(self._layout.code_columns, self._tallies, strict=True):
            claims, unknown = read_claims(None if column.claims is None else cells[column.claims], rows)
            tally.add(scan(cells[column.index], self._policy.wanted), claims, unknown)
        domain_column = self._layout.domain_column
        domain_cells = None if domain_column is None else cells[domain_column]
        self._domains.append(read_domains(domain_cells, self._default, rows))

    def finish(self) -> Identified:
        """Judge every column and put the rows' codes in order."""
        domains = RowDomains.joined(self._domains)
        columns = [
            judge_column(column.label, column.header, tally.finish(), self._policy)
            for column, tally in zip(self._layout.code_columns, self._tallies, strict=True)
        ]
        return _combine(columns, domains, has_domain_column=self._layout.domain_column is not None)


def _combine(columns: Sequence[Judged], domains: RowDomains, *, has_domain_column: bool) -> Identified:
    """Rank every row's codes: the first column that has one first, and none twice."""
    rows = len(domains.positions)
    faults = dict.fromkeys(np.flatnonzero(domains.positions == UNKNOWN).tolist(), reasons.UNKNOWN_MARKETPLACE)
    candidates = [np.full(rows, NO_KEY, np.uint64) for _ in columns]
    sources = [np.zeros(rows, np.uint8) for _ in columns]
    refused = np.zeros(rows, np.bool_)
    contradictions: dict[int, Reason] = {}
    for at, column in enumerate(columns):
        keys, contradicting = _in_domains(column, domains, has_domain_column=has_domain_column)
        contradictions.update(dict.fromkeys(contradicting, reasons.TWO_MARKETPLACES))
        refused |= column.refused()
        todo = keys != NO_KEY
        for rank in range(at + 1):
            todo &= candidates[rank] != keys
            here = todo & (candidates[rank] == NO_KEY)
            candidates[rank][here], sources[rank][here] = keys[here], at
            todo &= ~here
    faults = {row: reason for row, reason in faults.items() if refused[row] or candidates[0][row] != NO_KEY}
    faults |= {row: reason for row, reason in contradictions.items() if candidates[0][row] == NO_KEY}
    for keys in candidates:
        keys[[*faults]] = NO_KEY
    invalid = refused & (candidates[0] == NO_KEY)
    invalid[[*faults]] = True
    used = [rank for rank, keys in enumerate(candidates) if not rank or keys.any()]
    notes = [_notes(columns, candidates[rank], sources[rank]) for rank in used]
    _say_why(notes[0], columns, candidates[0], sources[0])
    _say_where(notes, columns, domains, faults, candidates)
    return Identified(
        tuple(candidates[rank] for rank in used),
        tuple(sources[rank] for rank in used),
        invalid,
        tuple(notes),
        tuple(columns),
        faults,
    )


def _in_domains(column: Judged, domains: RowDomains, *, has_domain_column: bool) -> tuple[KeyArray, list[int]]:
    """Move a column's keys to their rows' marketplaces, or to what an address names; and list contradictions."""
    positions = np.where(domains.positions == UNKNOWN, 0, domains.positions).astype(np.uint8)
    contradicting = []
    for row, domain in column.rows.domains.items():
        named = DOMAINS.index(domain)
        if has_domain_column and row not in domains.notes and positions[row] != named:
            contradicting.append(row)
        positions[row] = named
    keys = column.keys.copy()
    keys[contradicting] = NO_KEY
    there = keys != NO_KEY
    keys[there] = with_domains(keys[there], positions[there])
    return keys, contradicting


def _notes(columns: Sequence[Judged], keys: KeyArray, sources: npt.NDArray[np.uint8]) -> dict[int, str]:
    """Say what was repaired in the codes of one rank."""
    notes: dict[int, str] = {}
    for at, column in enumerate(columns):
        notes.update(column.notes(np.flatnonzero((keys != NO_KEY) & (sources == at))))
    return notes


def _say_why(notes: dict[int, str], columns: Sequence[Judged], keys: KeyArray, sources: npt.NDArray[np.uint8]) -> None:
    """Add why a row has no code, or why it is not the first column's."""
    if len(columns) == 1:
        notes.update(columns[0].notes(np.flatnonzero(columns[0].refused())))
        return
    for at, column in enumerate(columns):
        refused = column.refused() & ((keys == NO_KEY) | (sources > at))
        for row, why in column.notes(np.flatnonzero(refused)).items():
            if keys[row] != NO_KEY:
                taken = f"code taken from {columns[sources[row]].label}; before it: {why}"
                notes[row] = f"{taken}; {notes[row]}" if row in notes else taken
            else:
                notes[row] = f"{notes[row]}; {column.label}: {why}" if row in notes else why


def _say_where(
    notes: Sequence[dict[int, str]],
    columns: Sequence[Judged],
    domains: RowDomains,
    faults: dict[int, Reason],
    candidates: Sequence[KeyArray],
) -> None:
    """Add what is odd about the marketplace of a row that has a code, or would have one."""
    for row, reason in faults.items():
        notes[0][row] = domains.notes.get(row) or reason.note
    named = {row for column in columns for row in column.rows.domains}
    for row, text in domains.notes.items():
        if row in named:
            continue
        for rank, keys in enumerate(candidates[: len(notes)]):
            if keys[row] != NO_KEY:
                notes[rank][row] = f"{notes[rank][row]}; {text}" if row in notes[rank] else text
