"""Resume files, told: what one holds, whether it is sound, what was made of it. Knows nothing of how they are read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from enricher.report.phrases import count, duration, moment, size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

AGES = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
"""How old a code's newest answer is: less than each of these, by name; the rest is older."""
OLDER = "older"
_SANDBOX = "SANDBOX on this machine: test data, not Amazon's"
_WAY_OUT = (
    "restore it and its journal from a backup; without one move both away: what they hold would be paid for again"
)


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """The codes of one type and one marketplace that a resume file knows."""

    code_type: str
    domain: str
    codes: int
    codes_found: int


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What a resume file holds.

    `codes` are known by their newest answer, `products` are in those; `answers` are all there ever were. `ages` are
    codes by the age of that answer, under the names of AGES and OLDER. `answers_in_journal` are not in the parquet file
    yet. `used_by` is the process that holds the file, 0 where that one can't be seen, and None where there is none or
    the system doesn't tell.
    """

    store: str
    service: str
    is_sandbox: bool
    format: int
    codes: int
    codes_found: int
    products: int
    answers: int
    answers_in_journal: int
    outputs: int
    size_bytes: int
    oldest_at: datetime | None
    newest_at: datetime | None
    made_at: datetime
    ages: Mapping[str, int]
    groups: Sequence[StoredGroup]
    used_by: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the same facts for --json; the names are stable, moments are ISO 8601 in UTC."""
        facts = asdict(self) | {
            "codes_not_found": self.codes - self.codes_found,
            "found_share": self.codes_found / self.codes if self.codes else None,
            "earlier_answers": self.answers - self.codes,
        }
        moments = {name: at and at.isoformat() for name, at in facts.items() if name.endswith("_at")}
        return facts | moments

    def lines(self) -> list[str]:
        """Return what it holds for people, days and times on the reader's own clock."""
        earlier = self.answers - self.codes
        return [
            f"  Source   {_SANDBOX if self.is_sandbox else self.service}",
            f"  Codes    {self.codes:,}{_outcomes(self.codes, self.codes_found)}",
            *self._group_lines(),
            f"  Products {self.products:,}",
            *self._age_lines(),
            f"  History  {count(self.answers, 'answer')}"
            + (f"; {earlier:,} earlier ones of codes asked again" if earlier else ""),
            *([f"  Outputs  {count(self.outputs, 'file')} written from it"] if self.outputs else []),
            f"  Size     {size(self.size_bytes)}, format {self.format}",
            *self._notes(),
        ]

    def _group_lines(self) -> list[str]:
        if not self.groups:
            return []
        rows = [
            (f"{group.code_type:<5} {group.domain:<6}", group.codes, group.codes_found)
            for group in sorted(self.groups, key=lambda group: (-group.codes, group.code_type, group.domain))
        ]
        if len(rows) > 1:
            rows.append((f"{'all':<12}", self.codes, self.codes_found))
        return ["           type  market       codes       found   not found"] + [
            f"           {name}{codes:>12,}{found:>12,}{codes - found:>12,}" for name, codes, found in rows
        ]

    def _age_lines(self) -> list[str]:
        if self.oldest_at is None or self.newest_at is None:
            return []
        now = self.made_at.astimezone()
        shown = [f"{self.ages[name]:,} asked within a {name}" for name in AGES if self.ages.get(name)]
        shown += [f"{self.ages[OLDER]:,} longer ago"] if self.ages.get(OLDER) else []
        return [
            f"  Newest   {moment(self.newest_at.astimezone(), now)}",
            f"  Oldest   {moment(self.oldest_at.astimezone(), now)}",
            *(f"  {'' if at else 'Ages':<8} {line}" for at, line in enumerate(shown)),
        ]

    def _notes(self) -> list[str]:
        lines = []
        if self.used_by is not None:
            whose = f" (process {self.used_by})" if self.used_by else ""
            lines.append(f"  In use   another run{whose} holds it, and may be adding to it")
        if self.answers_in_journal:
            waiting = count(self.answers_in_journal, "answer")
            lines.append(f"  Journal  {waiting} still in the journal beside it: keep the two together")
        return lines


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a resume file is sound: `faults` are in words, and there are none then."""

    store: str
    faults: Sequence[str]
    answers: int = 0
    codes: int = 0
    products: int = 0

    @property
    def is_sound(self) -> bool:
        return not self.faults

    @property
    def title(self) -> str:
        """The verdict."""
        if not self.is_sound:
            return f"{self.store} is not sound: {count(len(self.faults), 'fault')}"
        holds = f"{count(self.answers, 'answer')} to {count(self.codes, 'code')}, {count(self.products, 'product')}"
        return f"{self.store} is sound: {holds}"

    def to_json(self) -> dict[str, Any]:
        """Return the same facts for --json; the names are stable."""
        return {"is_sound": self.is_sound, **asdict(self)}

    def lines(self) -> list[str]:
        """Return what is wrong, and what to do."""
        return [
            *(f"  Fault    {fault}" for fault in self.faults),
            *([] if self.is_sound else [f"  Do       {_WAY_OUT}"]),
        ]


@dataclass(frozen=True, slots=True)
class Exported:
    """What went into a table of its own: `products` and `not_found` are its rows; `history`: of all answers ever."""

    store: str
    output: str
    service: str
    is_sandbox: bool
    history: bool
    products: int
    not_found: int
    duration_s: float
    warnings: Sequence[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return self.products + self.not_found

    def to_json(self) -> dict[str, Any]:
        """Return the same facts for --json; the names are stable."""
        return asdict(self) | {"rows": self.rows}

    def lines(self) -> list[str]:
        """Return the closing lines."""
        what = f"{count(self.products, 'product')}, {self.not_found:,} not found"
        return [
            f"  Rows     {self.rows:,}: {what}" + ("; every answer over time" if self.history else ""),
            *([f"  Source   {_SANDBOX}"] if self.is_sandbox else []),
            *(f"  Note     {warning}" for warning in self.warnings),
            f"  Time     {duration(self.duration_s)}",
            f"  Output   {self.output}",
        ]


@dataclass(frozen=True, slots=True)
class Merged:
    """What several resume files became: one with all their answers."""

    sources: Sequence[str]
    output: str
    service: str
    is_sandbox: bool
    answers: int
    codes: int
    codes_found: int

    def to_json(self) -> dict[str, Any]:
        """Return the same facts for --json; the names are stable."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the closing lines."""
        return [
            f"  Answers  {self.answers:,}; the newest of each code counts, the others are its history",
            f"  Codes    {self.codes:,}{_outcomes(self.codes, self.codes_found)}",
            f"  Source   {_SANDBOX if self.is_sandbox else self.service}",
            f"  Output   {self.output}",
        ]


def _outcomes(codes: int, found: int) -> str:
    return f": {found:,} found ({found / codes:.1%}), {codes - found:,} not found" if codes else ""
