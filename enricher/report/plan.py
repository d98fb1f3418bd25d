"""What a run would send, cost and take, before it is run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from enricher.report.summary import duration

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Group:
    """The codes of one type and one marketplace: how many, how many of them known already, and what the rest takes."""

    code_type: str
    domain: str
    codes: int
    known: int
    tokens: int
    requests: int


@dataclass(frozen=True, slots=True)
class PlanReport:
    """The plan of one input.

    `tokens` are those of the codes that rows are at now; `tokens_at_most` adds the rows' next codes, all of which are
    asked for when none of the others is found. `duration_s` and `tokens_by_day` are of `tokens`, and None and empty
    where the quota is not known.
    """

    input: str
    read_as: str
    code_columns: Sequence[str]
    rows: int
    rows_invalid: int
    rows_blank: int
    duplicates: int
    groups: Sequence[Group]
    tokens: int
    tokens_at_most: int
    requests: int
    made_at: str
    duration_s: float | None = None
    tokens_by_day: Sequence[int] = ()
    tokens_left_today: int | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the same facts for --json; an endless duration is null there."""
        facts = asdict(self)
        facts["duration_s"] = None if self.duration_s in {None, float("inf")} else self.duration_s
        return facts

    def lines(self) -> list[str]:
        """Return the plan for people."""
        free = f"{self.rows_invalid:,} invalid and {self.rows_blank:,} blank cost nothing"
        lines = [
            f"  Rows     {self.rows:,}: {free}; {self.duplicates:,} repeat a code",
            "  Lookups  type  marketplace     codes     known    tokens  requests",
        ]
        lines += [
            f"           {group.code_type:<5} {group.domain:<12} {group.codes:>8,}  {group.known:>8,}"
            f"  {group.tokens:>8,}  {group.requests:>8,}"
            for group in self.groups
        ]
        more = self.tokens_at_most - self.tokens
        lines.append(
            f"  Cost     {self.tokens:,} tokens in {self.requests:,} requests"
            + (f"; up to {more:,} more where a row's first code is not found" if more else "")
        )
        if self.tokens_left_today is not None:
            lines.append(f"  Quota    {self.tokens_left_today:,} tokens left today")
        if self.duration_s is not None:
            lines.append(f"  Time     {self._time()}")
        if self.note:
            lines.append(f"  Note     {self.note}")
        return lines

    def _time(self) -> str:
        if self.duration_s is None or self.duration_s == float("inf"):
            return "never: the account has no tokens"
        if not self.tokens:
            return "no lookup is needed"
        if self.duration_s < 1:
            return "no waiting: the tokens are there"
        done = datetime.fromisoformat(self.made_at).astimezone() + timedelta(seconds=self.duration_s)
        text = f"about {duration(self.duration_s)}, done {done:%A %d %B, %H:%M}"
        if len(self.tokens_by_day) > 1:
            names = ["today", "tomorrow", *(f"on day {day}" for day in range(3, len(self.tokens_by_day) + 1))]
            spent = list(zip(self.tokens_by_day, names, strict=False))
            shown = spent if len(spent) <= 4 else [*spent[:2], spent[-1]]  # noqa: PLR2004 - more is no longer read
            text += f" ({', '.join(f'{count:,} {name}' for count, name in shown)})"
        return text
