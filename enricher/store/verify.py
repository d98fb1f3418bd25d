"""Reading everything and checking everything, to say whether a resume file is sound."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enricher.errors import StoreError, StoreUnreadableError
from enricher.keys import code_texts
from enricher.model import FIELDS, Outcome
from enricher.store import answers
from enricher.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def verify(path: Path, tick: Callable[[int], None] = lambda _rows: None) -> list[str]:
    """Read both files of a resume file and check all that their format promises. `tick` hears of rows done.

    Returns the faults in words, one for each kind; none: it is sound. Raises StoreError where there is none,
    StoreUnreadableError where that can't be told.
    """
    faults: list[str] = []
    if not path.exists() and not path.with_suffix(".journal").exists():
        raise StoreError(f"{path}: there is no such resume file")
    try:
        with Store(path, read_only=True) as store:
            for part in store.parts():
                for batch in part.batches():
                    faults += [fault for fault in _faults_of(pa.Table.from_batches([batch])) if fault not in faults]
                    tick(len(batch))
            faults += _faults_of_answers(store.held)
    except StoreUnreadableError:
        raise
    except StoreError as error:
        faults.append(str(error))
    return faults


def _faults_of(rows: pa.Table) -> Iterator[str]:
    """Check rows by themselves."""
    keys = answers.keys_of(rows)
    codes = rows.column("code")
    wrong = pc.not_equal(codes, pa.chunked_array([code_texts(keys)]))
    if pc.any(wrong).as_py():
        yield f"a code is not in its canonical form: {codes.filter(wrong)[0]}"
    outcome = rows.column("outcome")
    is_found = pc.equal(outcome, Outcome.FOUND.value)
    if not pc.all(pc.is_in(outcome, pa.array([*map(str, Outcome)]))).as_py():
        yield "an outcome is neither found nor not_found"
    for name in (*FIELDS, "raw"):
        if pc.any(pc.and_(pc.invert(is_found), pc.is_valid(rows.column(name)))).as_py():
            yield f"a code that was not found has a product ({name})"
    for text in rows.column("raw").drop_null().to_pylist():
        if not isinstance(_parsed(text), dict):
            yield "a column raw is no JSON object"


def _faults_of_answers(held: answers.Answers) -> Iterator[str]:
    if np.any(held.fetched_ms < 0):
        yield "an answer is older than 1970"
    if np.any((held.rows > 1) & ~held.found):
        yield "a code that was not found has several rows"


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
