"""Between the resume file and the service: what is not known freshly enough is asked, and every reply is put away.

Asks in rounds: first the codes that rows are at, then the next ones of rows whose code was not found.
"""

from __future__ import annotations

import contextlib
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from enricher import lookup, merge
from enricher.errors import ApiKeyError, ConfigError, OutputError
from enricher.keys import KeyArray, pack, unpack
from enricher.model import FIELDS
from enricher.pipeline.fallback import BoolArray, Known, Oldest, fresh
from enricher.pipeline.room import check_room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime, timedelta

    from enricher.clock import Clock
    from enricher.config import Settings
    from enricher.model import FieldGroup, Key, Levels
    from enricher.pipeline.reading import Reading
    from enricher.pipeline.task import Observer, Task
    from enricher.store import Store

_SANDBOX_NOTE = "sandbox data: not Amazon's"


def oldest_fresh(settings: Settings, now: datetime) -> Oldest:
    """Return since when an answer must be to count as fresh enough now.

    A reply costs the same and brings all fields, whichever are wanted: so a found code goes by the shortest of the
    ages of the groups that the output draws on.
    """
    own, max_age = settings.refresh, settings.lookup.max_age

    def since_ms(*ages: timedelta | None) -> int:
        said = [max_age if age is None else age for age in ages]
        return max((int((now - age).timestamp() * 1000) for age in said if age is not None), default=0)

    of_group: dict[FieldGroup, timedelta | None] = {"price": own.price, "content": own.content}
    groups = {FIELDS[name].group for name in settings.output.fields}
    return Oldest(since_ms(*map(of_group.__getitem__, groups)), since_ms(own.not_found))


def known(keys: KeyArray, store: Store, oldest: Oldest) -> Known:
    """Return what the resume file says of each key."""
    told = store.known(keys)
    return Known(told.found, told.not_found, fresh(told.found, told.not_found, told.fetched_ms, oldest))


def _is_kept(reply: lookup.Reply, store: Store) -> bool:
    """Whether a reply is on disk although it was said that something could not be written there."""
    first = reply.answers[0]
    kept_ms = int(store.known(np.array([pack(first.key)], np.uint64)).fetched_ms[0])
    return kept_ms == round(first.fetched_at.timestamp() * 1000)


def check_reserve(reserve: int, levels: Levels) -> None:
    """Raise ConfigError where the tokens left to others are all that the account gets: waiting would never end."""
    if reserve >= levels.daily_limit:
        raise ConfigError(
            f"--reserve-tokens {reserve:,} leaves nothing of the account's {levels.daily_limit:,} tokens a day"
        )


@contextlib.contextmanager
def service_of(task: Task, clock: Clock) -> Iterator[Callable[[], lookup.Client]]:
    """Open the way to the service that the settings name: the live API, or a sandbox started for this run.

    What it yields makes clients, one for each thread. Raises ApiKeyError where there is no key.
    """
    settings = task.settings.lookup
    key = settings.key()
    if not key:
        raise ApiKeyError(
            "there is no API key. Put it in the environment as ASINSCOPE_API_KEY, or name a file with it in the "
            "config (api_key_file). To try enricher without one: --sandbox"
        )
    with contextlib.ExitStack() as stack:
        url = settings.api_url
        if settings.sandbox:
            from enricher import sandbox  # noqa: PLC0415 - a web server takes a quarter of a second to load

            url = stack.enter_context(sandbox.serve(clock=clock)).url
        timeout_s = settings.timeout.total_seconds()
        yield lambda: lookup.Client(url, key, clock, timeout_s, settings.proxy)


def levels_of(connect: Callable[[], lookup.Client], clock: Clock) -> Levels:
    """Ask the account for its token levels; free. Raises ApiKeyError, ApiError."""
    with connect() as client:
        return lookup.ask_levels(client, clock, random.Random())  # noqa: S311 - when to ask again is no secret


