"""New values as the text to append to a record, in the file's own dialect. Each distinct piece is rendered once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enricher.model import Additions
    from enricher.sheets.csv.dialect import Dialect

_RENDERED_AT_ONCE = 10_000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet that opens the CSV would take such a text for a formula and run it (OWASP, "CSV Injection")."""


class Renderer:
    """Renders the additions for one file; pieces start with the delimiter."""

    def __init__(self, dialect: Dialect, additions: Additions) -> None:
        self._dialect = dialect
        self._lacking = self._defused = 0
        self._blank = dialect.delimiter * len(additions.names)
        self._pieces: list[str] = []
        for part in additions.pieces.to_batches(_RENDERED_AT_ONCE):
            columns = [column.to_pylist() for column in part.columns]
            self._pieces += [self._join(row) for row in zip(*columns, strict=True)]

    def header(self, names: Sequence[str]) -> str:
        return self._join(names)

    def piece(self, index: int) -> str:
        """Return the text of one piece; -1 is a row that gets nothing but its delimiters."""
        return self._pieces[index] if index >= 0 else self._blank

    def warnings(self) -> list[str]:
        """Return what had to be changed in the new texts, for the user."""
        lines = []
        if self._lacking:
            what = f"{self._lacking:,} new texts have characters that {self._dialect.encoding} lacks"
            lines.append(f"{what}; they became '?'. An .xlsx output keeps them: -o NAME.xlsx")
        if self._defused:
            lines.append(f"{self._defused:,} new texts that look like formulas got a leading ' so that they stay text")
        return lines

    def _join(self, values: Sequence[Any]) -> str:
        return "".join(self._dialect.delimiter + self._field(value) for value in values)

    def _field(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, float):
            return repr(value).replace(".", self._dialect.decimal) if math.isfinite(value) else ""
        if isinstance(value, int):
            return str(value)
        return self._text(str(value))

    def _text(self, text: str) -> str:
        if text.startswith(_FORMULA_STARTS):
            text = "'" + text
            self._defused += 1
        if not text.isascii():
            kept = text.encode(self._dialect.encoding, "replace").decode(self._dialect.encoding)
            self._lacking += kept != text
            text = kept
        delimiter = self._dialect.delimiter
        if not self._dialect.quoting:  # nothing can be quoted here, so nothing may need it
            return text.replace(delimiter, " ").replace("\r", " ").replace("\n", " ")
        if delimiter in text or '"' in text or "\n" in text or "\r" in text:
            return '"' + text.replace('"', '""') + '"'
        return text
