"""Which row is the header, and which columns hold codes: by what the header says *and* by what the cells hold.

Works on a preview of the sheet. Content outweighs the name: a column named EAN that is empty loses to one of ASINs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from enricher.codes import gtin, marketplaces
from enricher.codes.headers import added_before, is_never_codes, kind_of_header, words_of
from enricher.codes.identify import plain
from enricher.codes.reading import Evidence, read
from enricher.errors import ConfigError, InputError
from enricher.keys import NO_KEY, of_type
from enricher.model import Cells, CodeType, Preview

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_LEAST_SHARE = 0.5
"""Of a column's filled cells: one in ten random numbers has the right check digit, so less proves nothing."""
_LEAST_SHARE_NAMED = 0.05
"""The same where the header names a code: a column may be mostly dirt, and then every cell says so."""
_NUMBER = re.compile(r"[0-9][0-9.,/: -]{4,}")
"""A long number, a price or a date: no header is called so, but a year may be one."""
_HEADER_SEARCH_ROWS = 50
_SLOW_SAMPLE = 200


@dataclass(frozen=True, slots=True)
class CodeColumn:
    """A column that holds codes: where, its header's text, what is known of it, and why it was taken."""

    index: int
    name: str
    evidence: Evidence
    reason: str


@dataclass(frozen=True, slots=True)
class Layout:
    """How a sheet is to be read. `header_row` is a row number, 0 for none; columns count from 0.

    `code_columns` are in the order in which a row's code is looked for. `marketplaces` names a column that seems to
    name marketplaces, while nobody has said whether to use it.
    """

    header_row: int
    names: tuple[str, ...]
    code_columns: tuple[CodeColumn, ...]
    domain_column: int | None
    hints: tuple[str, ...] = ()
    marketplaces: str | None = None


@dataclass(frozen=True, slots=True)
class _Content:
    """What the preview's cells of one column are. EAN-8s are apart: eight digits are a date or a house number, too."""

    asins: npt.NDArray[np.bool_]
    gtins: npt.NDArray[np.bool_]
    ean8s: npt.NDArray[np.bool_]
    filled: npt.NDArray[np.bool_]

    def named(self, kind: str | None) -> _Content:
        """Count EAN-8s, too, where the header names a kind of code."""
        return self if kind is None else replace(self, gtins=self.gtins | self.ean8s)

    def count(self, first_row: int) -> int:
        return int((self.asins | self.gtins)[first_row:].sum())

    def share(self, first_row: int) -> tuple[float, float]:
        filled = max(1, int(self.filled[first_row:].sum()))
        return int(self.asins[first_row:].sum()) / filled, int(self.gtins[first_row:].sum()) / filled


def find_columns(
    preview: Preview,
    *,
    wanted: Sequence[str] = (),
    code_type: CodeType | None = None,
    header_row: int | None = None,
    domain_column: str | None = None,
) -> Layout:
    """Decide how to read a sheet.

    `wanted` names the code columns (header text, or a letter as a spreadsheet shows it); `header_row` is a row number,
    0 for none, None to find it. Columns that an earlier run added are never chosen unasked. Raises ConfigError for a
    column that is not there, InputError where no column holds codes.
    """
    contents = [_content(cells, code_type) for cells in preview.columns]
    named = [*wanted, *([domain_column] if domain_column else [])]
    at = _header_position(preview, contents, named, header_row)
    names = tuple(_texts(preview, at)) if at >= 0 else ("",) * len(preview.columns)
    found_row = preview.row_numbers[at] if at >= 0 else 0
    first = at + 1
    if wanted:
        indexes = [_resolve(name, names, "--code-column") for name in wanted]
        columns = [_describe(i, names[i], contents[i], first, code_type, "named by you") for i in indexes]
        hints: list[str] = []
    else:
        skipped = added_before(names)
        columns, hints = _choose(names, contents, first, code_type, skipped)
        hints += ["an earlier run added columns to this sheet; they are not read"] if skipped else []
    domain_at = _resolve(domain_column, names, "--domain-column") if domain_column else None
    unused = None if domain_column else _marketplaces(preview, names, first)
    if unused is not None:
        hints.append(f"column {unused!r} holds marketplaces; to use them: --domain-column {unused!r}")
    if len(preview.row_numbers) <= first:
        where = f"there are no rows below the header in row {found_row}" if found_row else "there is nothing in it"
        raise InputError(f"no codes can be read: {where}")
    if not columns:
        raise InputError(
            f"no column with ASINs, UPCs or EANs was found among: {_listed(names)}. Name it: --code-column NAME"
        )
    return Layout(found_row, names, tuple(columns), domain_at, tuple(hints), unused)


def _content(cells: Cells, code_type: CodeType | None) -> _Content:
    """Read a column's cells; of many odd ones only some, and then the others don't count as filled."""
    keys, blank, text = plain(cells, code_type)
    is_asin = of_type(keys, CodeType.ASIN)
    is_gtin = (keys != NO_KEY) & ~is_asin
    is_ean8 = np.zeros(len(keys), np.bool_)
    filled = ~blank
    odd = np.flatnonzero((keys == NO_KEY) & filled)
    filled[odd[_SLOW_SAMPLE:]] = False
    for row in odd[:_SLOW_SAMPLE].tolist():
        reading = read(text[row].as_py(), int(cells.zeros[row]), Evidence(code_type), numeric=bool(cells.numeric[row]))
        is_asin[row] = reading.code_type is CodeType.ASIN
        is_ean8[row] = reading.code is not None and len(reading.code) == gtin.EAN8_DIGITS
        is_gtin[row] = reading.code is not None and not is_asin[row] and not is_ean8[row]
    return _Content(is_asin, is_gtin, is_ean8, filled)


