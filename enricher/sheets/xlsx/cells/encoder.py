"""Values as the XML of cells, a column at a time.

Owns ST_Xstring (ECMA-376 part 1, 22.9.2.19) for writing and Excel's limits on a cell. Knows no row and no file.
A cell is a reference and a *tail*: `<c r="I5"` + ` t="inlineStr"><is><t>Sony</t></is></c>`; tails are the same in
every row.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enricher.sheets.xlsx.cells.references import letters_of
from enricher.sheets.xlsx.cells.strings import whole
from enricher.sheets.xlsx.opc.markup import PRESERVE, escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from enricher.cells import Additions

Tails: TypeAlias = "pa.StringArray"
LARGE = pa.large_string()
"""Of whole rows: a few thousand of them with the longest texts are more than a plain array holds."""
MAX_CELL_UNITS = 32_767
_MAX_EXACT = 10**15
"""Excel keeps 15 digits of a number; a longer integer is a code or a sum that must not be rounded."""
MARKUP_BYTES = 60
"""Of a cell, around its text."""
TEXT_MARK = ' t="inlineStr"'

# What needs more than &, < and >: escapes, edge spaces, newlines. RE2 for the column, `re` for the one text.
_ODD = r"[\x00-\x1f\x{FFFE}\x{FFFF}]|_x[0-9A-Fa-f]{4}_|^ | $"
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f]")
_LITERAL_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_NO_CHARACTER = re.compile("[\ufffe\uffff]")


class Encoded(NamedTuple):
    """The tails of a column (null: no cell), and which of its texts had to be cut."""

    tails: Tails
    cut: list[int]


def tails_of(values: Any, prefix: str = "") -> Encoded:
    """Encode a column of an Arrow table, whatever its type; `prefix` is the namespace's, with its colon."""
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    kind = values.type
    if pa.types.is_dictionary(kind):
        return tails_of(values.dictionary_decode(), prefix)
    if pa.types.is_boolean(kind):
        return Encoded(_joined(f' t="b"><{prefix}v>', pc.if_else(values, "1", "0"), f"</{prefix}v></{prefix}c>"), [])
    if pa.types.is_integer(kind):
        return Encoded(_integer_tails(values, prefix), [])
    if pa.types.is_floating(kind):
        finite = pc.if_else(pc.is_finite(values), values, pa.scalar(None, kind))
        return Encoded(_number_tails(finite, prefix), [])
    return _text_tails(values.cast(pa.string()), prefix)


def text_column(texts: Sequence[str]) -> pa.StringArray:
    """Make a column of texts, lone surrogates replaced."""
    try:
        return pa.array(texts, pa.string())
    except (UnicodeEncodeError, pa.ArrowInvalid):
        return pa.array([whole(text) for text in texts], pa.string())


def row_pieces(first_column: int, numbers: Any, columns: Sequence[Tails], prefix: str = "") -> list[pa.Array]:
    """Return the new cells, a column each and one a row (null: none); `numbers` are the rows'."""
    texts = pa.array(numbers, pa.int64()).cast(LARGE)
    quote, nothing = pa.scalar('"', LARGE), pa.scalar("", LARGE)
    openings = (pa.scalar(f'<{prefix}c r="{letters_of(first_column + place)}', LARGE) for place in range(len(columns)))
    return [
        pc.binary_join_element_wise(opening, texts, quote, tails.cast(LARGE), nothing)
        for opening, tails in zip(openings, columns, strict=True)
    ]


def joined_rows(pieces: Sequence[pa.Array]) -> pa.LargeStringArray:
    """Join several columns of pieces (null: nothing) to one of rows."""
    nothing = pa.scalar("", LARGE)
    return pc.binary_join_element_wise(*pieces, nothing, null_handling="replace", null_replacement="")


def grown_bytes(additions: Additions) -> int:
    """Estimate how many bytes of XML the new columns come to, for choosing the form of the zip before writing."""
    return int(grown_lengths(additions)[additions.index[additions.index >= 0]].sum())


