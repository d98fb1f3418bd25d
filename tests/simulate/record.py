"""What is known of one run of the program, seen from outside of it: what it sent, was given, and said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NoReturn

if TYPE_CHECKING:
    from enricher.lookup import Chunk
    from enricher.lookup.events import Stopped
    from enricher.lookup.replies import AccountReply, LookupReply
    from enricher.model import Key
    from tests.simulate.scenario import Fate, Scenario, Visit
    from tests.simulate.server import Account
    from tests.simulate.world import World


class PromiseError(AssertionError):
    """A promise that was not kept: its name, and how."""

    def __init__(self, name: str, how: str) -> None:
        super().__init__(f"{name}: {how}")
        self.name = name


class Killed(BaseException):
    """The program's end in the middle of anything. No handler of the program's may see it."""


@dataclass(slots=True, eq=False)
class Request:
    """One request, and what became of it. `chunk` None: the question for the levels."""

    chunk: Chunk | None
    keys: tuple[Key, ...]
    fate: Fate
    sent_us: int
    taken_us: int | None = None
    reply: LookupReply | AccountReply | None = None
    charged: int = 0
    lies: int = 0
    """Levels in the reply that are not true."""
    is_good: bool = False
    """The reply is paid for and undamaged."""
    served_us: int = 0
    refusal: Literal["", "bucket", "day"] = ""
    """Which limit the service refused it for."""
    rate_per_min: int = 1
    """The plan's, when the service saw it."""


@dataclass(slots=True)
class Record:
    """One run. Times are true times, in microseconds."""

    scenario: Scenario
    visit: Visit
    world: World
    store: dict[Key, frozenset[str]]
    tokens_at_start: Account
    started_us: int
    is_alone: bool
    """Nobody takes tokens but this run, and what it is told is so."""
    is_calm: bool
    """Alone, nothing fails, and nobody ends it."""
    keys: tuple[Key, ...] = ()
    requests: list[Request] = field(default_factory=list)
    under_way: dict[Key, Request] = field(default_factory=dict)
    lookups_under_way: int = 0
    accounts_under_way: int = 0
    at_sea: int = 0
    """Requests on their way to the service; those of a run that was killed arrive there, too."""
    owed: set[Key] = field(default_factory=set)
    """Codes whose good reply the program has taken, but not put away."""
    in_trouble: set[Key] = field(default_factory=set)
    """Codes of requests that brought less than a good reply."""
    lost: dict[Key, int] = field(default_factory=dict)
    charged: int = 0
    """What the service has charged for this run by now, in tokens; it may go on after the run's end."""
    rival_tokens: int = 0
    lies_heard: int = 0
    refusal_heard_us: dict[str, int] = field(default_factory=dict)
    """By the limit that refused: when the program last heard so."""
    days_refused: dict[int, int] = field(default_factory=dict)
    """By server day: how many surprises there had been when its limit last refused."""
    next_refusal_us: int = 0
    accounts: int = 0
    accounts_failed: int = 0
    takes: int = 0
    points: int = 0
    events: int = 0
    stops: int = 0
    stopped_at_us: list[int] = field(default_factory=list)
    key_is_refused: bool = False
    is_refused: bool = False
    """A request was turned away by the service: for want of tokens, or for its codes."""
    retry_after_s: float = 0.0
    """All that the service asked for to be left alone."""
    quiet_until_s: float = 0.0
    """By the machine's monotonic clock: until when the service asked to be left alone."""
    replied_tokens: int = 0
    maybe_paid: int = 0
    failures: dict[Key, str] = field(default_factory=dict)
    stopped: Stopped | None = None
    ended_us: int | None = None
    is_killed: bool = False

    @property
    def is_over(self) -> bool:
        return self.ended_us is not None

    def point(self) -> None:
        """Pass a point at which the machine may end the run."""
        self.points += 1
        if self.is_killed or self.points == self.visit.kill_at_point:
            self.die()

    def die(self) -> NoReturn:
        """End the run here, and wherever it goes on in spite of that: a program that is killed handles nothing."""
        self.is_killed = True
        raise Killed

    def ask_to_stop(self) -> None:
        if self.is_over:
            return
        self.stops += 1
        self.stopped_at_us.append(self.world.now_us)
        self.world.disturbed += 1
        self.world.note("asked to stop", self.stops)
