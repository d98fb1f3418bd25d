"""Which row is the header: by what its cells say, and by where the codes begin. Knows nothing of how they are read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from enricher.codes.headers import kind_of_header, names_some_code
from enricher.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from enricher.cells import Preview

_SEARCH_ROWS = 50
_NUMBER = re.compile(r"""[='"\s]*[0-9][0-9.,/: -]{4,}['"\s]*""")
"""A long number, a price or a date: no header is called so, but a year may be one."""
_LONGEST_NAME = 60
_MOST_LONG = 0.2
_MOST_REPEATED = 0.5
"""Of a header's cells: an export may have lost some names to the same #NAME?, but not most."""


def texts_of(preview: Preview, at: int) -> list[str]:
    """Return the texts of one of the preview's rows."""
    return [(cells.text[at].as_py() or "").strip() for cells in preview.columns]


def header_position(
    preview: Preview, is_code: Sequence[npt.NDArray[np.bool_]], named: Sequence[str], header_row: int | None
) -> int:
    """Find the header among the preview's rows; -1 where there is none.

    `is_code` says of each column which cells are codes; `named` are columns that have to be in the header;
    `header_row` is a row number, 0 for none, None to find it. Raises ConfigError for a row that is not there.
    """
    if preview.has_names:
        if header_row is not None:
            raise ConfigError("--header-row and --no-header are for spreadsheets: this file names its columns itself")
        return 0
    if header_row is not None:
        if header_row == 0:
            return -1
        if header_row not in preview.row_numbers:
            raise ConfigError(f"--header-row {header_row}: that row is empty or beyond the start of the sheet")
        return preview.row_numbers.index(header_row)
    rows = min(len(preview.row_numbers), _SEARCH_ROWS)
    wanted = {name.casefold() for name in named}
    for at in range(rows):
        # A column's letter may stand in a cell of its own, so a row of data is none that was named.
        if wanted and wanted <= {text.casefold() for text in texts_of(preview, at)} and _is_words(preview, at):
            return at
    for at in range(rows):
        if any(_heads_codes(preview, at, index, mask) for index, mask in enumerate(is_code)):
            return at
    starts = [int(mask.argmax()) for mask in is_code if mask.any()]
    return _best_row(preview, min([*starts, rows]))


def _heads_codes(preview: Preview, at: int, index: int, is_code: npt.NDArray[np.bool_]) -> bool:
    """Say whether a cell names a kind of code, and the next one below it that holds anything is one."""
    cells = preview.columns[index].text
    text = (cells[at].as_py() or "").strip()
    if is_code[at] or len(text) > _LONGEST_NAME or kind_of_header(text) is None:
        return False
    below = (row for row in range(at + 1, len(cells)) if (cells[row].as_py() or "").strip())
    return bool(is_code[next(below, at)])


def _best_row(preview: Preview, end: int) -> int:
    """Take the fullest row of words above the first code; a row that names codes needs only half as many."""
    filled = {at: len([text for text in texts_of(preview, at) if text]) for at in range(end) if _is_words(preview, at)}
    if not filled:
        return -1
    most = max(filled.values())
    for at, count in filled.items():
        if 2 * count >= most and any(kind_of_header(text) or names_some_code(text) for text in texts_of(preview, at)):
            return at
    return next(at for at, count in filled.items() if count == most)


def _is_words(preview: Preview, at: int) -> bool:
    """Say whether a row can be names of columns: short texts, no numbers, and not the same again and again."""
    texts = [text for text in texts_of(preview, at) if text]
    if not texts or any(cells.numeric[at] for cells in preview.columns) or any(map(_NUMBER.fullmatch, texts)):
        return False
    different = len({text.casefold() for text in texts})
    long = len([text for text in texts if len(text) > _LONGEST_NAME])
    return different > (1 - _MOST_REPEATED) * len(texts) and long <= _MOST_LONG * len(texts)