def grown_lengths(additions: Additions) -> npt.NDArray[np.int64]:
    """Estimate how many bytes of XML each row of the answers comes to."""
    table = additions.table()
    lengths = np.full(table.num_rows, MARKUP_BYTES * table.num_columns, np.int64)
    for column in table.columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            lengths += pc.binary_length(column).fill_null(0).to_numpy()
    return lengths


def cut_notes(count: int) -> list[str]:
    """Say how many texts were cut; no line for none.

    >>> cut_notes(1)
    ['1 text was longer than an Excel cell holds and was cut']
    """
    what = "1 text was longer than an Excel cell holds and was cut"
    return [what if count == 1 else f"{count} texts were longer than an Excel cell holds and were cut"] if count else []


def cell(column: int, row: int, style: str | None, tail: str, prefix: str = "") -> str:
    """Write one cell. Text keeps the style that stands there; a number must not: a date's would show it as a date."""
    kept = f' s="{style}"' if style and tail.startswith(TEXT_MARK) else ""
    return f'<{prefix}c r="{letters_of(column)}{row}"{kept}{tail}'


def text_tail(text: str, prefix: str = "") -> tuple[str, bool]:
    """Encode one text; also tell whether it was cut."""
    content, was_cut = escaped_text(text)
    space = PRESERVE if content != content.strip(" \t\n") or "\n" in content else ""
    return f"{TEXT_MARK}><{prefix}is><{prefix}t{space}>{escaped(content)}</{prefix}t></{prefix}is></{prefix}c>", was_cut


def escaped_text(text: str) -> tuple[str, bool]:
    r"""Write what XML can't hold as Excel does, cut to what a cell holds; also tell whether it was cut.

    >>> escaped_text("a\rb _x0041_")
    ('a_x000D_b _x005F_x0041_', False)
    """
    cut, was_cut = cut_to_cell(whole(text))
    plain = _NO_CHARACTER.sub("\ufffd", cut)
    safe = _LITERAL_ESCAPE.sub("_x005F_", plain)
    return _FORBIDDEN.sub(lambda match: f"_x{ord(match[0]):04X}_", safe), was_cut


def cut_to_cell(text: str) -> tuple[str, bool]:
    """Cut a text to 32,767 UTF-16 units, never between the halves of a character."""
    if len(text) * 2 <= MAX_CELL_UNITS:
        return text, False
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= MAX_CELL_UNITS * 2:
        return text, False
    return units[: MAX_CELL_UNITS * 2].decode("utf-16-le", "ignore"), True


def _joined(opening: str, values: pa.StringArray, closing: str) -> Tails:
    return pc.binary_join_element_wise(opening, values, closing, "")


def _number_tails(values: Any, prefix: str) -> Tails:
    return _joined(f"><{prefix}v>", values.cast(pa.string()), f"</{prefix}v></{prefix}c>")


def _integer_tails(values: Any, prefix: str) -> Tails:
    large = pc.or_(pc.greater_equal(values, _MAX_EXACT), pc.less_equal(values, -_MAX_EXACT))
    tails = _number_tails(values, prefix)
    if not pc.any(large).as_py():
        return tails
    return pc.if_else(large, _text_tails(values.cast(pa.string()), prefix).tails, tails)


def _text_tails(values: pa.StringArray, prefix: str) -> Encoded:
    values = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
    odd = pc.or_(pc.match_substring_regex(values, _ODD), pc.greater(pc.binary_length(values), MAX_CELL_UNITS))
    content = values
    for character, escape in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        content = pc.replace_substring(content, character, escape)
    tails = _joined(f"{TEXT_MARK}><{prefix}is><{prefix}t>", content, f"</{prefix}t></{prefix}is></{prefix}c>")
    odd = odd.fill_null(False)
    if not pc.any(odd).as_py():
        return Encoded(tails, [])
    places = pc.indices_nonzero(odd)
    slow = [text_tail(text, prefix) for text in values.take(places).to_pylist()]
    tails = pc.replace_with_mask(tails, odd, pa.array([tail for tail, _ in slow], pa.string()))
    cut = [place for place, (_, was_cut) in zip(places.to_pylist(), slow, strict=True) if was_cut]
    return Encoded(tails, cut)
