"""When lookups are done by the account's quota: days and moments by the reader's calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from enricher.report.phrases import count, date, duration, moment, to_minute

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_NAMED_DAYS = 4
_FOR_EVER_S = 100 * 365 * 86_400
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Forecast:
    """How long some tokens take by the account's quota: seconds from now, infinite for never.

    `tokens_by_day` are the account's days from now on, from reset to reset, some hundreds of `days` at most.
    """

    duration_s: float
    tokens_by_day: Sequence[int] = ()
    days: int = 0

    def done(self, now: datetime) -> datetime | None:
        """Return when it is over, by the reader's calendar; None where nobody will see that."""
        return None if self.duration_s > _FOR_EVER_S else (now + timedelta(seconds=self.duration_s)).astimezone()

    def span_and_end(self, now: datetime) -> str:
        """Say how long it takes and when it is done."""
        if self.duration_s < 1:
            return "no waiting: the tokens are there"
        done = self.done(now)
        if done is not None:
            return f"about {duration(self.duration_s)}, done {moment(done, now)}"
        is_never = self.duration_s == float("inf")
        return "never: the account does not give so many tokens" if is_never else "more than a hundred years"


@dataclass(frozen=True, slots=True)
class Timing:
    """The forecast of a plan made at `made_at`, for an account that has `left_today` tokens and a new day in `reset_s`.

    `reserved` tokens of each day are left to others. `at_most` is the forecast where all rows' next codes are asked
    for, too. `this_run` is what a run with the plan's settings spends before it ends, and `this_run_s` how long that
    takes: all of the plan, or the tokens until a day's limit stops it.
    """

    made_at: datetime
    left_today: int
    reserved: int
    reset_s: float
    forecast: Forecast
    at_most: Forecast
    this_run: int
    this_run_s: float

    def facts(self) -> dict[str, Any]:
        """Return the facts for --json; what never comes is null."""
        done, done_at_most = self.forecast.done(self.made_at), self.at_most.done(self.made_at)
        return {
            "duration_s": None if done is None else self.forecast.duration_s,
            "duration_at_most_s": None if done_at_most is None else self.at_most.duration_s,
            "done_at": _iso(done),
            "done_at_most_at": _iso(done_at_most),
            "days": [{"date": f"{start:%Y-%m-%d}", "tokens": tokens} for start, tokens in self._days()],
            "tokens_left_today": self.left_today,
            "tokens_reserved": self.reserved,
            "reset_at": _iso(self._reset()),
            "tokens_this_run": self.this_run,
            "duration_this_run_s": self.this_run_s,
        }

    def quota_line(self) -> str:
        """Say what is left today and when the next day's tokens come."""
        reserved = f", {self.reserved:,} of each day left to others" if self.reserved else ""
        reset = moment(self._reset(), self.made_at.astimezone())
        return f"{count(self.left_today, 'token')} left today{reserved}; more {reset}"

    def lines(self) -> list[str]:
        """Say when the plan is done, what each day gives, and where a run ends that does not wait for the next day."""
        now, forecast = self.made_at.astimezone(), self.forecast
        lines = [forecast.span_and_end(now), *self._day_line()]
        if self.at_most.duration_s > forecast.duration_s:
            lines.append(f"with all the next codes of rows: {self.at_most.span_and_end(now)}")
        if self.this_run >= sum(forecast.tokens_by_day) or forecast.duration_s == float("inf"):
            return lines
        if not self.this_run:
            lines.append("a run now would stop at once, as today's tokens are used up;")
        else:
            which = "today's" if self.this_run == forecast.tokens_by_day[0] else "the first"
            after_s = f", in {duration(self.this_run_s)}" if self.this_run_s >= 1 else ""
            lines.append(f"this run stops after {which} {count(self.this_run, 'token')}{after_s};")
        how_often = "each day" if forecast.days > 2 else "after the reset"  # noqa: PLR2004 - today and another one
        return [*lines, f"to go on, run it again {how_often}, or once with --on-quota wait"]

    def _day_line(self) -> list[str]:
        """Say what each day gives; of many days the first, what the others give, and how many there are."""
        days, now, forecast = self._days(), self.made_at.astimezone(), self.forecast
        if not days or forecast.days == 1 or forecast.done(now) is None:
            return []
        if len(days) > _MOST_NAMED_DAYS:
            between = [tokens for _, tokens in days[1:-1]]
            about = "" if len(set(between)) == 1 else "about "
            each = f"then {about}{round(sum(between) / len(between)):,} a day"
            return [f"{_gives(*days[0], now)}, {each}, {forecast.days:,} days in all"]
        told = [_gives(start, tokens, now) for start, tokens in days]
        if len(days) > 1 and days[1][0].date() == now.date():
            told[0] = f"{days[0][1]:,} now"  # the account's day begins in the middle of the reader's
        return [", ".join(told)]

    def _days(self) -> list[tuple[datetime, int]]:
        """Return when each day's tokens come, by the reader's calendar, and how many; days without any are left out."""
        by_day = self.forecast.tokens_by_day
        reset = self._reset().astimezone(UTC)  # a day is 24 hours, also where clocks are put forward
        starts = [self.made_at, *(reset + day * _DAY for day in range(len(by_day) - 1))]
        return [(start.astimezone(), tokens) for start, tokens in zip(starts, by_day, strict=False) if tokens]

    def _reset(self) -> datetime:
        return to_minute(self.made_at + timedelta(seconds=self.reset_s)).astimezone()


def _gives(start: datetime, tokens: int, now: datetime) -> str:
    """Say how many tokens the account's day gives that begins at `start`; the first one has begun."""
    if start <= now:
        return f"{tokens:,} today"
    if start.date() == now.date():
        return f"{tokens:,} today from {start:%H:%M} on"
    if start.date() == (now + _DAY).date():
        return f"{tokens:,} tomorrow"
    return f"{tokens:,} on {date(start, now)}"


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
