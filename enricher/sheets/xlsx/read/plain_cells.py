"""Plain rows read by the places of their tags: the quick way to what the scanner finds.

Owns nothing of its own: every rule here is one of RowScanner's, for whole columns of cells at once. Where the two could
differ it declines, and the scanner reads the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enricher.sheets.xlsx.cells.display import decimal_text
from enricher.sheets.xlsx.cells.encoder import LARGE
from enricher.sheets.xlsx.cells.references import MAX_COLUMNS, MAX_ROWS
from enricher.sheets.xlsx.cells.row_block import RowBlock
from enricher.sheets.xlsx.cells.tags import (
    columns_at,
    numbers_at,
    plain_texts,
    raw_texts,
    tags_of,
    text_starts,
    without_entities,
)
from enricher.sheets.xlsx.opc.markup import TRUE_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from enricher.sheets.xlsx.cells.facts import Facts
    from enricher.sheets.xlsx.cells.strings import SharedStrings
    from enricher.sheets.xlsx.cells.tags import Places, Tags

    Flags = npt.NDArray[np.bool_]

_CELL, _FORMULA, _INLINE, _ROW, _VALUE = b"cfirv"
_LESS, _MORE, _QUOTE, _NINE, _STYLE = b'<>"9s'
_NO_TYPE, _SHARED_TYPE, _NUMBER_TYPE, _BOOLEAN_TYPE, _STRING_TYPE = b"\0snbr"
"""The last letter of a type; inlineStr ends as str does."""
_MAX_DIGITS = 9
_MAX_STYLE_DIGITS = 9
_MAX_TEXT_BYTES = 16 << 20
"""Of the strings that the cells of a block point to: a few bytes each in the file."""
# These are the text that decimal_text gives, too; of a fraction only up to 15 digits, which a double keeps.
_WHOLE = r"^(?:0|[1-9][0-9]*|-[1-9][0-9]{0,13})\z"
_FRACTION = r"^-?(?:0|[1-9][0-9]{0,12})\.[0-9]{0,12}[1-9]\z"
_FRACTION_BYTES = 16


class _Cells(NamedTuple):
    """The cells of a block: tag, row, column; where a text is and whether it shows; whether a formula stands there."""

    tag: Places
    row: Places
    column: npt.NDArray[np.int32]
    start: Places
    end: Places
    shows: Flags
    formula: Flags


class PlainCells:
    """Reads blocks of plain rows, and adds what it learns to `facts`. `wanted` is RowScanner's."""

    def __init__(self, facts: Facts, strings: SharedStrings, wanted: frozenset[int] | None, prefix: str) -> None:
        self._facts = facts
        self._strings = strings
        self._prefix_bytes = len(prefix.encode())
        self._takes = np.full(MAX_COLUMNS, wanted is None)
        self._takes[list(wanted or ())] = True

    def read(self, block: bytes, after_row: int) -> RowBlock | None:
        """Read rows the grammar vouches for; None, and nothing learned, where the scanner must look."""
        facts = self._facts
        tags = tags_of(block, self._prefix_bytes)
        row_tags = np.flatnonzero(tags.letter == _ROW)
        numbers = numbers_at(tags.data, tags.at[row_tags] + (8 + self._prefix_bytes), 7)
        if not len(numbers) or numbers[0] <= after_row or numbers[-1] > MAX_ROWS or (np.diff(numbers) <= 0).any():
            return None
        if numbers[0] <= facts.header_row <= numbers[-1]:
            return None  # of the header every cell is taken
        cells = self._cells(tags, row_tags)
        if cells is None:
            return None
        taken = np.flatnonzero(cells.shows & self._takes[cells.column])
        read = self._texts(block, tags, cells, taken)
        if read is None:
            return None
        filled = np.zeros(len(numbers), np.bool_)
        filled[cells.row[cells.shows]] = True
        formulas = np.flatnonzero(cells.formula)
        types, _ = _types_and_styles(tags, cells.tag[formulas])
        filled[cells.row[formulas[types != _STRING_TYPE]]] = True
        self._learn(numbers, cells)
        text, numeric, styles = read
        return RowBlock(numbers, filled, cells.row[taken], cells.column[taken], text, numeric, styles)

    def _learn(self, numbers: Places, cells: _Cells) -> None:
        facts = self._facts
        facts.rows += len(numbers)
        facts.top = facts.top or int(numbers[0])
        facts.bottom = int(numbers[-1])
        if not len(cells.column):
            return
        facts.cells_left = min(facts.cells_left, int(cells.column.min()))
        facts.cells_right = max(facts.cells_right, int(cells.column.max()))
        if numbers[0] >= facts.header_row:
            used = cells.column[cells.shows | cells.formula]
            facts.content_right = max(facts.content_right, int(used.max(initial=-1)))

    def _cells(self, tags: Tags, row_tags: Places) -> _Cells | None:
        """Find the cells; None if they don't ascend, or lie right of the last column."""
        p, data, at, letter = self._prefix_bytes, tags.data, tags.at, tags.letter
        tag = np.flatnonzero(letter == _CELL)
        column = columns_at(data, at[tag] + (6 + p))
        ends = np.searchsorted(tag, np.append(row_tags[1:], len(at)))
        row = np.repeat(np.arange(len(row_tags)), np.diff(ends, prepend=0))
        if len(tag) and (column.max() >= MAX_COLUMNS or (np.diff(row * MAX_COLUMNS + column) <= 0).any()):
            return None
        value = tag + 1
        formula = letter[value] == _FORMULA
        if formula.any():
            # <f/><v> is one tag before the value, <f>...</f><v> two.
            value[formula] += 1
            closing = formula & (letter[value] == 0) & (data[at[value] + 2 + p] == _FORMULA)
            value[closing] += 1
        start = at[value] + (3 + p)
        shows = (letter[value] == _VALUE) & (data[start - 1] == _MORE) & (data[start] != _LESS)
        inline = np.flatnonzero(letter[value] == _INLINE)
        if len(inline):
            value[inline] += 1
            start[inline], shows[inline] = text_starts(tags, value[inline])
        if self._strings.has_empties:
            self._hide_empties(tags, tag, start, shows)
        return _Cells(tag, row, column, start, at[value + 1], shows, formula)

    def _hide_empties(self, tags: Tags, tag: Places, start: Places, shows: Flags) -> None:
        """A cell that points to an empty text shows nothing."""
        shown = np.flatnonzero(shows)
        types, _ = _types_and_styles(tags, tag[shown])
        shared = shown[types == _SHARED_TYPE]
        shows[shared] = ~self._strings.are_empty(numbers_at(tags.data, start[shared], _MAX_DIGITS))

    def _texts(self, block: bytes, tags: Tags, cells: _Cells, taken: Places) -> _Texts | None:
        """Return the texts of some cells; None when one points to a text that is not there, or all to too much."""
        types, styles = _types_and_styles(tags, cells.tag[taken])
        starts, ends = cells.start[taken], cells.end[taken]
        is_shared = types == _SHARED_TYPE
        is_number = (types == _NO_TYPE) | (types == _NUMBER_TYPE)
        is_boolean = types == _BOOLEAN_TYPE
        numbers = numbers_at(tags.data, starts[is_shared], _MAX_DIGITS)
        if numbers.max(initial=-1) >= len(self._strings) or self._strings.size_bytes(numbers) > _MAX_TEXT_BYTES:
            return None
        is_other = ~(is_shared | is_number | is_boolean)
        kinds = (
            (is_shared, self._strings.take(numbers)),
            (is_number, _decimals(without_entities(raw_texts(block, starts[is_number], ends[is_number]), block))),
            (is_boolean, _booleans(without_entities(raw_texts(block, starts[is_boolean], ends[is_boolean]), block))),
            (is_other, plain_texts(raw_texts(block, starts[is_other], ends[is_other]), block)),
        )
        return _Texts(_in_order(kinds, len(taken)), is_number, styles)


