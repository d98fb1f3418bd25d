"""A journal read back: what is whole, what a crash tore, and what is damage. Writes nothing."""

from __future__ import annotations

import io
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import pyarrow as pa

from enricher.errors import StoreError, StoreUnreadableError
from enricher.model import Answer, CodeType, Domain, Key
from enricher.store.answers import Noted
from enricher.store.format import FORMAT, check_header, from_line
from enricher.store.rows import to_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

MOST_KEPT = 50_000
"""So many answers in memory are some 50 MB."""
_BATCH_ANSWERS = 2_048
_BLOCK_BYTES = 1024 * 1024
_NULS = re.compile(rb"\0+")
_SECTOR_BYTES = 512
_LATEST_MS = 253_402_300_800_000
"""The year 10,000: no calendar here goes on."""
_TRIES = 3
_NEXT_TRY_S = 0.05
_PADDED = 2
"""Since this format a journal ends in NULs."""


@dataclass(slots=True)
class Contents:
    """What a journal holds.

    `answers_before`: so many had the parquet file when it began. `end`: behind its last whole line; `behind`: behind
    the last byte that is no NUL. `torn`: the last commit lacks something, and is dropped; `unended`: all it lacks is
    its newline, and it is kept.
    """

    format: int = FORMAT
    host: str = ""
    answers_before: int = 0
    noted: Noted = field(default_factory=Noted)
    outputs: list[tuple[str, str]] = field(default_factory=list)
    start: int = 0
    end: int = 0
    behind: int = 0
    torn: bool = False
    unended: bool = False


def opened(path: Path) -> BinaryIO | None:
    """Open a journal for reading; None: there is none. Raises StoreError."""
    try:
        return path.open("rb", buffering=0)  # what a buffer holds, another commit may have made untrue
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreUnreadableError(f"{path}: can't be read ({error.strerror})") from None


def read(path: Path, raw: BinaryIO, host: str | None, *, is_growing: bool) -> Contents:
    """Read a journal that was opened by that path from its beginning. Raises StoreError where it can't be used.

    `is_growing`: a run may be writing it. Parts of one commit, read before and behind the moment in which it came, look
    like damage; what is damage stays so.
    """
    for _ in range(_TRIES - 1 if is_growing else 0):
        try:
            return _read_once(path, raw, host)
        except StoreError:
            time.sleep(_NEXT_TRY_S)
    return _read_once(path, raw, host)


def _read_once(path: Path, raw: BinaryIO, host: str | None) -> Contents:
    raw.seek(0)
    file = io.BufferedReader(raw)  # type: ignore[type-var]
    try:
        return _read(path, file, host)
    except OSError as error:
        raise StoreUnreadableError(f"{path}: can't be read ({error.strerror})") from None
    finally:
        file.detach()


def _read(path: Path, file: BinaryIO, host: str | None) -> Contents:
    header = file.readline()
    payload = from_line(header) if header.endswith(b"\n") else None
    if payload is None:
        raise StoreError(
            f"{path} is damaged in its first line, or no journal of enricher. Nothing was changed. Restore it from a "
            f"backup, move it away, or name another resume file: --store FILE.parquet"
        )
    version, of_host = check_header(path, payload, host)
    before, size = payload.get("answers", 0), len(header)
    if not isinstance(before, int):
        raise _damaged(path, 1)
    contents = Contents(version, of_host, before, start=size, end=size, behind=size)
    for number, line in enumerate(file, 2):
        payload = from_line(line) if line.endswith(b"\n") else None
        if payload is None:
            _read_last(path, line, number, file, contents)
            break
        _take(path, number, payload, contents)
        contents.end += len(line)
    else:
        if contents.format >= _PADDED:
            raise _cut_short(path)
    contents.behind = max(contents.behind, contents.end)
    return contents


def _read_last(path: Path, line: bytes, number: int, file: BinaryIO, contents: Contents) -> None:
    """Judge a line that does not check: the room set aside, a commit torn by a crash, or damage."""
    is_whole = line.endswith(b"\n")
    is_last = not any(block.strip(b"\0") for block in iter(lambda: file.read(_BLOCK_BYTES), b""))
    text = line.rstrip(b"\0")
    contents.behind = contents.end + (len(line) if is_whole else len(text))
    if is_whole:
        # Of a commit that was never finished some sectors may have reached the disk, its end among them.
        is_torn = is_last and _lacks_sectors(line, contents.end)
    else:
        if contents.format >= _PADDED and len(text) == len(line):
            raise _cut_short(path)
        payload = from_line(text)
        if payload is not None:
            _take(path, number, payload, contents)
            contents.end += len(text) + 1
            contents.unended = True
            return
        is_torn = from_line(text[:-1]) is None  # else it is whole, and its newline became something else
    if not is_torn:
        raise _damaged(path, number)
    contents.torn = bool(text)