def _texts(preview: Preview, at: int) -> list[str]:
    return [(cells.text[at].as_py() or "").strip() for cells in preview.columns]


def _header_position(
    preview: Preview, contents: Sequence[_Content], named: Sequence[str], header_row: int | None
) -> int:
    """Find the header among the preview's rows; -1 where there is none."""
    rows = min(len(preview.row_numbers), _HEADER_SEARCH_ROWS)
    if header_row is not None:
        if header_row == 0:
            return -1
        if header_row not in preview.row_numbers:
            raise ConfigError(f"--header-row {header_row}: that row is empty or beyond the start of the sheet")
        return preview.row_numbers.index(header_row)
    for at in range(rows):
        if named and {name.casefold() for name in named} <= {text.casefold() for text in _texts(preview, at)}:
            return at
    code_rows = [_first(content.asins | content.gtins) for content in contents]
    first_code = min((row for row in code_rows if row is not None), default=rows)
    for at in range(min(first_code, rows)):
        if any(kind_of_header(text) and not contents[i].gtins[at] for i, text in enumerate(_texts(preview, at))):
            return at
    return _widest_text_row(preview, min(first_code, rows)) if first_code else -1


def _first(mask: npt.NDArray[np.bool_]) -> int | None:
    return int(mask.argmax()) if mask.any() else None


def _widest_text_row(preview: Preview, end: int) -> int:
    """Take the first of the fullest rows above the first code, if it is words throughout."""
    best, best_filled = -1, 0
    for at in range(end):
        texts = [text for text in _texts(preview, at) if text]
        numeric = any(cells.numeric[at] for cells in preview.columns) or any(map(_NUMBER.fullmatch, texts))
        if len(texts) > best_filled and not numeric and len({text.casefold() for text in texts}) == len(texts):
            best, best_filled = at, len(texts)
    return best


def _describe(  # noqa: PLR0913, PLR0917 - all it says is in its arguments
    index: int, name: str, content: _Content, first: int, code_type: CodeType | None, why: str = ""
) -> CodeColumn:
    content = content.named(kind_of_header(name))
    asin_share, gtin_share = content.share(first)
    filled, codes = int(content.filled[first:].sum()), content.count(first)
    reason = f"{codes:,} of {filled:,} cells looked at are codes" + (f", {why}" if why else "")
    return CodeColumn(index, name, Evidence(code_type, kind_of_header(name), asin_share, gtin_share), reason)


def _choose(
    names: Sequence[str],
    contents: Sequence[_Content],
    first: int,
    code_type: CodeType | None,
    skipped: Sequence[int],
) -> tuple[list[CodeColumn], list[str]]:
    """Choose the best column of ASINs and the best of GTINs; a row's ASIN comes first.

    Returns them, and a hint for each other column that holds as many codes as the one chosen over it.
    """
    groups: dict[bool, list[tuple[tuple[bool, int], CodeColumn]]] = {True: [], False: []}
    for index, (name, content) in enumerate(zip(names, contents, strict=True)):
        kind = kind_of_header(name)
        asin_share, gtin_share = content.named(kind).share(first)
        share = asin_share + gtin_share
        refused = index in skipped or is_never_codes(name)
        if refused or share < (_LEAST_SHARE_NAMED if kind else _LEAST_SHARE):
            continue
        why = f"and the header says {kind.upper()}" if kind else ""
        rank = (kind is not None, content.named(kind).count(first))
        groups[asin_share >= gtin_share].append((rank, _describe(index, name, content, first, code_type, why)))
    columns, hints = [], []
    for group in groups.values():
        if group:
            best_rank, best = max(group, key=lambda ranked: ranked[0])
            columns.append(best)
            hints += [
                f"column {column.name!r} holds as many codes as {best.name!r}; to use it: --code-column {column.name!r}"
                for rank, column in group
                if rank[1] >= best_rank[1] and column is not best
            ]
    return columns, hints


def _resolve(name: str, names: Sequence[str], flag: str) -> int:
    """Find a column by its header, or by its letter where no header is called so."""
    called_so = [index for index, header in enumerate(names) if header.casefold() == name.strip().casefold()]
    if len(called_so) == 1:
        return called_so[0]
    if called_so:
        raise ConfigError(f"{flag}: {len(called_so)} columns are called {name!r}. Name one by its letter, such as B")
    if re.fullmatch(r"[A-Za-z]{1,3}", name):
        index = 0
        for letter in name.upper():
            index = index * 26 + ord(letter) - ord("A") + 1
        if index <= len(names):
            return index - 1
    raise ConfigError(f"{flag}: there is no column {name!r}. The columns are: {_listed(names)}")


def _listed(names: Sequence[str]) -> str:
    shown = [name for name in names if name][:30]
    rest = len([name for name in names if name]) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "") if shown else "(no header was found)"


def _marketplaces(preview: Preview, names: Sequence[str], first: int) -> str | None:
    """Name the column of marketplaces, by its header and its cells; None where there is none."""
    for cells, name in zip(preview.columns, names, strict=True):
        texts = [text.strip() for text in cells.text[first : first + _SLOW_SAMPLE].to_pylist() if text and text.strip()]
        words = {"marketplace", "domain", "marktplatz", "amazon"} & words_of(name)
        if words and texts and all(marketplaces.parse(text) for text in texts):
            return name
    return None
