"""Which of its codes each row is at: the next one counts only where the one before it was not found, and lately.

Decides from arrays, without I/O. The same function serves a run, its plan, its result and its figures, so that they
can't disagree; what differs is only which keys count as passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
Candidates = npt.NDArray[np.int32]
"""Shape (ranks, rows): positions among the run's unique keys, -1 where a row has no such candidate."""


class Oldest(NamedTuple):
    """Since when, in milliseconds since 1970 UTC, an answer of either kind must be to count as fresh enough."""

    found_ms: int
    not_found_ms: int


def fresh(found: BoolArray, not_found: BoolArray, fetched_ms: npt.NDArray[np.int64], oldest: Oldest) -> BoolArray:
    """Say which keys are known freshly enough. All have one element a key; `fetched_ms` is of its newest answer.

    >>> fresh(np.array([True, True, False]), np.array([False, False, True]), np.array([9, 4, 4]), Oldest(5, 3)).tolist()
    [True, False, True]
    """
    is_fresh: BoolArray = (found & (fetched_ms >= oldest.found_ms)) | (not_found & (fetched_ms >= oldest.not_found_ms))
    return is_fresh


@dataclass(frozen=True, slots=True)
class Known:
    """What the resume file says of the run's unique keys, one element a key.

    Neither `found` nor `not_found`: nobody has asked. `fresh`: known, and not for longer than the age allowed.
    """

    found: BoolArray
    not_found: BoolArray
    fresh: BoolArray

    def reached(self, candidates: Candidates) -> BoolArray:
        """Say which keys rows have been at so far; an answer that is too old moves no row on."""
        return reached(candidates, self.not_found & self.fresh)

    def to_ask(self, candidates: Candidates) -> BoolArray:
        """Say which keys are to be asked now: rows are at them, and they are not known freshly enough."""
        return self.reached(candidates) & ~self.fresh

    def may_ask(self, candidates: Candidates) -> BoolArray:
        """Say which keys are asked at worst: when none of those asked is found."""
        return reached(candidates, ~(self.found & self.fresh)) & ~self.fresh


def ranks(candidates: Candidates, passed: BoolArray) -> npt.NDArray[np.intp]:
    """Return each row's rank: its first candidate that is not `passed` (one element a key).

    A row that has passed all of them, or has none, is at rank 0: of codes that are all not found the first is shown.

    >>> ranks(np.array([[0, 1, 2], [3, 4, -1]], np.int32), np.array([True, False, True, False, False])).tolist()
    [1, 0, 0]
    """
    at: npt.NDArray[np.intp] = _over(candidates, passed).argmin(axis=0)
    return at


def reached(candidates: Candidates, passed: BoolArray) -> BoolArray:
    """Say which keys some row has been at: its first, and each one behind only `passed` ones. One element a key.

    >>> reached(np.array([[0, 1], [2, 3]], np.int32), np.array([True, False, False, False])).tolist()
    [True, True, True, False]
    """
    over = _over(candidates, passed)
    behind_passed = np.ones_like(over)
    behind_passed[1:] = np.logical_and.accumulate(over[:-1], axis=0)
    is_reached = np.zeros(len(passed) + 1, np.bool_)  # the last element is that of no candidate, -1
    is_reached[candidates[behind_passed]] = True
    return is_reached[:-1]


def _over(candidates: Candidates, passed: BoolArray) -> BoolArray:
    """Say of every candidate whether its row moves on; where there is no candidate, there is nothing to stay for."""
    over: BoolArray = np.append(passed, True)[candidates]
    return over
