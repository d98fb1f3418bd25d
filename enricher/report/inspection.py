"""How a file is read, told like a colleague would: sheet, header, columns, and what is wrong with which rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from enricher.report.phrases import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_PROBLEMS = 5
_MOST_RUNNERS_UP = 4


@dataclass(frozen=True, slots=True)
class Example:
    """A row's number, as the user's program shows it, and what its cell holds (empty: not shown)."""

    row: int
    cell: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of problem or repair: in words, how many rows have it, the first of them, and what helps."""

    text: str
    rows: int
    examples: Sequence[Example]
    advice: str = ""


@dataclass(frozen=True, slots=True)
class CodeColumn:
    """A column of codes: why it was taken, its cells by kind, and how many cells of each kind are used as codes.

    `label` is what a sentence calls it, `letter` what a spreadsheet shows above it.
    """

    name: str
    letter: str
    label: str
    reason: str
    cells: Mapping[str, int]
    used: Mapping[str, int]

    def line(self) -> str:
        """Say in a line which column it is and why it was taken."""
        where = f"{self.label} ({self.letter})" if self.name else self.label
        filled = sum(count for kind, count in self.cells.items() if kind != "blank")
        lost = self.cells.get("scientific", 0)
        return f"{where}: {self.reason}; {sum(self.used.values()):,} of {filled:,} cells are good codes" + (
            f", {lost:,} have lost digits" if lost else ""
        )


@dataclass(frozen=True, slots=True)
class Inspection:
    """What `enricher inspect` found. `header_row` 0: no header; `runners_up` are columns passed over -> why.

    `markets` are the marketplaces that codes would be asked for in, and how many of them.
    """

    input: str
    read_as: str
    sheet: str | None
    other_sheets: Sequence[str]
    header_row: int
    columns: Sequence[str]
    code_columns: Sequence[CodeColumn]
    runners_up: Mapping[str, str]
    domain_column: str | None
    markets: Mapping[str, int]
    is_default_domain: bool
    rows: int
    rows_good: int
    rows_invalid: int
    rows_blank: int
    rows_with_fallback: int
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
        unnumbered = "named by the file itself" if any(self.columns) else "none"
        header = f"row {self.header_row}" if self.header_row else unnumbered
        others = f" (other sheets: {', '.join(self.other_sheets)})" if self.other_sheets else ""
        types = ", ".join(f"{count:,} {name.upper()}" for name, count in self.codes_by_type.items() if count)
        return [
            f"  Read as  {self.read_as}",
            *([f"  Sheet    {self.sheet}{others}"] if self.sheet else []),
            f"  Header   {header}, {count(len(self.columns), 'column')}",
            *self._column_lines(),
            f"  Market   {self._market()}",
            f"  Rows     {self.rows:,}: {self._row_counts()}",
            f"  Codes    {self.unique_codes:,} different" + (f": {types}" if types else ""),
            *self._fallback_lines(),
            *_problem_lines("Problems", self.problems),
            *_problem_lines("Repairs", self.repairs),
            *(f"  Hint     {hint}" for hint in self.hints),
        ]

    def _column_lines(self) -> list[str]:
        """Say which columns hold the codes, in the order they are tried, and which were passed over."""
        lines = []
        for at, column in enumerate(self.code_columns):
            lines.append(f"  {'Codes' if not at else '  then':<8} {column.line()}")
        passed = list(self.runners_up.items())
        for at, (name, why) in enumerate(passed[:_MOST_RUNNERS_UP]):
            lines.append(f"  {'Not used' if not at else '':<8} {name}: {why}")
        if len(passed) > _MOST_RUNNERS_UP:
            lines.append(f"           and {len(passed) - _MOST_RUNNERS_UP} more")
        return lines

    def _fallback_lines(self) -> list[str]:
        others = f"{count(self.rows_with_fallback, 'row')} with another one, asked for only if the first is not found"
        return [f"           {others}"] if self.rows_with_fallback else []

    def _row_counts(self) -> str:
        good, bad = f"{self.rows_good:,} with a good code", f"{self.rows_invalid:,} with a bad one"
        return f"{good}, {bad}, {self.rows_blank:,} without any"

    def _market(self) -> str:
        if self.domain_column:
            return f"each row's own, from column {self.domain_column!r}: {', '.join(self.markets)}"
        shown = ", ".join(f"{name} for {count(codes, 'code')}" for name, codes in self.markets.items()) or "none"
        is_default = self.is_default_domain and "com" in self.markets
        return shown + (", the default: --domain names another" if is_default else "")


def _problem_lines(title: str, problems: Sequence[Problem]) -> list[str]:
    """List the most frequent problems, each with its first rows, and what to do about it."""
    lines: list[str] = []
    width = max((len(f"{problem.rows:,}") for problem in problems), default=0)
    for at, problem in enumerate(problems[:_MOST_PROBLEMS]):
        shown = [f"row {example.row}: {example.cell}".rstrip(": ") for example in problem.examples]
        lines.append(f"  {title if not at else '':<8} {problem.rows:>{width},} x {problem.text}")
        indent = " " * (14 + width)
        lines.append(f"{indent}{'; '.join(shown)}" + ("; ..." if problem.rows > len(problem.examples) else ""))
        lines += [f"{indent}-> {problem.advice}"] if problem.advice else []
    if len(problems) > _MOST_PROBLEMS:
        rows = sum(problem.rows for problem in problems[_MOST_PROBLEMS:])
        lines.append(f"           and {count(rows, 'row')} with others, which --json lists")
    return lines
