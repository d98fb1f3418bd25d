"""Pass 1: the table is found, its columns chosen, and every row's codes read."""

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

    from enricher.config import InputSettings, Settings
    from enricher.pipeline.task import Observer, Task

_PREVIEW_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """What the input holds: how it is laid out, and what every row below the header asks for.

    `keys` are unique, in the order of first need: all rows' first codes, then their second ones. `candidates`, shape
    (ranks, rows), are positions in `keys`, -1 where a row has no such candidate; a row's first usable code is at rank
    0, and no row has a key twice. `sources`, same shape, are the positions of their columns in the layout. `notes`
    are by row, one dict a rank; those of rank 0 tell, too, why a row has no usable code. The others have one element
    a row: `invalid` and `empty` tell why there is no code, `beyond` marks rows past --limit.
    """

    source: sheets.Source
    layout: codes.Layout
    identified: codes.Identified
    keys: KeyArray
    candidates: npt.NDArray[np.int32]
    sources: npt.NDArray[np.uint8]
    notes: tuple[dict[int, str], ...]
    invalid: npt.NDArray[np.bool_]
    empty: npt.NDArray[np.bool_]
    beyond: npt.NDArray[np.bool_]
    row_numbers: npt.NDArray[np.int32]

    @property
    def has_code(self) -> npt.NDArray[np.bool_]:
        """Say which rows have a usable code."""
        has_code: npt.NDArray[np.bool_] = self.candidates[0] != merge.NO_KEY_INDEX
        return has_code

    @property
    def first_keys(self) -> KeyArray:
        """Return the different keys that rows have first; they lead `keys`."""
        return self.keys[: int(self.candidates[0].max(initial=merge.NO_KEY_INDEX)) + 1]

    def check_marketplaces(self, settings: Settings) -> None:
        """Raise ConfigError where the sheet names marketplaces and nobody said whether to ask in them.

        Asking for all in the default one would buy wrong products.
        """
        if "domain" in settings.input.model_fields_set:
            return
        domain, column, linked = settings.input.domain, self.layout.marketplaces, self.layout.linked
        if column is not None:
            raise ConfigError(
                f"column {column!r} names marketplaces. To ask for each row in its own: --domain-column {column!r}; "
                f"to ask for all in one: --domain {domain}"
            )
        if linked is not None and linked[1] is not domain:
            raise ConfigError(
                f"the addresses in column {linked[0]!r} are of the marketplace {linked[1]!r}. To ask there: "
                f"--domain {linked[1]}; to ask elsewhere all the same: --domain {domain}"
            )

    def hints(self, settings: Settings) -> list[str]:
        """Return what the user may want to know about the sheet's columns."""
        linked = self.layout.linked
        if linked is None or linked[1] is settings.input.domain:
            return [*self.layout.hints]
        return [*self.layout.hints, f"the addresses in column {linked[0]!r} are of {linked[1]!r}: --domain {linked[1]}"]

    def column_names(self) -> list[str]:
        """Name the code columns; one without a header by its number."""
        return [column.name or column.label for column in self.layout.code_columns]


def read(task: Task, observer: Observer) -> Reading:
    """Read every row's codes. Raises InputError, and ConfigError for a sheet or column that is not there."""
    settings = task.settings.input
    source, layout = find_table(task.input, task.settings)
    reader = codes.Reader(layout, settings.domain, policy_of(settings))
    empty: list[npt.NDArray[np.bool_]] = []
    numbers: list[npt.NDArray[np.int32]] = []
    rows = 0
    for batch in source.batches(layout.header_row, layout.read_columns):
        reader.add(batch.columns)
        empty.append(batch.empty)
        numbers.append(batch.row_numbers.astype(np.int32))
        rows += len(batch.empty)
        observer.reading(rows, batch.share_read)
    is_empty = np.concatenate([np.empty(0, np.bool_), *empty])
    row_numbers = np.concatenate([np.empty(0, np.int32), *numbers])
    return numbered(source, layout, reader.finish(), is_empty, row_numbers, settings.limit)


def numbered(  # noqa: PLR0913, PLR0917 - all that was read
    source: sheets.Source,
    layout: codes.Layout,
    identified: codes.Identified,
    empty: npt.NDArray[np.bool_],
    row_numbers: npt.NDArray[np.int32],
    limit: int | None,
) -> Reading:
    """Number the keys in the order of first need. Rows beyond `limit` (empty ones don't count) lose all their codes."""
    packed = np.stack(identified.candidates)
    invalid, notes = identified.invalid.copy(), identified.notes
    beyond = np.zeros(len(empty), np.bool_)
    if limit is not None:
        beyond = np.cumsum(~empty) > limit
        packed[:, beyond], invalid[beyond] = NO_KEY, False
        notes = tuple({row: note for row, note in texts.items() if not beyond[row]} for texts in notes)
    candidates = np.full(packed.shape, merge.NO_KEY_INDEX, np.int32)
    candidates[packed != NO_KEY], keys = pd.factorize(packed[packed != NO_KEY])
    sources = np.stack(identified.sources)
    return Reading(source, layout, identified, keys, candidates, sources, notes, invalid, empty, beyond, row_numbers)


def policy_of(settings: InputSettings) -> codes.Policy:
    """Return which codes the settings want, and what may be done to them."""
    return codes.Policy(settings.wanted_type, settings.repair == "safe", settings.unpack_cases, settings.send_invalid)


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
                header_row=settings.input.header_row,
                domain_column=settings.input.domain_column,
                policy=policy_of(settings.input),
            )
        except EnricherError as error:
            errors.append(error)
    raise errors[0]
