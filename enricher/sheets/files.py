"""Which source reads which kind of file, and how one kind is written from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from enricher.errors import OutputError
from enricher.sheets.csv import CsvSource, write_new_csv
from enricher.sheets.foreign import foreign_tables
from enricher.sheets.jsonl import JsonLinesSource, write_new_jsonl
from enricher.sheets.kinds import SUFFIXES, Kind, kind_of
from enricher.sheets.parquet import ParquetSource, write_new_parquet
from enricher.sheets.xlsx import MAX_COLUMNS, MAX_ROWS, Limits, worksheets, write_new_workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from enricher.cells import Additions
    from enricher.sheets.source import Source

_WORKBOOKS = {".xlsx", ".xlsm"}
_TEXTS = {".csv", ".tsv", ".tab", ".txt"}
_TABS = {".tsv", ".tab"}
_JSON_LINES = {".jsonl", ".ndjson"}
_OUTPUTS = _WORKBOOKS | _TEXTS | _JSON_LINES | {".parquet"}
_DEFAULTS = {Kind.PARQUET: ".parquet", Kind.JSON_LINES: ".jsonl", Kind.TEXT: ".csv"}


@dataclass(frozen=True, slots=True)
class Form:
    """What the output is: the kind that its suffix names; `new_workbook`: with nothing of the input but its values."""

    suffix: str
    new_workbook: bool = False

    @property
    def is_workbook(self) -> bool:
        return self.suffix.lower() in _WORKBOOKS


def open_sources(path: Path, max_unpacked_gb: float | None = None) -> Sequence[Source]:
    """Open a file: its worksheets, the visible ones first, or the one table of a text file.

    `max_unpacked_gb` is how much a workbook may unpack to; None: as much as does not look like a bomb.

    Raises InputError for a file that is missing or of a kind that can't be read.
    """
    match kind := kind_of(path):
        case Kind.WORKBOOK:
            return worksheets(path, Limits() if max_unpacked_gb is None else Limits.up_to(max_unpacked_gb))
        case Kind.PARQUET:
            return [ParquetSource(path)]
        case Kind.JSON_LINES:
            return [JsonLinesSource(path)]
        case Kind.TEXT:
            return [CsvSource(path)]
        case _:
            return foreign_tables(path, kind)


def default_output(path: Path, *, new_workbook: bool = False) -> Path:
    """Name the output of an input: catalog.xlsx becomes catalog.enriched.xlsx, and so does catalog.xls.

    The suffix stays where it tells what the file is and an output can be of that kind. Raises InputError.
    """
    kind, suffix = kind_of(path), path.suffix.lower()
    is_right = kind in SUFFIXES.get(suffix, {Kind.TEXT}) and (kind is Kind.TEXT or suffix in _OUTPUTS | {".json"})
    default = ".xlsx" if new_workbook else _DEFAULTS.get(kind, ".xlsx")
    kept = path.suffix if is_right and not new_workbook else ""
    return path.with_name(f"{path.stem}.enriched{kept or default}")


def check_form(path: Path, form: Form, name: str) -> None:
    """Raise OutputError where no output called `name` can be made of such an input."""
    kind, suffix, same = kind_of(path), form.suffix.lower(), path.suffix.lower()
    fits = {Kind.TEXT: suffix not in SUFFIXES, Kind.JSON_LINES: suffix == ".json"}
    is_own = suffix == same and fits.get(kind, False)
    if suffix not in _OUTPUTS and not is_own:
        raise OutputError(f"{name}: outputs can be .xlsx, .xlsm, .csv, .tsv, .txt, .parquet or .jsonl")
    if form.new_workbook and suffix != ".xlsx":
        raise OutputError(f"{name}: a new workbook is an .xlsx; give the output that ending")
    if kind is Kind.WORKBOOK and form.is_workbook and not form.new_workbook:
        own = same if same in _WORKBOOKS else ".xlsx"
        if suffix != own:
            raise OutputError(f"{name}: a {own} workbook stays {own}; give the output that ending")
    elif suffix == ".xlsm":
        raise OutputError(f"{name}: a new workbook has no macros; give the output the ending .xlsx")


def check(source: Source, form: Form, header_row: int, schema: pa.Schema, extent: tuple[int, int]) -> None:
    """Raise InputError or OutputError for what could not be written; to be asked before anything is paid for.

    `extent` is how many rows and columns the table has in a spreadsheet.
    """
    rows, columns = extent
    if _keeps_kind(source, form):
        source.check(header_row, schema)
    elif form.is_workbook and (rows > MAX_ROWS or columns + len(schema) > MAX_COLUMNS):
        raise OutputError(
            f"{source.path.name} has {rows:,} rows, {columns:,} columns and {len(schema)} new ones; a worksheet holds "
            f"{MAX_ROWS:,} by {MAX_COLUMNS:,}. Write CSV instead: give the output the ending .csv"
        )


def write(  # noqa: PLR0913, PLR0917 - what is written, where, and who hears of it
    source: Source, target: Path, form: Form, header_row: int, additions: Additions, tick: Callable[[int], None]
) -> list[str]:
    """Write a copy of `source` with the new columns to `target`, in the given form.

    Returns what the user should know. Raises InputError for what can't be done without damage, OutputError for what
    the kind can't hold, OSError as the disk does.
    """
    suffix = form.suffix.lower()
    if _keeps_kind(source, form):
        return source.write(target, header_row, additions, tick)
    if form.is_workbook:
        name = source.sheet or source.path.stem
        return write_new_workbook(target, name, source.grids, header_row, additions, tick)
    if suffix == ".parquet":
        return write_new_parquet(target, source.grids, header_row, additions, tick)
    if suffix in _JSON_LINES:
        return write_new_jsonl(target, source.grids, header_row, additions, tick)
    return write_new_csv(target, "\t" if suffix in _TABS else ",", source.grids, header_row, additions, tick)


def _keeps_kind(source: Source, form: Form) -> bool:
    """Say whether the output is the input itself with more columns. A text file keeps its delimiter if that fits."""
    suffix, kind = form.suffix.lower(), kind_of(source.path)
    if form.new_workbook:
        return False
    if isinstance(source, CsvSource):
        own = source.path.suffix.lower()
        has_tabs = source.dialect.delimiter == "\t"
        if suffix == own:
            return own in _TEXTS or own not in SUFFIXES
        return suffix in _TEXTS and (suffix == ".txt" or own not in _TEXTS or (suffix in _TABS) == has_tabs)
    return kind in SUFFIXES[suffix]
