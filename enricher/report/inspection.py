"""How a file is read, told like a colleague would: sheet, header, columns, and what is wrong with which rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_PROBLEMS = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of problem: in words, how many rows have it, and the first rows' numbers."""

    text: str
    rows: int
    examples: Sequence[int]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What `enricher inspect` found. `header_row` 0: no header; `code_columns` are name -> why it was taken."""

    input: str
    read_as: str
    sheet: str | None
    other_sheets: Sequence[str]
    header_row: int
    columns: Sequence[str]
    code_columns: Mapping[str, str]
    domain_column: str | None
    rows: int
    rows_invalid: int
    rows_blank: int
    unique_codes: int
    codes_by_type: Mapping[str, int]
    problems: Sequence[Problem]
    repairs: Sequence[Problem]
    hints: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """Return the same facts for --json."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the inspection for people."""
        header = f"row {self.header_row}" if self.header_row else "none"
        others = f" (other sheets: {', '.join(self.other_sheets)})" if self.other_sheets else ""
        types = ", ".join(f"{count:,} {name.upper()}" for name, count in self.codes_by_type.items() if count)
        lines = [
            f"  Read as  {self.read_as}",
            *([f"  Sheet    {self.sheet}{others}"] if self.sheet else []),
            f"  Header   {header}, {len(self.columns)} columns",
            *(f"  Codes    column {name!r}: {reason}" for name, reason in self.code_columns.items()),
            *([f"  Domains  column {self.domain_column!r}"] if self.domain_column else []),
            f"  Rows     {self.rows:,}: {self.rows_invalid:,} with an unusable code, {self.rows_blank:,} without one",
            f"  Unique   {self.unique_codes:,} codes" + (f": {types}" if types else ""),
        ]
        for title, problems in (("Problems", self.problems), ("Repairs ", self.repairs)):
            for at, problem in enumerate(problems[:_MOST_PROBLEMS]):
                rows = ", ".join(map(str, problem.examples)) + (", ..." if problem.rows > len(problem.examples) else "")
                lines.append(f"  {title if not at else ' ' * 8} {problem.rows:,} x {problem.text} (row {rows})")
        return [*lines, *(f"  Hint     {hint}" for hint in self.hints)]
