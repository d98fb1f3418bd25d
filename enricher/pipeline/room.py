"""Whether the disks have room for what a run is about to pay for: asked before the first token is spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from enricher import disk, report
from enricher.errors import OutputError
from enricher.model import FIELDS
from enricher.pipeline import fallback

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enricher.config import Settings
    from enricher.model import FieldKind
    from enricher.pipeline.fallback import Known
    from enricher.pipeline.reading import Reading
    from enricher.pipeline.task import Task
    from enricher.store import Store

_KIND_BYTES: dict[FieldKind, int] = {"text": 18, "number": 5, "integer": 3, "boolean": 4, "list": 36}
"""What a field takes in a CSV: somewhat less than with the sandbox's products, whose titles and lists are short."""
_LOOKUP_BYTES = 30
"""What lookup_status and the columns behind it take in every row."""
_NAME_BYTES = 4
"""Quotes and signs around a member's name in JSON Lines, where every row repeats all names."""
_PACKED = 4
"""A workbook takes more than this part of it for a row, also where the same product follows itself; measured."""
_OTHER_KIND = 4
"""More than this part of the input is left where the output is of another kind: a workbook of a CSV is packed."""
_JSON_LINES = {".jsonl", ".ndjson", ".json"}
_PACKED_SUFFIXES = {".xlsx", ".xlsm", ".parquet"}


def check_room(task: Task, reading: Reading, known: Known, store: Store) -> None:
    """Raise OutputError where the disks have no room for the answers about to be paid for and the output with them."""
    lack = lacking(task, reading, known, store)
    if lack:
        raise OutputError(f"{lack}. Nothing was spent. Make room, or write elsewhere: -o OUTPUT, --store FILE")


def lacking(task: Task, reading: Reading, known: Known, store: Store) -> str:
    """Say which folder's disk has too little room for the run; empty: there is room, or nothing is to be asked.

    What goes to one disk adds up. A folder that is not there yet, or whose disk can't be looked at, is not judged.
    """
    to_ask = known.to_ask(reading.candidates)
    codes = asked(int(to_ask.sum()), task.settings)
    if not codes:
        return ""
    output = task.output_path.resolve().parent
    folders = {
        "the resume file": (store.path.parent, store.room_needed(codes)),
        "the output": (output, output_bytes(task, reading, known, codes)),
    }
    needs = [
        disk.Need(what, folder, size_bytes, disk.disk_of(folder)) for what, (folder, size_bytes) in folders.items()
    ]
    return _in_words(disk.too_much(needs))


def asked(to_ask: int, settings: Settings) -> int:
    """Return how many codes this run may ask at first: all that it needs, or what the settings leave of them."""
    if settings.lookup.offline:
        return 0
    return to_ask if settings.lookup.max_tokens is None else min(to_ask, settings.lookup.max_tokens)


def output_bytes(task: Task, reading: Reading, known: Known, codes: int) -> int:
    """Estimate the size of the output where `codes` of those to ask are asked, and found; rather too low.

    It is the input, and for each row that has an answer then what its fields take with short products.
    """
    to_ask = known.to_ask(reading.candidates)
    answered = np.where(to_ask, codes / max(1, int(to_ask.sum())), known.found)
    rank = fallback.ranks(reading.candidates, known.not_found & known.fresh)
    key_index = reading.candidates[rank, np.arange(len(rank))]
    suffix = task.form.suffix.lower()
    if suffix == ".parquet":
        key_index = np.unique(key_index)  # it holds what is repeated once
    rows = float(np.append(answered, 0.0)[key_index].sum())  # the last is that of no code, -1
    settings = task.settings.output
    row_bytes = _LOOKUP_BYTES + sum(_KIND_BYTES[FIELDS[name].kind] for name in settings.fields)
    if suffix in _JSON_LINES:
        row_bytes += sum(len(settings.prefix + name) + _NAME_BYTES for name in settings.fields)
    added = rows * row_bytes / (_PACKED if suffix in _PACKED_SUFFIXES else 1)
    input_bytes = task.input.stat().st_size if task.input.exists() else 0  # one that was moved away is said later
    kept = input_bytes / (1 if suffix == task.input.suffix.lower() else _OTHER_KIND)
    return int(kept + added)


def _in_words(needs: Sequence[disk.Need]) -> str:
    if not needs or needs[0].disk is None:
        return ""
    parts = " and ".join(f"{report.size(need.size_bytes)} for {need.what}" for need in needs)
    if len(needs) > 1:
        parts = f"{report.size(sum(need.size_bytes for need in needs))} ({parts})"
    return f"{needs[0].folder}: {report.size(needs[0].disk.free_bytes)} are free there, and about {parts} are needed"
