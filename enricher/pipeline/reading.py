"""Pass 1: the table is found, its columns chosen, and every row's code read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from enricher import codes, merge, sheets
from enricher.errors import ConfigError, EnricherError
from enricher.keys import NO_KEY, KeyArray

if TYPE_CHECKING:
    from pathlib import Path

    from enricher.config import Settings
    from enricher.pipeline.task import Observer, Task

_PREVIEW_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """What the input holds: how it is laid out, the verdict on every row, and the unique keys in order."""

    source: sheets.Source
    layout: codes.Layout
    rows: merge.Rows
    keys: KeyArray
    row_numbers: npt.NDArray[np.int32]

    def check_marketplaces(self, settings: Settings) -> None:
        """Raise ConfigError where the sheet names marketplaces and nobody said whether to ask in them.

        Asking for all in the default one would buy wrong products.
        """
        column = self.layout.marketplaces
        if column is not None and "domain" not in settings.input.model_fields_set:
            raise ConfigError(
                f"column {column!r} names marketplaces. To ask for each row in its own: --domain-column {column!r}; "
                f"to ask for all in one: --domain {settings.input.domain}"
            )

    def column_names(self) -> list[str]:
        """Name the code columns; one without a header by its number."""
        return [column.name or f"column {column.index + 1}" for column in self.layout.code_columns]


def read(task: Task, observer: Observer) -> Reading:
    """Read every row's code. Raises InputError, and ConfigError for a sheet or column that is not there."""
    settings = task.settings.input
    source, layout = find_table(task.input, task.settings)
    wanted = [column.index for column in layout.code_columns]
    if layout.domain_column is not None:
        wanted.append(layout.domain_column)
    parts: list[codes.Identified] = []
    empty: list[npt.NDArray[np.bool_]] = []
    numbers: list[npt.NDArray[np.int32]] = []
    notes: dict[int, str] = {}
    rows = 0
    for batch in source.batches(layout.header_row, wanted):
        columns = list(zip(layout.code_columns, batch.columns, strict=False))
        domains = batch.columns[-1] if layout.domain_column is not None else None
        part = codes.identify(
            [(column.name, cells, column.evidence) for column, cells in columns], domains, settings.domain
        )
        notes.update((rows + at, note) for at, note in part.notes.items())
        parts.append(part)
        empty.append(batch.empty)
        numbers.append(batch.row_numbers.astype(np.int32))
        rows += len(batch.empty)
        observer.reading(rows, batch.share_read)
    keys = np.concatenate([np.empty(0, np.uint64), *(part.keys for part in parts)])
    invalid = np.concatenate([np.empty(0, np.bool_), *(part.invalid for part in parts)])
    is_empty = np.concatenate([np.empty(0, np.bool_), *empty])
    beyond = np.zeros(rows, np.bool_)
    if settings.limit is not None:
        beyond = np.cumsum(~is_empty) > settings.limit
        keys[beyond], invalid[beyond] = NO_KEY, False
        notes = {row: note for row, note in notes.items() if not beyond[row]}
    key_index = np.full(rows, merge.NO_KEY_INDEX, np.int32)
    key_index[keys != NO_KEY], unique = pd.factorize(keys[keys != NO_KEY])
    row_numbers = np.concatenate([np.empty(0, np.int32), *numbers])
    return Reading(source, layout, merge.Rows(key_index, invalid, is_empty, beyond, notes), unique, row_numbers)


def columns_of(settings: Settings) -> merge.Columns:
    """Return which columns the settings add."""
    return merge.Columns(settings.output.fields, settings.output.prefix, settings.output.list_separator)


def find_table(path: Path, settings: Settings) -> tuple[sheets.Source, codes.Layout]:
    """Take the sheet that was asked for, or the first that is not hidden and has a column of codes."""
    sources = list(sheets.open_sources(path))
    wanted = settings.input.sheet
    names = ", ".join(source.sheet or "(the file has no sheets)" for source in sources)
    if wanted is None:
        sources = [source for source in sources if not source.hidden]
    else:
        sources = [source for source in sources if (source.sheet or "").casefold() == wanted.casefold()]
    if not sources:
        why = f"no sheet {wanted!r}" if wanted is not None else "only hidden sheets; name one with --sheet"
        raise ConfigError(f"--sheet: {path.name} has {why}. Its sheets: {names}")
    errors: list[EnricherError] = []
    for source in sources:
        try:
            return source, codes.find_columns(
                source.preview(_PREVIEW_ROWS),
                wanted=settings.input.code_columns,
                code_type=settings.input.wanted_type,
                header_row=settings.input.header_row,
                domain_column=settings.input.domain_column,
            )
        except EnricherError as error:
            errors.append(error)
    raise errors[0]
