"""Several resume files of one service into a new one: every answer of all of them, and the newest wins."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from enricher.errors import OutputError, StoreError
from enricher.store import answers, lock
from enricher.store.chosen import Chosen
from enricher.store.file import discard, partial_of, place, write
from enricher.store.format import called
from enricher.store.outputs import Outputs
from enricher.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def merge(sources: Sequence[Path], target: Path) -> int:
    """Write the answers of all `sources` as the new resume file `target`; return how many there are.

    Raises StoreError where a source can't be used, or holds another service's answers, StoreLockedError and OutputError
    where the target is there already, or can't be written.
    """
    target = target.resolve()
    _check_free(target)
    with ExitStack() as stack:
        stores = [stack.enter_context(_opened(source)) for source in sources]
        one = stores[0]
        for other in stores:
            if other.host != one.host:
                raise StoreError(
                    f"{one.path.name} holds answers of {called(one.host)}, {other.path.name} those of "
                    f"{called(other.host)}: they are kept apart"
                )
        stack.callback(lock.acquire(target.with_suffix(".lock"), target.name).release)
        _check_free(target)  # again: another run may have made it before the lock was had
        held = answers.joined([store.held for store in stores])
        outputs = Outputs(target.parent, {})
        for store in stores:
            outputs.take_all(store.outputs)
        rows = Chosen([part for store in stores for part in store.parts()], held.of_rows(held.distinct))
        partial = partial_of(target)
        try:
            write(partial, rows.batches(), len(rows), one.host, outputs.to_json())
            place(partial, target)
        except OSError as error:
            raise OutputError(f"{target}: can't be written ({error.strerror})") from None
        finally:
            discard(partial)
        return int(held.distinct.sum())


def _opened(source: Path) -> Store:
    if not source.exists() and not source.with_suffix(".journal").exists():
        raise StoreError(f"{source}: there is no such resume file")
    return Store(source, read_only=True)


def _check_free(target: Path) -> None:
    for path in (target, target.with_suffix(".journal")):
        if path.exists():
            raise OutputError(f"{path} exists already, and what was paid for is never overwritten: name another")
