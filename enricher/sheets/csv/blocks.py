"""A text file as blocks of records, cut by arithmetic where its bytes can be vouched for, else by csv.reader.

Owns where a record begins and ends, and where its fields do, without looking at a record by itself. The two ways give
the same records, widths and texts; the quick one takes a block only if it proves that.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enricher.sheets.csv import texts
from enricher.sheets.csv.feed import MAX_RECORD_BYTES, Feed, is_transparent, working_encoding
from enricher.sheets.csv.records import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from enricher.sheets.csv.dialect import Dialect
    from enricher.sheets.csv.texts import Mask, Octets, Positions

_QUOTE, _LF, _CR = b'"\n\r'


class Block(Protocol):
    """Consecutive records of a file; all arrays have one element a record.

    `data` are their bytes in the working encoding, with line ends; `starts` and `ends` are where each begins in them
    and where its line end does.
    """

    data: bytes
    starts: Positions
    ends: Positions

    @property
    def widths(self) -> Positions:
        """How many fields each record has; a blank line has none."""

    @property
    def empty(self) -> Mask:
        """Whether no field of a record holds anything."""

    def column(self, at: int, rows: slice) -> pa.StringArray:
        """Return the field at a place, of some of the records; null where a record is too short to have it."""


def blocks(feed: Feed) -> Iterator[Block]:
    """Cut a file into blocks. Raises InputError for what is no table, with its line."""
    transparent = is_transparent(feed.dialect)
    while feed.fill() or feed.pending:
        if not feed.pending:
            continue
        if not transparent:
            block: Block = parsed(feed)
        else:
            marks = _marks(feed.pending, feed.dialect)
            if marks and not len(marks.newlines) and not feed.at_end and _may_go_on(feed.pending):
                continue
            block = (marks and _vouched(marks, at_end=feed.at_end)) or parsed(feed)
        feed.advance(len(block.data))
        yield block


def _may_go_on(pending: bytes) -> bool:
    return len(pending) <= MAX_RECORD_BYTES and b"\r" not in pending


@dataclass(frozen=True, slots=True)
class _Marks:
    """Where the bytes are that make records: quotes, opening and closing by turns, and the line feeds outside them."""

    data: bytes
    dialect: Dialect
    quotes: Positions
    newlines: Positions


def _outside(quotes: Positions, places: Positions) -> Mask:
    """Say which places are not inside quotes."""
    if len(quotes) < len(places):  # search for the fewer among the more: searching is what takes long
        after = np.bincount(np.searchsorted(places, quotes), minlength=len(places))
        before = np.cumsum(after[: len(places)])
    else:
        before = np.searchsorted(quotes, places)
    outside: Mask = before & 1 == 0
    return outside


def _marks(data: bytes, dialect: Dialect) -> _Marks | None:
    octets = np.frombuffer(data, np.uint8)
    newlines = np.flatnonzero(octets == _LF)
    if not dialect.quoting or b'"' not in data:
        return _Marks(data, dialect, np.empty(0, np.int64), newlines)
    quotes = _quotes(octets, np.flatnonzero(octets == _QUOTE), ord(dialect.delimiter))
    return None if quotes is None else _Marks(data, dialect, quotes, newlines[_outside(quotes, newlines)])


def _quotes(octets: Octets, found: Positions, delimiter: int) -> Positions | None:
    """Leave out the quotes that are text, as in: 6" nail. None where text follows a quote that closes.

    As csv.reader has it, a quote opens at a field's start only; within, it closes unless it is doubled.
    """
    before, after = octets.take(found - 1, mode="clip"), octets.take(found + 1, mode="clip")
    at_start = (before == delimiter) | (before == _LF) | (before == _CR) | (found == 0)
    opens, closes = at_start.copy(), (after == delimiter) | (after == _LF) | (after == _CR) | (found == len(octets) - 1)
    is_pair = found[1:] - found[:-1] == 1
    opens[1:] |= is_pair
    closes[:-1] |= is_pair
    is_odd = [~opens, ~closes], [~closes, ~opens]  # if the quotes at even places open, and if those at odd ones do
    odd = []
    for evens, odds in is_odd:
        evens[1::2] = odds[1::2]
        odd.append(np.flatnonzero(evens).tolist())
    texts_at: list[int] = []
    at = 0
    while at < len(found):
        if at_start[at]:
            place = bisect_left(odd[at % 2], at)
            if place == len(odd[at % 2]):
                break
            at = odd[at % 2][place] if (odd[at % 2][place] - at) % 2 == 0 else -1
            if at < 0:
                return None
        texts_at.append(at)
        at += 1
    return np.delete(found, texts_at) if texts_at else found


def _vouched(marks: _Marks, *, at_end: bool) -> _MarkedBlock | None:
    """Return the whole records at the start of some bytes, or None where csv.reader might see them otherwise."""
    last = int(marks.newlines[-1]) + 1 if len(marks.newlines) else 0
    stop = len(marks.data) if at_end else last
    data = marks.data[:stop]
    quotes = marks.quotes[: np.searchsorted(marks.quotes, stop)]
    if not stop or len(quotes) % 2:
        return None
    octets = np.frombuffer(data, np.uint8)
    if b"\r" in data:
        returns = np.flatnonzero(octets == _CR)
        lone = returns[octets.take(returns + 1, mode="clip") != _LF]
        if _outside(quotes, lone).any():
            return None
    ends = marks.newlines if last == stop else np.append(marks.newlines, stop)
    starts = np.concatenate([np.zeros(1, np.int64), marks.newlines[: len(ends) - 1] + 1])
    if (ends - starts).max() >= MAX_RECORD_BYTES:
        return None
    ends = ends - ((octets.take(ends - 1, mode="clip") == _CR) & (ends > starts))
    return _MarkedBlock(data, starts, ends, quotes, marks.dialect)


class _MarkedBlock:
    """Records whose fields are found by the places of delimiters. See Block."""

    def __init__(self, data: bytes, starts: Positions, ends: Positions, quotes: Positions, dialect: Dialect) -> None:
        self.data, self.starts, self.ends = data, starts, ends
        self._octets = np.frombuffer(data, np.uint8)
        self._quotes = quotes
        self._dialect = dialect

    @cached_property
    def _delimiters(self) -> Positions:
        """Where one field ends and the next begins; the last is the end of it all, so that there is one to look at."""
        found = np.flatnonzero(self._octets == ord(self._dialect.delimiter))
        if len(self._quotes):
            found = found[_outside(self._quotes, found)]
        return np.append(found, len(self.data))

    @cached_property
    def _firsts(self) -> Positions:
        """How many delimiters there are before each record, and in all."""
        delimiters = self._delimiters[:-1]
        width, rest = divmod(len(delimiters), len(self.starts))
        if width and not rest:  # as a rule all records are alike, and to see that is quicker than to search
            table = delimiters.reshape(-1, width)
            if (table[:, 0] >= self.starts).all() and (table[:, -1] < self.ends).all():
                return np.arange(0, len(delimiters) + 1, width)
        return np.append(np.searchsorted(delimiters, self.starts), len(delimiters))

    @cached_property
    def widths(self) -> Positions:
        widths: Positions = np.diff(self._firsts) + (self.ends > self.starts)
        return widths

    @property
    def empty(self) -> Mask:
        """An empty record is made of delimiters and pairs of quotes alone."""
        marks = np.diff(self._firsts)
        if len(self._quotes):
            marks = marks + np.diff(np.searchsorted(self._quotes, np.append(self.starts, len(self.data))))
        empty: Mask = self.ends - self.starts == marks
        in_text = self._quotes[:-2][self._quotes[2:] - self._quotes[:-2] == 2]  # noqa: PLR2004 - three in a row
        empty[np.searchsorted(self.starts, in_text, "right") - 1] = False
        return empty

    def column(self, at: int, rows: slice) -> pa.StringArray:
        starts, ends, widths, firsts = self.starts[rows], self.ends[rows], self.widths[rows], self._firsts[:-1][rows]
        is_there = widths > at
        if at:
            starts = np.where(is_there, self._delimiters.take(firsts + (at - 1), mode="clip") + 1, ends)
        ends = np.where(widths > at + 1, self._delimiters.take(firsts + at, mode="clip"), ends)
        quoted = (self._octets.take(starts, mode="clip") == _QUOTE) & (ends > starts) if len(self._quotes) else None
        if quoted is not None:
            starts, ends = starts + quoted, ends - quoted
        column = texts.slices(self.data, starts, ends, None if is_there.all() else is_there)
        if quoted is not None and quoted.any():
            column = texts.put(column, quoted, pc.replace_substring(column.filter(pa.array(quoted)), b'""', b'"'))
        return texts.decoded(column, working_encoding(self._dialect))
