"""Which answers there are, and which are the newest: as arrays of numbers, an element an answer. No I/O."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from enricher.keys import KeyArray, pack, pack_texts
from enricher.model import CodeType, Domain, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enricher.model import Answer, Key

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


class Known(NamedTuple):
    """What the newest answer to each of some keys says: one element a key; -1: nobody has asked."""

    found: BoolArray
    not_found: BoolArray
    fetched_ms: IntArray


@dataclass(slots=True)
class Noted:
    """Answers noted one by one, in order: packed keys, milliseconds since 1970 UTC, numbers of items."""

    keys: array[int] = field(default_factory=lambda: array("Q"))
    fetched_ms: array[int] = field(default_factory=lambda: array("q"))
    items: array[int] = field(default_factory=lambda: array("q"))

    def __len__(self) -> int:
        return len(self.keys)

    def note(self, key: Key, fetched_ms: int, items: int) -> None:
        """Take one more."""
        self.keys.append(pack(key))
        self.fetched_ms.append(fetched_ms)
        self.items.append(items)

    def extend(self, other: Noted) -> None:
        """Take all of another's."""
        self.keys += other.keys
        self.fetched_ms += other.fetched_ms
        self.items += other.items

    def without(self, first: int) -> Noted:
        """Return what is left without the first so many."""
        return Noted(self.keys[first:], self.fetched_ms[first:], self.items[first:])

    def arrays(self) -> Answers:
        """Return them as arrays."""
        keys, fetched_ms, items = (np.array(column) for column in (self.keys, self.fetched_ms, self.items))
        return Answers(keys, fetched_ms, np.maximum(items, 1), items > 0)


def noted(answers: Sequence[Answer]) -> Noted:
    """Note answers."""
    new = Noted()
    for answer in answers:
        new.note(answer.key, to_ms(answer), len(answer.items))
    return new


def to_ms(answer: Answer) -> int:
    """Return when an answer was fetched, in milliseconds since 1970 UTC."""
    return round(answer.fetched_at.timestamp() * 1000)


@dataclass(frozen=True)
class Answers:
    """Answers in the order they came: whose, of when, in how many rows, and whether a product was found."""

    keys: KeyArray
    fetched_ms: IntArray
    rows: IntArray
    found: BoolArray

    @classmethod
    def none(cls) -> Answers:
        """Return no answers."""
        return Noted().arrays()

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def _order(self) -> IntArray:
        """By key, then time, then arrival."""
        order: IntArray = np.lexsort((self.fetched_ms, self.keys))
        return order

    @cached_property
    def _ends(self) -> tuple[BoolArray, BoolArray]:
        """Say which in that order are the last of their key, and which the last of their key and time."""
        keys, fetched_ms = self.keys[self._order], self.fetched_ms[self._order]
        of_key = np.append(keys[1:] != keys[:-1], True)[: len(keys)]
        return of_key, of_key | np.append(fetched_ms[1:] != fetched_ms[:-1], True)[: len(keys)]

    @cached_property
    def distinct(self) -> BoolArray:
        """Say which are no repetition: a crash between a fold and the next journal leaves answers in both files."""
        distinct = np.zeros(len(self), np.bool_)
        distinct[self._order] = self._ends[1]
        return distinct

    @cached_property
    def newest(self) -> IntArray:
        """Return the places of each key's newest answer, ordered by key."""
        return self._order[self._ends[0]]

    def find(self, keys: KeyArray) -> IntArray:
        """Return the place of the newest answer to each of `keys`; -1: there is none."""
        if not len(self):
            return np.full(len(keys), -1, np.int64)
        known = self.keys[self.newest]
        at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        return np.where(known[at] == keys, self.newest[at], -1)

    def known(self, keys: KeyArray) -> Known:
        """Return what the newest answer to each of `keys` says."""
        at = self.find(keys)
        if not len(self):
            return Known(at >= 0, at >= 0, at)
        found = self.found[at] & (at >= 0)
        return Known(found, ~found & (at >= 0), np.where(at >= 0, self.fetched_ms[at], -1))

    def take(self, chosen: BoolArray) -> Answers:
        """Return some of them, in the same order."""
        return Answers(self.keys[chosen], self.fetched_ms[chosen], self.rows[chosen], self.found[chosen])

    def of_rows(self, chosen: BoolArray) -> BoolArray:
        """Say which rows belong to chosen answers."""
        return np.repeat(chosen, self.rows)


def joined(parts: Sequence[Answers]) -> Answers:
    """Put answers one behind the other."""
    return Answers(
        np.concatenate([part.keys for part in parts]),
        np.concatenate([part.fetched_ms for part in parts]),
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.found for part in parts]),
    )


def of_table(rows: pa.Table) -> Answers:
    """Read answers from the identities of their rows. Raises ValueError where they are none."""
    items = rows.column("item").to_numpy()
    first = np.flatnonzero(items == 0)
    if len(items) and (not len(first) or first[0] != 0):
        raise ValueError("the rows begin in the middle of an answer")
    count = np.diff(np.append(first, len(items)))
    if not np.array_equal(items, np.arange(len(items)) - np.repeat(first, count)):
        raise ValueError("the items of an answer are not in order")
    heads = rows.take(pa.array(first)) if len(first) < len(items) else rows
    fetched_ms: IntArray = heads.column("fetched_at").cast(pa.int64()).to_numpy()
    found: BoolArray = pc.equal(heads.column("outcome"), Outcome.FOUND.value).to_numpy()
    return Answers(keys_of(heads), fetched_ms, count.astype(np.int64), found)


def keys_of(rows: pa.Table) -> KeyArray:
    """Return the packed key of every row. Raises ValueError for what is no key."""
    types, domains = (rows.column(name).combine_chunks().dictionary_encode() for name in ("code_type", "domain"))
    codes = rows.column("code").combine_chunks()
    markets = types.indices.to_numpy() * len(domains.dictionary) + domains.indices.to_numpy()
    keys = np.zeros(len(rows), np.uint64)
    for market in np.unique(markets).tolist():
        of_type, of_domain = divmod(market, len(domains.dictionary))
        code_type, domain = CodeType(types.dictionary[of_type].as_py()), Domain(domains.dictionary[of_domain].as_py())
        mask = markets == market
        keys[mask] = pack_texts(code_type, domain, codes if mask.all() else codes.filter(pa.array(mask)))
    return keys
