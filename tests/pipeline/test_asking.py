"""Replies that arrive together are written down together, before they count, and none is lost on any way out."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from enricher import lookup, pipeline, sandbox
from enricher.config import load
from enricher.errors import OutputError
from enricher.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from enricher.model import Answer, CodeType, Domain, Item

CODES = [f"B0{number:07}A" for number in range(100)]
LARGE = sandbox.Plan("large", bucket_capacity=10_000, tokens_per_minute=10_000, daily_limit=10_000)


class Shelf(sandbox.Catalog):
    """Has every code."""

    def lookup(self, code_type: CodeType, code: str, domain: Domain) -> list[Item]:
        return [{"asin": code, "title": f"{code_type} {domain}"}]


class Slow(Store):
    """The resume file on a slow disk: replies arrive while it writes. `trouble` is what happens before a write."""

    puts: ClassVar[list[int]] = []
    trouble: ClassVar[Callable[[Sequence[Answer]], None]] = lambda _: None

    def put(self, answers: Sequence[Answer]) -> None:
        type(self).trouble(answers)
        super().put(answers)
        type(self).puts.append(len(answers))
        time.sleep(0.15)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> type[Slow]:
    monkeypatch.setattr("enricher.pipeline.run.Store", Slow)
    monkeypatch.setattr(Slow, "puts", [])
    monkeypatch.setattr(Slow, "trouble", lambda _: None)
    return Slow


@pytest.fixture
def service() -> Iterator[sandbox.Sandbox]:
    """Slow enough that several requests are under way at once."""
    with sandbox.serve(Shelf(), {"sandbox": LARGE}, latency_s=0.15) as api:
        yield api


@pytest.fixture
def task(tmp_path: Path, service: sandbox.Sandbox) -> pipeline.Task:
    path = tmp_path / "sheet.csv"
    path.write_text("\n".join(["ASIN", *CODES, ""]), encoding="utf-8")
    flags: dict[str, Any] = {"lookup.api_url": service.url, "lookup.workers": 8}
    return pipeline.Task(path, load(None, flags, {"ASINSCOPE_API_KEY": "sandbox"}))


class Counts(pipeline.Observer):
    """Counts the codes that it is told are done."""

    done = 0

    def event(self, event: lookup.Event) -> None:
        self.done += len(event.answers) if isinstance(event, lookup.Reply) else 0


def test_what_arrives_while_the_disk_is_busy_shares_the_next_write(task: pipeline.Task, slow: type[Slow]) -> None:
    observer = Counts()
    told: list[int] = []
    slow.trouble = lambda _: told.append(observer.done)
    summary = pipeline.enrich(task, observer)
    assert (summary.codes_found, summary.tokens_spent, observer.done) == (100, 100, 100)
    assert sum(slow.puts) == 100
    assert 10 < max(slow.puts) <= 100
    # Before each write those of the writes before it are done, and no other.
    assert [after - before for before, after in pairwise([*told, 100])] == slow.puts


def test_replies_that_do_not_fit_together_are_tried_one_by_one(
    task: pipeline.Task, slow: type[Slow], service: sandbox.Sandbox
) -> None:
    def too_much(answers: Sequence[Answer]) -> None:
        if len(answers) > 10:
            raise OutputError("no room")

    slow.trouble = too_much
    observer = Counts()
    with pytest.raises(OutputError, match="no room"):
        pipeline.enrich(task, observer)
    paid = service.ledger.spent("sandbox")
    assert 20 <= sum(slow.puts) == observer.done == paid < 100
    slow.trouble = lambda _: None
    assert pipeline.enrich(task, Counts()).tokens_spent == 100 - paid


def test_what_is_on_disk_counts_though_there_is_no_room_for_more(
    task: pipeline.Task, slow: type[Slow], monkeypatch: pytest.MonkeyPatch, service: sandbox.Sandbox
) -> None:
    put = Slow.put

    def put_and_say_full(store: Slow, answers: Sequence[Answer]) -> None:
        put(store, answers)
        raise OutputError("no room for the next reply")

    with monkeypatch.context() as patched:
        patched.setattr(Slow, "put", put_and_say_full)
        observer = Counts()
        with pytest.raises(OutputError, match="no room for the next"):
            pipeline.enrich(task, observer)
    paid = service.ledger.spent("sandbox")
    assert sum(slow.puts) == observer.done == paid < 100
    assert pipeline.enrich(task, Counts()).tokens_spent == 100 - paid


def test_an_interrupt_in_a_write_loses_none_of_what_was_to_be_written(
    task: pipeline.Task, slow: type[Slow], service: sandbox.Sandbox
) -> None:
    def interrupt(_: Sequence[Answer]) -> None:
        if len(slow.puts) == 1:
            slow.trouble = lambda _: None
            raise KeyboardInterrupt

    slow.trouble = interrupt
    with pytest.raises(KeyboardInterrupt):
        pipeline.enrich(task, Counts())
    assert len(slow.puts) == 2
    kept = sum(slow.puts)
    time.sleep(0.5)  # what was under way is paid for, and is lost
    assert service.ledger.spent("sandbox") <= kept + 8 * 10
    assert pipeline.enrich(task, Counts()).tokens_spent == 100 - kept
