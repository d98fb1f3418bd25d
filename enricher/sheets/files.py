"""Which kind of file this is, and how to write one kind from another. The kind is found by content, not by the name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enricher.errors import InputError, OutputError
from enricher.sheets.csv import CsvSource, write_new_csv
from enricher.sheets.xlsx import worksheets, write_new_workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from enricher.model import Additions
    from enricher.sheets.source import Source

_ZIP, _OLE = b"PK", bytes.fromhex("d0cf11e0a1b11ae1")
_WORKBOOKS = {".xlsx", ".xlsm"}
_TEXTS = {".csv", ".tsv", ".txt", ".tab"}


def open_sources(path: Path) -> Sequence[Source]:
    """Open a file: its worksheets, the visible ones first, or the one table of a text file.

    Raises InputError for a file that is missing or of a kind that can't be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror})") from None
    if start.startswith((_ZIP, _OLE)):
        return worksheets(path)
    return [CsvSource(path)]


def default_output(path: Path) -> Path:
    """Name the output of an input: catalog.xlsx becomes catalog.enriched.xlsx."""
    return path.with_name(f"{path.stem}.enriched{path.suffix}")


def check_output(source: Source, output: Path) -> None:
    """Raise OutputError where the output's suffix is of no kind that can be written from this source."""
    suffix = output.suffix.lower()
    if source.sheet is not None and suffix in _WORKBOOKS and suffix != source.path.suffix.lower():
        same = source.path.suffix.lower()
        raise OutputError(f"{output.name}: a {same} workbook stays {same}; call the output {output.stem}{same}")
    if suffix == ".xlsm" and source.sheet is None:
        raise OutputError(f"{output.name}: a new workbook has no macros; call the output {output.stem}.xlsx")
    if suffix not in _WORKBOOKS | _TEXTS:
        raise OutputError(f"{output.name}: outputs can be .xlsx, .xlsm, .csv, .tsv or .txt")


def write(  # noqa: PLR0913, PLR0917 - what is written, where, and who hears of it
    source: Source, target: Path, suffix: str, header_row: int, additions: Additions, tick: Callable[[int], None]
) -> list[str]:
    """Write a copy of `source` with the new columns to `target`, in the kind that `suffix` names.

    Returns what the user should know. Raises InputError for what can't be done without damage, OutputError for what
    the kind can't hold.
    """
    is_workbook, as_workbook = source.sheet is not None, suffix.lower() in _WORKBOOKS
    if is_workbook == as_workbook:
        return source.write(target, header_row, additions, tick)
    if as_workbook:
        name = source.path.stem[:31]
        return write_new_workbook(target, name, source.text_rows(), header_row, additions, tick)
    delimiter = "\t" if suffix.lower() in {".tsv", ".tab"} else ","
    return write_new_csv(target, delimiter, source.text_rows(), header_row, additions, tick)
