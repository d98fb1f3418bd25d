"""Pass 1: the table is found, its columns chosen, and every row's codes read."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from enricher import codes, merge, sheets
from enricher.errors import ConfigError, EnricherError, InputError
from enricher.keys import NO_KEY, KeyArray

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from enricher.config import InputSettings, Settings
    from enricher.pipeline.task import Observer, Task

_PREVIEW_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to tell of the codes: problems and repairs, and for each code column its cells by kind."""

    problems: Sequence[codes.Problem]
    repairs: Sequence[codes.Problem]
    kinds: Sequence[Mapping[codes.Kind, tuple[int, int]]]


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
    found: Found
    keys: KeyArray
    candidates: npt.NDArray[np.int32]
    sources: npt.NDArray[np.uint8]
    notes: tuple[dict[int, str], ...]
    invalid: npt.NDArray[np.bool_]
    empty: npt.NDArray[np.bool_]
    beyond: npt.NDArray[np.bool_]
    row_numbers: npt.NDArray[np.int32]
    other_sheets: Sequence[str] = ()

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
        found = self._unused_marketplaces(settings)
        if found is not None:
            raise ConfigError(
                f"column {found.column!r} names marketplaces. To ask for each row in its own: "
                f"--domain-column {found.column!r}; to ask for all in one: --domain {settings.input.domain}"
            )

    def check_output(self, task: Task) -> None:
        """Raise InputError or OutputError for what could not be written; to be asked before anything is paid for."""
        layout, schema = self.layout, columns_of(task.settings).schema()
        names_itself = not layout.header_row and any(layout.names)  # in a spreadsheet they take a row
        last_row = int(self.row_numbers.max(initial=layout.header_row)) + names_itself
        sheets.check(self.source, task.form, layout.header_row, schema, (last_row, len(layout.names)))

    def hints(self, settings: Settings) -> list[str]:
        """Return what the user may want to know about the sheet's columns."""
        found = self._unused_marketplaces(settings)
        if found is None:
            return [*self.layout.hints]
        hint = f"column {found.column!r} holds marketplaces; to use them: --domain-column {found.column!r}"
        return [*self.layout.hints, hint]

    def _unused_marketplaces(self, settings: Settings) -> codes.Marketplaces | None:
        """Return the column of marketplaces that nobody has said a word about, unless it names the default one only."""
        found = self.layout.marketplaces
        if found is None or "domain" in settings.input.model_fields_set:
            return None
        return None if not found.by_header and found.named == {settings.input.domain} else found

    def column_names(self) -> list[str]:
        """Name the code columns; one without a header by its letter."""
        return [column.name or column.label for column in self.layout.code_columns]


def read(task: Task, observer: Observer) -> Reading:
    """Read every row's codes. Raises InputError, and ConfigError for a sheet or column that is not there."""
    settings = task.settings.input
    source, layout, others = find_table(task.input, task.settings)
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
    whole = numbered(source, layout, reader.finish(), is_empty, row_numbers, settings.limit)
    return dataclasses.replace(whole, other_sheets=others)


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
    counted = ~empty & ~beyond
    kinds = [column.kinds() for column in identified.columns]
    found = Found(identified.problems(counted), identified.repairs(counted), kinds)
    return Reading(source, layout, found, keys, candidates, sources, notes, invalid, empty, beyond, row_numbers)


def policy_of(settings: InputSettings) -> codes.Policy:
    """Return which codes the settings want, and what may be done to them."""
    return codes.Policy(settings.wanted_type, settings.repair == "safe", settings.unpack_cases, settings.send_invalid)


def columns_of(settings: Settings) -> merge.Columns:
    """Return which columns the settings add."""
    return merge.Columns(settings.output.fields, settings.output.prefix, settings.output.list_separator)


def find_table(path: Path, settings: Settings) -> tuple[sheets.Source, codes.Layout, list[str]]:
    """Take the sheet that was asked for, or the first that is not hidden and has codes; hint at one that has more.

    Returns it, how it is read, and the names of the other sheets.
    """
    everything = sources = list(sheets.open_sources(path, settings.input.max_unpacked_gb))
    wanted = settings.input.sheet
    names = ", ".join(source.sheet or "(the file has no sheets)" for source in sources)
    if wanted is None:
        sources = [source for source in sources if not source.hidden]
    else:
        sources = [source for source in sources if (source.sheet or "").casefold() == wanted.casefold()]
    if not sources:
        why = f"no sheet {wanted!r}" if wanted is not None else "only hidden sheets; name one with --sheet"
        raise ConfigError(f"--sheet: {path.name} has {why}. Its sheets: {names}")
    found: list[tuple[sheets.Source, codes.Layout]] = []
    errors: list[EnricherError] = []
    hints: list[str] = []
    for source in sources:
        try:
            preview = source.preview(_PREVIEW_ROWS)
        except InputError as error:
            if not any(layout.codes for _, layout in found):
                raise  # it may be the sheet that is meant; another one's codes are not asked for in its place
            hints.append(f"sheet {source.sheet!r} can't be read: {error}")
            continue
        try:
            layout = codes.find_columns(
                preview,
                wanted=settings.input.code_columns,
                header_row=settings.input.header_row,
                domain_column=settings.input.domain_column,
                policy=policy_of(settings.input),
            )
        except EnricherError as error:
            errors.append(error)
        else:
            found.append((source, layout))
    if not found:
        raise errors[0]
    source, layout = next((pair for pair in found if pair[1].codes), found[0])
    fuller = [other for other, others in found if others.codes > layout.codes]
    hints += [f"sheet {other.sheet!r} has more codes; to use it: --sheet {other.sheet!r}" for other in fuller]
    named = sheets.misnamed(path)
    others = [other.sheet for other in everything if other.sheet is not None and other.sheet != source.sheet]
    return source, dataclasses.replace(layout, hints=(*([named] if named else []), *layout.hints, *hints)), others