class _Texts(NamedTuple):
    """Of some cells: text, whether it is a number, style."""

    text: pa.LargeStringArray
    numeric: Flags
    styles: Places


def _in_order(kinds: Sequence[tuple[Flags, pa.LargeStringArray]], count: int) -> pa.LargeStringArray:
    """Put the texts of several kinds of cells back into the order of the cells."""
    present = [(flags, text) for flags, text in kinds if len(text)]
    if len(present) == 1:
        return present[0][1]
    order = np.empty(count, np.int64)
    first = 0
    for flags, text in present:
        order[flags] = np.arange(first, first + len(text))
        first += len(text)
    return pa.concat_arrays([text for _, text in kinds]).take(order)


def _types_and_styles(tags: Tags, cell_tags: Places) -> tuple[npt.NDArray[np.uint8], Places]:
    """Read a cell's type and style from the end of its tag: ` s="12" t="str"`, ` t="str" s="12"`, or either alone.

    Only of cells that are not closed in themselves.
    """
    data = tags.data
    last = tags.at[cell_tags + 1] - 3  # the last character of the last attribute
    types = data[last]
    is_type_last = types > _NINE
    lengths = np.where(types != _STRING_TYPE, 1, np.where(data[last - 3] == _QUOTE, 3, 9))
    # From the end of the value before it: `12" t="str` is 5 longer than the type's word.
    end = np.where(is_type_last, last - lengths - 5, last)
    styles = np.zeros(len(end), np.int64)
    place = end.copy()
    power = np.ones(len(end), np.int64)
    reading = np.ones(len(end), np.bool_)
    for _ in range(_MAX_STYLE_DIGITS):
        digits = data[place] - 48  # below "0" it wraps to a large one
        reading &= digits < 10  # noqa: PLR2004 - of digits
        if not reading.any():
            break
        styles += np.where(reading, digits * power, 0)
        power *= 10
        place -= reading
    # At the quote of `s="`; at a letter in `r="B12"`.
    has_style = (data[place] == _QUOTE) & (data[place - 2] == _STYLE)
    before = data[np.maximum(place - 5, 0)]
    types = np.where(is_type_last, types, np.where(has_style & (before > _NINE), before, _NO_TYPE))
    return types.astype(np.uint8), np.where(has_style, styles, 0)


def _booleans(raw: pa.LargeStringArray) -> pa.LargeStringArray:
    return pa.array(["TRUE" if text.strip() in TRUE_WORDS else "FALSE" for text in raw.to_pylist()], LARGE)


def _decimals(raw: pa.LargeStringArray) -> pa.LargeStringArray:
    """Write numbers in full decimal digits; nearly all stand so in the file."""
    short = pc.less_equal(pc.binary_length(raw), _FRACTION_BYTES)
    plain = pc.or_(pc.match_substring_regex(raw, _WHOLE), pc.and_(short, pc.match_substring_regex(raw, _FRACTION)))
    odd = pc.invert(plain)
    if not pc.any(odd).as_py():
        return raw
    texts = [decimal_text(text) for text in raw.filter(odd).to_pylist()]
    return pc.replace_with_mask(raw, odd, pa.array(texts, LARGE))
