"""What happens in a run of lookups, as the caller hears it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from enricher.model import Answer, Key, Levels


@dataclass(frozen=True, slots=True)
class Reply:
    """A paid reply. `tokens` is what the server says it cost; `strays` counts items that nobody asked for."""

    answers: tuple[Answer, ...]
    tokens: int
    strays: int
    levels: Levels


@dataclass(frozen=True, slots=True)
class Failure:
    """Keys given up on in this run, and the reason in words."""

    keys: tuple[Key, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class MaybePaid:
    """A request for `codes` codes may have been charged, and its reply is lost: they may be paid twice."""

    codes: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """The run is about to wait for `sleep_s` at most; `left_s` is what remains of the whole wait as it looks now."""

    sleep_s: float
    left_s: float
    reason: Literal["bucket", "day", "fault"]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run ends before the last chunk. `reset_s`: the day's tokens come back in so many seconds."""

    reason: Literal["budget", "day", "signal", "down", "key"]
    message: str
    reset_s: float = 0.0


Event: TypeAlias = Reply | Failure | MaybePaid | Waiting | Stopped
