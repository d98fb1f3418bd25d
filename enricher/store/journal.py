"""The journal: paid replies as lines of text, each on disk before anything else happens with it.

A line is eight hexadecimal digits of CRC-32, a space, JSON in ASCII, and a newline; the CRC is of the JSON's bytes. The
first line is the header, {"format": 1, "host": ...}; every other is an answer:

    {"code_type": "upc", "domain": "com", "code": "012345678905", "fetched_at": 1767225600000, "items": [{...}, ...]}

`fetched_at` is in milliseconds since 1970 UTC; no items means that the code was not found. A line without its newline
at the end of the file is torn (the machine stopped while it was written) and is dropped; anything else that does not
check is damage, and the file is refused. NUL bytes at the end are room set aside. Knows nothing of parquet.
"""

from __future__ import annotations

import json
import os
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from enricher.disk import sync_folder
from enricher.errors import OutputError, StoreError
from enricher.model import SANDBOX_HOST, Answer, CodeType, Domain, Key

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FORMAT = 1
_ROOM_BYTES = 1024 * 1024
"""Set aside for the next reply: ten products are some 20 kB."""
_ROOM_STEP_BYTES = 4 * _ROOM_BYTES


class Journal:
    """An open journal, at its end. `answers` are those it held on opening; `torn` says that a torn line was dropped.

    There is always room set aside for the next reply: a disk that is full is found out before the reply is paid for.
    Raises StoreError where a line is damaged, of another host, or of a newer format, and OutputError as the disk does.
    """

    def __init__(self, path: Path, host: str) -> None:
        self.path = path
        self._header = to_line({"format": FORMAT, "host": host})
        self.answers, self._end, self.torn = read(path, host)
        self._room_end = 0
        try:
            self._file: BinaryIO = path.open("r+b" if path.exists() else "w+b", buffering=0)
        except OSError as error:
            raise OutputError(f"{path}: can't be written ({error.strerror})") from None
        try:
            if self._end == 0:
                self._write(self._header)
                sync_folder(path.parent)
            self._make_room()
        except BaseException:
            self.close()
            raise

    @property
    def is_empty(self) -> bool:
        """Whether it holds no answer."""
        return self._end == len(self._header)

    def append(self, answers: Iterable[Answer]) -> None:
        """Write answers; they are on disk when this returns. Raises OutputError.

        It is also raised when these are on disk, but no room is left for the next.
        """
        self._write(b"".join(to_line(_to_json(answer)) for answer in answers))
        self._make_room()

    def clear(self) -> None:
        """Forget everything, once the parquet file holds it."""
        self._file.truncate(0)
        self._end = self._room_end = 0
        self._write(self._header)
        self._make_room()

    def remove(self) -> None:
        """Close the journal and delete its file, once the parquet file holds everything."""
        self._file.close()
        self.path.unlink(missing_ok=True)
        sync_folder(self.path.parent)

    def close(self) -> None:
        """Give back the room set aside, and close."""
        if not self._file.closed:
            self._file.truncate(self._end)
            self._file.close()

    def _write(self, data: bytes) -> None:
        """Write all of `data` or none of it: after a failure (a full disk) the file ends where it did."""
        self._file.seek(self._end)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(self._end)
            raise OutputError(
                f"{self.path}: a paid reply can't be written down ({error.strerror}). Make room, then run again"
            ) from None
        self._end += len(data)

    def _make_room(self) -> None:
        if self._room_end - self._end >= _ROOM_BYTES or not hasattr(os, "posix_fallocate"):
            return
        for size_bytes in (_ROOM_STEP_BYTES, _ROOM_BYTES):
            try:
                os.posix_fallocate(self._file.fileno(), self._end, size_bytes)
            except OSError as error:
                failure = error
            else:
                self._room_end = self._end + size_bytes
                return
        raise OutputError(
            f"{self.path}: there is no room for the next reply ({failure.strerror}), so none was asked for. "
            f"Make room, then run again"
        )


def read(path: Path, host: str) -> tuple[list[Answer], int, bool]:
    """Read a journal; a missing file is an empty one.

    Returns its answers, its length in bytes as far as it is whole, and whether a torn line stood behind that. Raises
    StoreError.
    """
    try:
        data = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise StoreError(f"{path}: can't be read ({error.strerror})") from None
    data = data.rstrip(b"\0")  # room set aside by a run that was killed
    whole = data[: data.rfind(b"\n") + 1]
    if data and not whole and not to_line({"format": FORMAT, "host": host}).startswith(data):
        raise StoreError(
            f"{path} is not a journal of enricher. Move it away, or name another resume file: --store FILE"
        )
    answers = []
    for number, line in enumerate(whole.splitlines(), 1):
        payload = from_line(line)
        if payload is None:
            raise StoreError(
                f"{path.name} is damaged at line {number}. Nothing was changed. Restore it from a backup, or move it "
                f"away to go on without the answers in it (they would be paid for again)"
            )
        if number == 1:
            check_header(path, payload, host)
        else:
            answers.append(_from_json(payload))
    return answers, len(whole), len(whole) < len(data)


def check_header(path: Path, header: dict[str, Any], host: str) -> None:
    """Refuse a file of a newer format or of another service. Raises StoreError."""
    if header.get("format") != FORMAT:
        raise StoreError(
            f"{path.name} was written by a newer enricher (format {header.get('format')}): update enricher"
        )
    if header.get("host") != host:
        raise StoreError(
            f"{path.name} holds answers of {_called(str(header.get('host')))}, and this run asks {_called(host)}. "
            f"Keep them apart: give this run a resume file of its own with --store FILE.parquet"
        )


def _called(host: str) -> str:
    return "a sandbox on this machine" if host == SANDBOX_HOST else host


def to_line(payload: dict[str, Any]) -> bytes:
    """Write JSON as a line with its checksum."""
    text = json.dumps(payload, separators=(",", ":")).encode("ascii")
    return b"%b %b\n" % (_checksum(text), text)


def from_line(line: bytes) -> dict[str, Any] | None:
    """Read such a line; None where its checksum is wrong."""
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if checksum != _checksum(text):
        return None
    payload = json.loads(text)
    return payload if isinstance(payload, dict) else None


def _checksum(text: bytes) -> bytes:
    return b"%08x" % zlib.crc32(text)


def _to_json(answer: Answer) -> dict[str, Any]:
    return {
        "code_type": answer.key.code_type.value,
        "domain": answer.key.domain.value,
        "code": answer.key.code,
        "fetched_at": round(answer.fetched_at.timestamp() * 1000),
        "items": answer.items,
    }


def _from_json(payload: dict[str, Any]) -> Answer:
    key = Key(CodeType(payload["code_type"]), Domain(payload["domain"]), payload["code"])
    return Answer(key, tuple(payload["items"]), datetime.fromtimestamp(payload["fetched_at"] / 1000, UTC))
