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

from enricher.cells import Additions
from enricher.keys import KeyArray, unpack
from enricher.model import ARROW_TYPES, FIELDS, LOOKUP_FIELDS, Outcome, RowStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from enricher.model import Products

_STATUSES = tuple(RowStatus)
_ASKED = {RowStatus.FOUND, RowStatus.NOT_FOUND}
_BATCH = 4_096
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
    products: Products
    key_at: npt.NDArray[np.int32]
    failures: Mapping[int, str] = field(default_factory=dict)
    pending: str = ""
    source_note: str = ""

    def outcomes(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Say which keys are known as found, and which as not found; one element a key."""
        is_found = _is_found(self.products.table(["outcome"]))
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
    pieces = Pieces(key_of - 1, status_of, [texts[note] for note in note_of], answers, columns)
    place = np.empty_like(pieces.order)
    place[pieces.order] = np.arange(len(place))
    return Additions(pieces, np.where(rows.empty, -1, place[index] if len(place) else index).astype(np.int32))


class Pieces:
    """The distinct answers as rows of the new columns, made in batches when asked for, in the order of the resume file.

    So neither all products nor all pieces need be in memory at once. The arguments have one element a piece; piece
    `n` is made of element `order[n]`.
    """

    def __init__(
        self,
        key_of: npt.NDArray[np.int64],
        status_of: npt.NDArray[np.int64],
        notes: Sequence[str],
        answers: Answers,
        columns: Columns,
    ) -> None:
        best, counts = _best(answers)
        self.schema = columns.schema()
        self.num_rows = len(key_of)
        self._columns, self._answers = columns, answers
        self._key_of, self._status_of, self._notes = key_of, status_of, notes
        self._counts = np.where(key_of >= 0, counts[key_of], 0)
        row_of = np.where(key_of >= 0, best[key_of], -1)
        self.order = np.argsort(row_of, kind="stable")
        self._row_of = row_of[self.order]

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        """Make the pieces in order, some thousands at a time."""
        place = int(np.searchsorted(self._row_of, 0))
        for start in range(0, place, _BATCH):
            yield self._batch(None, start, min(start + _BATCH, place))
        first = 0
        for products in self._answers.products.batches():
            end = int(np.searchsorted(self._row_of, first + len(products)))
            for start in range(place, end, _BATCH):
                stop = min(start + _BATCH, end)
                yield self._batch(products.take(pa.array(self._row_of[start:stop] - first)), start, stop)
            place, first = end, first + len(products)

    def _batch(self, product: pa.RecordBatch | None, start: int, stop: int) -> pa.RecordBatch:
        """Make some pieces, given their products, if they have any."""
        chosen = self.order[start:stop]
        key_of, count = self._key_of[chosen], self._counts[chosen]
        status = [_STATUSES[at] for at in self._status_of[chosen]]
        notes = [self._notes[at] for at in chosen]
        lines = [
            "; ".join(part for part in _note(note, key, state, int(matches), self._answers) if part) or None
            for note, key, state, matches in zip(notes, key_of.tolist(), status, count, strict=True)
        ]
        asked = np.array([state in _ASKED for state in status], np.bool_)
        codes = np.full(len(chosen), None, object)
        codes[key_of >= 0] = [key.code for key in unpack(self._answers.keys[key_of[key_of >= 0]])]
        arrays = {
            "lookup_status": pa.array([state.value for state in status], pa.string()),
            "lookup_note": pa.array(lines, pa.string()),
            "lookup_code": pa.array(codes, pa.string()),
            "match_count": pa.array(count, pa.int64(), mask=~asked),
        }
        if product is not None:
            separator, prefix = self._columns.list_separator, self._columns.prefix
            arrays |= {prefix + name: _render(product.column(name), separator) for name in self._columns.fields}
            seconds = product.column("fetched_at").cast(pa.timestamp("s", tz="UTC"), safe=False)
            arrays["fetched_at"] = pc.strftime(seconds, "%Y-%m-%dT%H:%M:%SZ")
        columns = [arrays.get(field.name, pa.nulls(len(chosen), field.type)) for field in self.schema]
        return pa.record_batch(columns, schema=self.schema)


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
    products = answers.products.table(["outcome", "bsr", "total_new", "item"])
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
    counts = np.bincount(answers.key_at[_is_found(products)], minlength=len(answers.keys) + 1)
    return best, counts


def _is_found(products: pa.Table) -> npt.NDArray[np.bool_]:
    """Say which rows are products, and not the fact that there is none."""
    found: npt.NDArray[np.bool_] = pc.equal(products.column("outcome"), Outcome.FOUND.value).to_numpy()
    return found


def _render(column: pa.Array, separator: str) -> pa.Array:
    """Make a store column one a spreadsheet can hold: a list becomes a joined text, an empty one nothing."""
    if not pa.types.is_list(column.type):
        return column
    joined = pc.binary_join(column, separator)
    return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)
