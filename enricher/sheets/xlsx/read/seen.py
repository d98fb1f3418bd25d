"""Rows of a worksheet as a person sees them, for another kind of file.

Owns which numbers are dates, times, or texts with leading zeros. Knows no bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enricher.sheets.grid import CellKind, Grid, GridColumn
from enricher.sheets.xlsx.cells.display import date_text
from enricher.sheets.xlsx.cells.encoder import LARGE

if TYPE_CHECKING:
    import numpy.typing as npt

    from enricher.sheets.xlsx.cells.row_block import RowBlock
    from enricher.sheets.xlsx.cells.styles import Styles

_BOOLEANS = pa.array(["TRUE", "FALSE"], LARGE)
"""A text that says so is taken for the boolean, as Excel takes it when it is typed."""


def grid_of(rows: RowBlock, styles: Styles, *, date1904: bool) -> Grid:
    """Lay out rows with every column up to the widest of them; same rows, same order."""
    texts, kinds = _seen(rows, styles, date1904=date1904)
    order = np.argsort(rows.columns, kind="stable")
    ordered = rows.columns[order]
    places, firsts = np.unique(ordered, return_index=True)
    nothing = GridColumn(pa.nulls(len(rows), pa.string()))
    columns = [nothing] * (int(places[-1]) + 1 if len(places) else 0)
    lasts = np.append(firsts, len(order))[1:]
    for place, first, last in zip(places.tolist(), firsts.tolist(), lasts.tolist(), strict=True):
        chosen = order[first:last]
        cell_at = np.full(len(rows), -1)
        cell_at[rows.at[chosen]] = chosen
        text = texts.take(pa.array(cell_at, mask=cell_at < 0)).cast(pa.string())
        columns[place] = GridColumn(text, np.where(cell_at < 0, CellKind.TEXT, kinds[cell_at]).astype(np.uint8))
    return Grid(rows.numbers, tuple(columns))


def _seen(rows: RowBlock, styles: Styles, *, date1904: bool) -> tuple[pa.LargeStringArray, npt.NDArray[np.uint8]]:
    """Return the text and the kind of every cell. One by one only those that their format shows otherwise."""
    kinds = np.where(rows.numeric, CellKind.NUMBER, CellKind.TEXT).astype(np.uint8)
    kinds[pc.is_in(rows.text, _BOOLEANS).to_numpy(zero_copy_only=False) & ~rows.numeric] = CellKind.BOOLEAN
    is_shown = np.array(
        [bool(styles.date_of(at)) or styles.zeros_of(at) > 1 for at in range(len(styles.dates))] + [False]
    )
    odd = rows.numeric & is_shown[np.minimum(rows.styles, len(styles.dates))]
    if not odd.any():
        return rows.text, kinds
    shown = []
    for at, text in zip(np.flatnonzero(odd).tolist(), rows.text.filter(pa.array(odd)).to_pylist(), strict=True):
        as_text, kinds[at] = _formatted(text, int(rows.styles[at]), styles, date1904=date1904)
        shown.append(as_text)
    return pc.replace_with_mask(rows.text, pa.array(odd), pa.array(shown, LARGE)), kinds


def _formatted(text: str, style: int, styles: Styles, *, date1904: bool) -> tuple[str, CellKind]:
    kind = styles.date_of(style)
    if kind:
        shown = date_text(text, kind, date1904=date1904)
        if shown != text:
            return shown, CellKind.DATE if "-" in shown else CellKind.TIME
    zeros = styles.zeros_of(style)
    if text.isdigit() and len(text) < zeros:
        return text.zfill(zeros), CellKind.TEXT
    return text, CellKind.NUMBER
