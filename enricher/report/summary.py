"""What a run did, as facts and as lines that a merchandiser understands. Knows nothing of how it was done."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from enricher.report.phrases import count, duration, moment

if TYPE_CHECKING:
    from collections.abc import Iterable

_PARTICULAR = re.compile(r"(?<!\w)'[^']*'(?!\w)|\b[0-9A-Z]*\d[0-9A-Z]{4,}\b|(?<=end in )\d")


@dataclass(slots=True)
class Summary:
    """The figures of one run. Counts are rows of the sheet unless they say codes or tokens; times are in seconds."""

    input: str = ""
    read_as: str = ""
    code_columns: list[str] = field(default_factory=list)
    output: str = ""
    store: str = ""
    service: str = ""
    is_sandbox: bool = False
    rows: int = 0
    rows_found: int = 0
    rows_not_found: int = 0
    rows_invalid: int = 0
    rows_blank: int = 0
    rows_pending: int = 0
    rows_failed: int = 0
    rows_by_fallback: int = 0
    unique_codes: int = 0
    codes_found: int = 0
    codes_not_found: int = 0
    codes_pending: int = 0
    codes_failed: int = 0
    tokens_spent: int = 0
    tokens_saved_by_duplicates: int = 0
    tokens_saved_by_resume_file: int = 0
    tokens_saved_by_refusing: int = 0
    tokens_left_today: int | None = None
    codes_maybe_paid_twice: int = 0
    strays: int = 0
    duration_s: float = 0.0
    waited_s: float = 0.0
    stopped: str = ""
    stop_reason: str = ""
    reset_at: str = ""
    problems: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the same facts for --json; the names are stable."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the closing lines of a run."""
        read = f"  Read     {self.read_as}, codes in {' and '.join(map(repr, self.code_columns))}"
        return [
            *([read] if self.read_as else []),
            *self._row_lines(),
            *self._token_lines(),
            *(f"  Note     {warning}" for warning in self.warnings),
            f"  Time     {duration(self.duration_s)}"
            + (f", {duration(self.waited_s)} of it waiting" if self.waited_s >= 1 else ""),
            *([f"  Output   {self.output}"] if self.output else []),
            *([f"  Resume   {self.store}"] if self.store else []),
            *([f"  Stopped  {self.stopped}{self._reset()}"] if self.stopped else []),
            *([f"  Failed   {self._failed()}"] if self.codes_failed and not self.stopped else []),
        ]

    def _reset(self) -> str:
        """Say when the day's tokens come back, on the reader's own clock."""
        if not self.reset_at:
            return ""
        return f", {moment(datetime.fromisoformat(self.reset_at).astimezone(), datetime.now(UTC))}"

    def _failed(self) -> str:
        return f"{count(self.codes_failed, 'code')}; run again to ask for just those"

    def _row_lines(self) -> list[str]:
        counts = [
            (self.rows_found, "found"),
            (self.rows_not_found, "not found"),
            (self.rows_invalid, "invalid"),
            (self.rows_blank, "blank"),
            (self.rows_pending, "pending"),
            (self.rows_failed, "failed"),
        ]
        shown = ", ".join(f"{count:,} {name}" for count, name in counts if count or name in {"found", "not found"})
        lines = [f"  Rows     {self.rows:,}: {shown}"]
        if self.rows_by_fallback:
            lines.append(f"           {self.rows_by_fallback:,} of them found by another code: the first was not found")
        lines.append(
            f"  Codes    {self.unique_codes:,} different: "
            f"{self.codes_found:,} found, {self.codes_not_found:,} not found"
            + (f", {self.codes_pending:,} pending" if self.codes_pending else "")
            + (f", {self.codes_failed:,} failed" if self.codes_failed else "")
        )
        ranked = sorted(self.problems.items(), key=lambda pair: -pair[1])
        lines += [f"           {count:,} x {problem}" for problem, count in ranked[:5]]
        return lines

    def _token_lines(self) -> list[str]:
        left = f"; {self.tokens_left_today:,} left today" if self.tokens_left_today is not None else ""
        saved = [
            (self.tokens_saved_by_duplicates, "duplicates"),
            (self.tokens_saved_by_resume_file, "the resume file"),
            (self.tokens_saved_by_refusing, "not sending invalid codes"),
        ]
        why = ", ".join(f"{count:,} by {name}" for count, name in saved if count)
        lines = [f"  Tokens   {self.tokens_spent:,} spent{left}" + (f"; saved {why}" if why else "")]
        if self.codes_maybe_paid_twice:
            more = f"{self.codes_maybe_paid_twice:,} more may have been spent"
            lines.append(f"           {more}: replies were lost, and their codes may be paid twice")
        if self.strays:
            lines.append(
                f"           {self.strays:,} entries of replies belong to no code asked for; they were left out"
            )
        if self.is_sandbox:
            lines.append("  Source   SANDBOX on this machine: test data, not Amazon's")
        return lines


def group_problems(notes: Iterable[str]) -> dict[str, int]:
    """Count problems of a kind together: the codes in their texts become dots. The most frequent first.

    >>> group_problems(["12345670 is a X", "76543210 is a X"])
    {'... is a X': 2}
    """
    return dict(Counter(_PARTICULAR.sub("...", note) for note in notes).most_common())
