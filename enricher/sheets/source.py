"""What every kind of file can do, so that the rest of the program need not know which kind it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from enricher.cells import Additions, Batch, Preview
    from enricher.sheets.grid import Grid


class Source(Protocol):
    """One table of one file: a worksheet, or a whole CSV.

    Rows are numbered from 1 as the user's program shows them. The rows below `header_row` (0: there is no header)
    are the data, to the last row with a value. `batches` and `write` see the same data rows in the same order.
    A format that names its columns itself has them in a row 0 of its preview and grids, and no other header.
    """

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def sheet(self) -> str | None:
        """The worksheet's name; None where the file has no sheets."""

    @property
    def hidden(self) -> bool:
        """Whether the workbook hides the sheet."""

    @property
    def description(self) -> str:
        """How the file is read, in words: "CSV, semicolons, cp1252"."""

    def preview(self, rows: int) -> Preview:
        """Return the first `rows` rows that hold anything, with all their columns.

        Raises InputError.
        """

    def batches(self, header_row: int, columns: Sequence[int]) -> Iterator[Batch]:
        """Read the data rows, only the columns (0 is the first) asked for.

        Raises InputError.
        """

    def grids(self) -> Iterator[Grid]:
        """Read every row, header and all, for another kind of file.

        Dates are ISO, a number with a format of zeros is a text with its zeros; other number formats are not applied.
        Raises InputError.
        """

    def check(self, header_row: int, schema: pa.Schema) -> None:
        """Raise InputError for what `write` could not do without damage with new columns of this schema.

        To be asked after `batches` and before anything is paid for.
        """

    def write(self, target: Path, header_row: int, additions: Additions, tick: Callable[[int], None]) -> list[str]:
        """Write a copy of the file to `target` with the new columns at the right; `tick` hears of rows done.

        `additions.index` has one element a data row. Returns what the user should know (no line for a matter of
        course). Raises InputError for what can't be done without damage, and OSError as the disk does.
        """
