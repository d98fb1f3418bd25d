"""Products and row verdicts to the columns that are added to the sheet.

Every distinct answer becomes one piece; rows point at pieces. Knows nothing of files, requests or cells.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from enricher.keys import KeyArray, unpack
from enricher.model import ARROW_TYPES, FIELDS, LOOKUP_FIELDS, Additions, Outcome, RowStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STATUSES = tuple(RowStatus)
_LOOKUP_TYPES = {"match_count": pa.int64()}
NO_KEY_INDEX = -1
_MULTIPLE_NOTE = "{} products have this code; the best-ranked is shown"


@dataclass(frozen=True, slots=True)
class Rows:
    """The verdict on every row below the header; one element a row, same order.

    `key_index` is a position among the run's unique keys, -1 for a row without a usable code; `invalid` and `empty`
    tell why there is none (neither: the cell is blank). `beyond` marks rows past --limit. `notes` are by row.
    """

    key_index: npt.NDArray[np.int32]
    invalid: npt.NDArray[np.bool_]
    empty: npt.NDArray[np.bool_]
    beyond: npt.NDArray[np.bool_]
    notes: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known of the run's unique keys: `products` are rows of the store, `key_at` their key's position.

    `failures` has a reason for each key that was given up on; `pending` the reason why a key was not asked.
    """

    keys: KeyArray
    products: pa.Table
    key_at: npt.NDArray[np.int32]
    failures: Mapping[int, str] = field(default_factory=dict)
    pending: str = ""
    source_note: str = ""

    def is_found(self) -> npt.NDArray[np.bool_]:
        """Say which rows of `products` are products, and not the fact that there is none."""
        found: npt.NDArray[np.bool_] = pc.equal(self.products.column("outcome"), Outcome.FOUND.value).to_numpy()
        return found

    def outcomes(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Say which keys are known as found, and which as not found; one element a key."""
        is_found = self.is_found()
        found, not_found = np.zeros((2, len(self.keys)), np.bool_)
        found[self.key_at[is_found]] = True
        not_found[self.key_at[~is_found]] = True
        return found, not_found


@dataclass(frozen=True, slots=True)
class Columns:
    """What is added: the fields, in order, the prefix of their names, and what joins the elements of a list."""

    fields: Sequence[str] = tuple(FIELDS)
    prefix: str = "amazon_"
    list_separator: str = "; "

    def schema(self) -> pa.Schema:
        """Return names and types of the new columns."""
        kinds = {name: FIELDS[name].kind for name in self.fields}
        fields = [  # of a list the entries are joined
            (self.prefix + name, pa.string() if kind == "list" else ARROW_TYPES[kind]) for name, kind in kinds.items()
        ]
        return pa.schema([*fields, *((name, _LOOKUP_TYPES.get(name, pa.string())) for name in LOOKUP_FIELDS)])


def statuses(rows: Rows, answers: Answers) -> npt.NDArray[np.uint8]:
    """Return every row's status as a position in RowStatus; an empty row counts as blank."""
    of_key = np.full(len(answers.keys) + 1, _STATUSES.index(RowStatus.PENDING), np.uint8)
    of_key[[*answers.failures]] = _STATUSES.index(RowStatus.FAILED)
    found, not_found = answers.outcomes()
    of_key[:-1][found] = _STATUSES.index(RowStatus.FOUND)
    of_key[:-1][not_found] = _STATUSES.index(RowStatus.NOT_FOUND)
    status = of_key[rows.key_index]
    no_key = rows.key_index == NO_KEY_INDEX
    status[no_key & ~rows.beyond] = _STATUSES.index(RowStatus.BLANK)
    status[no_key & rows.invalid] = _STATUSES.index(RowStatus.INVALID)
    return status


def additions(rows: Rows, answers: Answers, columns: Columns) -> Additions:
    """Make the new columns: each row's product (of several the best), status, note, code, number of matches, date."""
    status = statuses(rows, answers)
    texts = ["", *dict.fromkeys(rows.notes.values())]
    note_ids = {text: at for at, text in enumerate(texts)}
    note_of_row = np.zeros(len(rows.key_index), np.int64)
    note_of_row[[*rows.notes]] = [note_ids[text] for text in rows.notes.values()]
    combined = (rows.key_index.astype(np.int64) + 1) * len(texts) + note_of_row
    combined = combined * (len(_STATUSES) + 1) + status
    index, distinct = pd.factorize(combined)
    rest, status_of = np.divmod(distinct, len(_STATUSES) + 1)
    key_of, note_of = np.divmod(rest, len(texts))
    pieces = _pieces(key_of - 1, status_of, [texts[note] for note in note_of], answers, columns)
    return Additions(pieces, np.where(rows.empty, -1, index).astype(np.int32))


def _pieces(
    key_of: npt.NDArray[np.int64],
    status_of: npt.NDArray[np.int64],
    notes: Sequence[str],
    answers: Answers,
    columns: Columns,
) -> pa.Table:
    best, counts = _best(answers)
    row_of = np.where(key_of >= 0, best[key_of], -1)
    take = pa.array(np.where(row_of < 0, 0, row_of), mask=row_of < 0)
    product = answers.products.take(take)
    arrays = [_render(product.column(name), columns.list_separator) for name in columns.fields]
    status = [_STATUSES[at] for at in status_of]
    count = np.where(key_of >= 0, counts[key_of], 0)
    lines = [
        "; ".join(part for part in _note(note, key, state, int(matches), answers) if part) or None
        for note, key, state, matches in zip(notes, key_of.tolist(), status, count, strict=True)
    ]
    codes = [key.code for key in unpack(answers.keys)]
    seconds = product.column("fetched_at").cast(pa.timestamp("s", tz="UTC"), safe=False)
    stamps = pc.strftime(seconds, "%Y-%m-%dT%H:%M:%SZ")
    arrays += [
        pa.array([state.value for state in status], pa.string()),
        pa.array(lines, pa.string()),
        pa.array([codes[key] if key >= 0 else None for key in key_of], pa.string()),
        pa.array(
            count, pa.int64(), mask=np.array([s not in {RowStatus.FOUND, RowStatus.NOT_FOUND} for s in status], bool)
        ),
        stamps,
    ]
    return pa.table(arrays, schema=columns.schema())


def _note(note: str, key: int, status: RowStatus, matches: int, answers: Answers) -> list[str]:
    """Put together what a row's note says."""
    parts = [note]
    if status is RowStatus.FAILED:
        parts.append(answers.failures[key])
    elif status is RowStatus.PENDING:
        parts.append(answers.pending if key != NO_KEY_INDEX else "beyond --limit")
    elif key in answers.failures:
        parts.append(f"could not be asked again ({answers.failures[key]}): the answer is of fetched_at")
    if status is RowStatus.FOUND:
        parts += [_MULTIPLE_NOTE.format(matches) if matches > 1 else "", answers.source_note]
    return parts


def _best(answers: Answers) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Choose a product for every key: the lowest sales rank, then the most offers, then the API's own order.

    Returns the row of `products` for each key (-1: unknown), and how many products it has.
    """
    products = answers.products
    frame = pd.DataFrame(
        {
            "key": answers.key_at,
            "bsr": products.column("bsr").to_numpy(),
            "offers": products.column("total_new").to_numpy(),
            "item": products.column("item").to_numpy(),
        }
    )
    first = frame.sort_values(
        ["key", "bsr", "offers", "item"], ascending=[True, True, False, True], na_position="last"
    ).drop_duplicates("key")
    best = np.full(len(answers.keys) + 1, -1, np.int64)
    best[first["key"].to_numpy()] = first.index.to_numpy()
    counts = np.bincount(answers.key_at[answers.is_found()], minlength=len(answers.keys) + 1)
    return best, counts


def _render(column: pa.ChunkedArray, separator: str) -> pa.ChunkedArray:
    """Make a store column one a spreadsheet can hold: a list becomes a joined text, an empty one nothing."""
    if not pa.types.is_list(column.type):
        return column
    joined = pc.binary_join(column, separator)
    return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)
