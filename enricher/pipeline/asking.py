"""Between the resume file and the service: what is not known freshly enough is asked, and every reply is put away."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from enricher import lookup, merge
from enricher.errors import ApiKeyError, ConfigError
from enricher.keys import KeyArray, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from enricher.clock import Clock
    from enricher.config import Settings
    from enricher.model import Key, Levels
    from enricher.pipeline.task import Observer, Task
    from enricher.store import Store

_SANDBOX_NOTE = "sandbox data: not Amazon's"


def open_keys(keys: KeyArray, store: Store, settings: Settings, clock: Clock) -> list[Key]:
    """Return the keys to be paid for, in order: unknown, or known for longer than the age allowed."""
    oldest_ms = 0
    if settings.lookup.max_age is not None:
        oldest_ms = round((clock.now() - settings.lookup.max_age).timestamp() * 1000)
    return unpack(keys[store.fetched_ms(keys) < oldest_ms])


def check_reserve(reserve: int, levels: Levels) -> None:
    """Raise ConfigError where the tokens left to others are all that the account gets: waiting would never end."""
    if reserve >= levels.daily_limit:
        raise ConfigError(
            f"--reserve-tokens {reserve:,} leaves nothing of the account's {levels.daily_limit:,} tokens a day"
        )


@contextlib.contextmanager
def client_of(task: Task, clock: Clock) -> Iterator[lookup.Client]:
    """Open the way to the service that the settings name: the live API, or a sandbox started for this run.

    Raises ApiKeyError where there is no key.
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
        yield stack.enter_context(lookup.Client(url, key, clock, settings.timeout.total_seconds()))


@dataclass
class Asking:
    """The lookups of one run, and what came of them. Tokens are what the server says it took."""

    task: Task
    observer: Observer
    stop: Callable[[], bool]
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

    def ask(self, wanted: list[Key], store: Store) -> None:
        """Look up `wanted` as far as quota and settings allow. Raises ConfigError, ApiError and OutputError."""
        settings = self.task.settings.lookup
        if settings.offline or not wanted:
            return
        with client_of(self.task, self.clock) as client:
            self.levels = client.account()
            check_reserve(settings.reserve_tokens, self.levels)
            self.observer.looking_up(len(wanted[: settings.max_tokens]), self.levels)
            engine = lookup.Engine(
                client,
                self.clock,
                self.levels,
                reserve=settings.reserve_tokens,
                budget=settings.max_tokens,
                wait_for_day=settings.on_quota == "wait",
                stop=self.stop,
            )
            for event in engine.run(lookup.chunks_of(wanted)):
                self._take(event, store)
                self.observer.event(event)

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

    def _take(self, event: lookup.Event, store: Store) -> None:
        match event:
            case lookup.Reply():
                store.put(event.answers)
                self.tokens += event.tokens
                self.strays += event.strays
                self.levels = event.levels
            case lookup.Failure():
                self.failures.update(dict.fromkeys(event.keys, event.reason))
            case lookup.MaybePaid():
                self.maybe_paid += event.codes
            case lookup.Waiting():
                self.waited_s += event.sleep_s
            case lookup.Stopped():
                self.stopped, self.stop_message, self.reset_s = event.reason, event.message, event.reset_s