def _lacks_sectors(line: bytes, at: int) -> bool:
    """Say whether a line at byte `at` is NULs in whole sectors, as no flipped bit makes them."""
    holes = [(hole.start(), hole.end()) for hole in _NULS.finditer(line)]
    return bool(holes) and all(
        (not start or (at + start) % _SECTOR_BYTES == 0) and (at + end) % _SECTOR_BYTES == 0 for start, end in holes
    )


def _take(path: Path, number: int, payload: Any, contents: Contents) -> None:
    try:
        if isinstance(payload, dict) and "output" in payload:
            contents.outputs.append((payload["output"], payload["digest"]))
            return
        for told in _answers_of(payload):
            contents.noted.note(_key(told), _moment_ms(told["fetched_at"]), len(told["items"]))
    except (KeyError, TypeError, ValueError):
        raise _damaged(path, number) from None


def _moment_ms(told: Any) -> int:
    if not isinstance(told, int) or not 0 <= told < _LATEST_MS:
        raise ValueError(f"no moment: {told}")
    return told


def _damaged(path: Path, number: int) -> StoreError:
    return StoreError(
        f"{path.name} is damaged at line {number}. Nothing was changed. Restore it from a backup, or move it "
        f"away to go on without the answers in it (they would be paid for again)"
    )


def _cut_short(path: Path) -> StoreError:
    return StoreError(
        f"{path.name} was cut short: its end is missing. Nothing was changed. Restore it from a backup, or move it "
        f"away to go on without the answers in it (they would be paid for again)"
    )


def _answers_of(payload: Any) -> Iterable[dict[str, Any]]:
    """Return the answers of a commit; in format 1 each was a line of its own."""
    if isinstance(payload, dict):
        return () if "output" in payload else (payload,)
    return payload  # type: ignore[no-any-return]


def _key(told: dict[str, Any]) -> Key:
    return Key(CodeType(told["code_type"]), Domain(told["domain"]), told["code"])


class Rows:
    """The answers of a stretch of a journal, as so many rows; read when asked for, some thousands at a time."""

    def __init__(self, file: BinaryIO, start: int, end: int, count: int) -> None:
        self._file, self._start, self._end, self._count = file, start, end, count
        self._kept: list[pa.Table] = []

    def __len__(self) -> int:
        return self._count

    def batches(
        self, columns: Sequence[str] | None = None, chosen: npt.NDArray[np.bool_] | None = None
    ) -> Iterator[pa.RecordBatch]:
        start = 0
        for table in self._kept or self._tables():
            rows = table if columns is None else table.select(columns)
            if chosen is not None:
                rows = rows.filter(pa.array(chosen[start : start + len(table)]))
            start += len(table)
            yield from rows.to_batches()

    def keep(self) -> Self:
        """Read all now, to be had several times."""
        self._kept = [*self._tables()]
        return self

    def _tables(self) -> Iterator[pa.Table]:
        waiting: list[Answer] = []
        for payload in self._payloads():
            waiting += [_from_json(told) for told in _answers_of(payload)]
            if len(waiting) >= _BATCH_ANSWERS:
                yield to_table(waiting)
                waiting = []
        yield to_table(waiting)

    def _payloads(self) -> Iterator[Any]:
        for line in self._lines():
            payload = from_line(line)
            if payload is None:
                raise StoreError(f"{self._file.name} was changed by another program while it was in use")
            yield payload
            time.sleep(0)  # or the threads that wait for replies would wait for this one, too

    def _lines(self) -> Iterator[bytes]:
        at, rest = self._start, b""
        while at < self._end:
            self._file.seek(at)  # each time: several may be reading
            block = self._file.read(min(_BLOCK_BYTES, self._end - at)) or b"\n"  # what is missing does not check
            at += len(block)
            *lines, rest = (rest + block).split(b"\n")
            yield from lines
        if rest:
            yield rest.rstrip(b"\0")  # of a commit that lacked its newline alone


def _from_json(told: dict[str, Any]) -> Answer:
    return Answer(_key(told), tuple(told["items"]), datetime.fromtimestamp(told["fetched_at"] / 1000, UTC))
