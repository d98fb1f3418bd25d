"""What a run would send, cost and take, before it is run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from enricher.report.phrases import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from enricher.report.timing import Timing

_MOST_PROBLEMS = 3
_NO_TIME = (
    "duration_s",
    "duration_at_most_s",
    "done_at",
    "done_at_most_at",
    "tokens_left_today",
    "tokens_reserved",
    "reset_at",
    "tokens_this_run",
    "duration_this_run_s",
)


@dataclass(frozen=True, slots=True)
class Group:
    """The codes of one type and one marketplace.

    `cells` hold them, `codes` are different, `known` of those are known already; the rest takes `tokens` and
    `requests`, less where a budget ends it.
    """

    code_type: str
    domain: str
    cells: int
    codes: int
    known: int
    tokens: int
    requests: int


@dataclass(frozen=True, slots=True)
class PlanReport:
    """The plan of one input.

    `tokens` are those of the codes that rows are at now; `tokens_at_most` adds the rows' next codes, all of which are
    asked for when none of the others is found. `codes_pending` are left out, for the reason `limited_by` (a flag).
    `problems` are why rows are invalid -> how many rows. `timing` is None where nothing is asked or the quota is not
    known.
    """

    input: str
    read_as: str
    code_columns: Sequence[str]
    rows: int
    rows_invalid: int
    rows_blank: int
    duplicates: int
    problems: Mapping[str, int]
    groups: Sequence[Group]
    tokens: int
    tokens_at_most: int
    requests: int
    made_at: datetime
    codes_pending: int = 0
    limited_by: str = ""
    timing: Timing | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the same facts for --json; the names are stable, and what is not known or never comes is null.

        `days` are the days by their date here, with the tokens each gives, the first 366 of them.
        """
        facts = asdict(self)
        del facts["timing"]
        facts["made_at"] = self.made_at.isoformat()
        facts["groups"] = [{**asdict(group), "duplicates": group.cells - group.codes} for group in self.groups]
        if self.timing is not None:
            return facts | self.timing.facts()
        facts |= dict.fromkeys(_NO_TIME) | {"days": []}
        nothing = {"duration_s": 0.0, "duration_at_most_s": 0.0, "tokens_this_run": 0, "duration_this_run_s": 0.0}
        return facts if self.tokens else facts | nothing

    def lines(self) -> list[str]:
        """Return the plan for people."""
        free = f"{self.rows_invalid:,} invalid and {self.rows_blank:,} blank cost nothing"
        return [
            f"  Rows     {self.rows:,}: {free}; {self.duplicates:,} repeat a code",
            *self._problem_lines(),
            *self._group_lines(),
            f"  Cost     {self._cost()}",
            *([f"  Quota    {self.timing.quota_line()}"] if self.timing else []),
            *(f"  {'' if at else 'Time':<8} {line}" for at, line in enumerate(self._times())),
            *([f"  Note     {self.note}"] if self.note else []),
        ]

    def _problem_lines(self) -> list[str]:
        """Say why what is invalid is not sent."""
        if not self.problems:
            return []
        ranked = sorted(self.problems.items(), key=lambda pair: -pair[1])
        shown = [f"{rows:,} x {what}" for what, rows in ranked[:_MOST_PROBLEMS]]
        others = sum(rows for _, rows in ranked[_MOST_PROBLEMS:])
        shown += [f"{others:,} x others"] if others else []
        return [f"  Not sent {'; '.join(shown)}", "           to see which rows: enricher inspect"]

    def _group_lines(self) -> list[str]:
        if not self.groups:
            return []
        figures: list[tuple[int, ...]] = [
            (group.cells, group.cells - group.codes, group.codes, group.known, group.tokens, group.requests)
            for group in self.groups
        ]
        names = [f"{group.code_type:<5} {group.domain:<6}" for group in self.groups]
        if len(self.groups) > 1:
            names.append(f"{'all':<12}")
            figures.append(tuple(map(sum, zip(*figures, strict=True))))
        return ["  Lookups  type  market    cells repeated    codes    known   tokens requests"] + [
            f"           {name}" + "".join(f"{figure:>9,}" for figure in row)
            for name, row in zip(names, figures, strict=True)
        ]

    def _cost(self) -> str:
        more = self.tokens_at_most - self.tokens
        return (
            f"{count(self.tokens, 'token')} in {count(self.requests, 'request')}"
            + (f"; up to {more:,} more where a row's first code is not found" if more else "")
            + (f"; {count(self.codes_pending, 'code')} left out by {self.limited_by}" if self.codes_pending else "")
        )

    def _times(self) -> list[str]:
        if self.timing is not None:
            return self.timing.lines()
        return [] if self.tokens else ["no lookup is needed" if not self.codes_pending else "nothing is asked"]