@dataclass
class Asking:
    """The lookups of one run, and what came of them. Tokens are what the server says it took."""

    task: Task
    observer: Observer
    stop: Callable[[], int]
    clock: Clock
    tokens: int = 0
    strays: int = 0
    maybe_paid: int = 0
    waited_s: float = 0.0
    levels: Levels | None = None
    stopped: Literal["", "budget", "day", "signal", "down", "key"] = ""
    stop_message: str = ""
    reset_s: float = 0.0
    failures: dict[Key, str] = field(default_factory=dict)
    unwritten: OutputError | None = None
    """Why nothing more can be kept: what is under way is taken all the same, and nothing more is asked."""
    known_before: BoolArray = field(default_factory=lambda: np.empty(0, np.bool_))
    """Of the reading's keys, which the resume file knew freshly enough."""

    def ask(self, reading: Reading, store: Store) -> None:
        """Look up the rows' codes as far as quota and settings allow. Raises ConfigError, ApiError and OutputError.

        Before the first token is spent there is room on the disks for what is about to be paid for.
        """
        settings = self.task.settings.lookup
        oldest = oldest_fresh(self.task.settings, self.clock.now())  # once: what this run asks must not grow old in it
        known_now = known(reading.keys, store, oldest)
        self.known_before = known_now.fresh
        wanted = known_now.to_ask(reading.candidates)
        if settings.offline or not wanted.any():
            return
        check_room(self.task, reading, known_now, store)
        with service_of(self.task, self.clock) as connect:
            self.levels = levels_of(connect, self.clock)
            check_reserve(settings.reserve_tokens, self.levels)
            with lookup.Workers(connect, settings.workers, self.clock) as network:
                engine = lookup.Engine(
                    network,
                    self.clock,
                    self.levels,
                    reserve=settings.reserve_tokens,
                    budget=settings.max_tokens,
                    wait_for_day=settings.on_quota == "wait",
                    workers=settings.workers,
                    stop=lambda: max(self.stop(), int(self.unwritten is not None)),
                )
                asked = np.zeros_like(wanted)
                while wanted.any() and not self.stopped:
                    self._round(unpack(reading.keys[wanted]), engine, store)
                    asked |= wanted  # what failed is not asked again in this run
                    wanted = known(reading.keys, store, oldest).to_ask(reading.candidates) & ~asked
                self.waited_s, self.levels = engine.waited_s, engine.levels_now()

    def answers(self, keys: KeyArray, store: Store) -> merge.Answers:
        """Return what is known now of the run's unique keys."""
        products, key_at = store.latest(keys)
        position = {packed: at for at, packed in enumerate(keys.tolist())} if self.failures else {}
        failures = {position[pack(key)]: reason for key, reason in self.failures.items()}
        pending = "not looked up yet: run again to go on"
        if self.task.settings.lookup.offline:
            pending = "not looked up: --offline"
        note = _SANDBOX_NOTE if self.task.is_sandbox else ""
        return merge.Answers(keys, products, key_at, failures, pending, note)

    def _round(self, wanted: list[Key], engine: lookup.Engine, store: Store) -> None:
        codes = len(wanted)
        if engine.budget is not None:
            codes = min(codes, max(0, engine.budget - self.tokens - self.maybe_paid))
        self.observer.looking_up(codes, self.levels or engine.levels)
        for events in engine.turns(lookup.chunks_of(wanted)):
            replies = [event for event in events if isinstance(event, lookup.Reply) and event.answers]
            try:
                unkept = self._keep(replies, store)
            except KeyboardInterrupt:  # Python may raise it anywhere, before the replies were written, too
                self._keep(replies, store)
                raise
            for event in events:
                if event not in unkept:
                    self._count(event)
                    self.observer.event(event)
        if self.unwritten:
            raise self.unwritten

    def _keep(self, replies: Sequence[lookup.Reply], store: Store) -> Sequence[lookup.Reply]:
        """Write down replies that arrived together, with one wait for the disk; return those that could not be.

        They are paid for: where they don't fit together, each is tried alone. Those under way are taken after such an
        error, too.
        """
        if not replies:
            return []
        try:
            store.put([answer for reply in replies for answer in reply.answers])
        except OutputError as error:
            self.unwritten = self.unwritten or error
            left = [reply for reply in replies if not _is_kept(reply, store)]
            return left if len(replies) == 1 else [unkept for reply in left for unkept in self._keep([reply], store)]
        return []

    def _count(self, event: lookup.Event) -> None:
        match event:
            case lookup.Reply():
                self.tokens += event.tokens
                self.strays += event.strays
                self.levels = event.levels
            case lookup.Failure():
                self.failures.update(dict.fromkeys(event.keys, event.reason))
            case lookup.MaybePaid():
                self.maybe_paid += event.codes
            case lookup.Stopped():
                self.stopped, self.stop_message, self.reset_s = event.reason, event.message, event.reset_s
