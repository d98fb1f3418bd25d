"""Which kind of file this is, and how to write one kind from another. The kind is found by content, not by the name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enricher.errors import InputError, OutputError
from enricher.sheets.csv import CsvSource, write_new_csv
from enricher.sheets.xlsx import is_workbook, worksheets, write_new_workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from enricher.model import Additions
    from enricher.sheets.source import Source

_WORKBOOKS = {".xlsx", ".xlsm"}
_TEXTS = {".csv", ".tsv", ".txt", ".tab"}


def open_sources(path: Path) -> Sequence[Source]:
    """Open a file: its worksheets, the visible ones first, or the one table of a text file.

    Raises InputError for a file that is missing or of a kind that can't be read.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no file")
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror})") from None
    if is_workbook(start):
        return worksheets(path)
    return [CsvSource(path)]


def default_output(path: Path) -> Path:
    """Name the output of an input: catalog.xlsx becomes catalog.enriched.xlsx."""
    return path.with_name(f"{path.stem}.enriched{path.suffix}")


def check_suffix(path: Path, output: Path) -> None:
    """Raise OutputError where the output's suffix is of no kind that can be written from such an input."""
    suffix, same = output.suffix.lower(), path.suffix.lower()
    if suffix not in _WORKBOOKS | _TEXTS | {same}:
        raise OutputError(f"{output.name}: outputs can be .xlsx, .xlsm, .csv, .tsv or .txt")
    if suffix in _WORKBOOKS and same in _WORKBOOKS and suffix != same:
        raise OutputError(f"{output.name}: a {same} workbook stays {same}; call the output {output.stem}{same}")
    if suffix == ".xlsm" and same in _TEXTS:
        raise OutputError(f"{output.name}: a new workbook has no macros; call the output {output.stem}.xlsx")


def check(source: Source, suffix: str, header_row: int, schema: pa.Schema) -> None:
    """Raise InputError for what could not be written without damage; to be asked before anything is paid for."""
    if _keeps_kind(source, suffix):
        source.check(header_row, schema)


def _keeps_kind(source: Source, suffix: str) -> bool:
    """Say whether the output is of the input's own kind: by the same suffix, whatever it is, or by an equal one."""
    as_workbook = suffix.lower() in _WORKBOOKS
    return suffix.lower() == source.path.suffix.lower() or as_workbook == (source.sheet is not None)


def write(  # noqa: PLR0913, PLR0917 - what is written, where, and who hears of it
    source: Source, target: Path, suffix: str, header_row: int, additions: Additions, tick: Callable[[int], None]
) -> list[str]:
    """Write a copy of `source` with the new columns to `target`, in the kind that `suffix` names.

    Returns what the user should know. Raises InputError for what can't be done without damage, OutputError for what
    the kind can't hold.
    """
    if _keeps_kind(source, suffix):
        return source.write(target, header_row, additions, tick)
    if source.sheet is None:
        return write_new_workbook(target, source.path.stem, source.text_rows(), header_row, additions, tick)
    delimiter = "\t" if suffix.lower() in {".tsv", ".tab"} else ","
    return write_new_csv(target, delimiter, source.text_rows(), header_row, additions, tick)
