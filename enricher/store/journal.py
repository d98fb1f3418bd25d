"""The journal: paid replies as lines of text, each on disk before anything else happens with it.

`format` describes it. Knows nothing of parquet.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Any, BinaryIO

from enricher.disk import sync_folder
from enricher.errors import OutputError
from enricher.store.answers import to_ms
from enricher.store.file import discard, partial_of
from enricher.store.format import FORMAT, to_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from enricher.model import Answer
    from enricher.store.replay import Contents

_ROOM_BYTES = 1024 * 1024
"""Set aside for the next replies: ten products are some 20 kB, and 32 requests may be under way."""
_ROOM_STEP_BYTES = 2 * _ROOM_BYTES
_BLOCK_BYTES = 1024 * 1024
_NOT_OFFERED = {errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS}


class Journal:
    """A journal, open for writing at its end. `contents` is what it holds; None: there is none yet.

    `answers_before` is how many the parquet file has. `begun` counts how often it has begun anew.

    There is always room set aside for the next replies: a disk that is full is found out before they are paid for.
    Raises OutputError as the disk does.
    """

    def __init__(self, path: Path, host: str, contents: Contents | None, answers_before: int) -> None:
        self.path = path
        self._host = host
        self._room_end = 0
        self._is_broken = False
        self.begun = 0
        self._file: BinaryIO | None = None
        self.start, self.end = (0, 0) if contents is None else (contents.start, contents.end)
        try:
            if contents is None:
                self._begin(0, answers_before)
            else:
                self._file = path.open("r+b", buffering=0)
                self._clean(contents)
            self.make_room()
        except OSError as error:
            self.close()
            raise OutputError(f"{path}: can't be written ({error.strerror})") from None
        except BaseException:
            self.close()
            raise

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing."""
        return self.end == self.start

    def append(self, answers: Sequence[Answer]) -> None:
        """Write answers as one commit; they are on disk when this returns. Raises OutputError.

        It is also raised when these are on disk, but no room is left for the next.
        """
        self._commit([_to_json(answer) for answer in answers])

    def note_output(self, name: str, digest: str) -> None:
        """Write down an output as one commit, as `append` does."""
        self._commit({"output": name, "digest": digest})

    def forget(self, end: int, answers_before: int) -> None:
        """Begin anew with what stands behind byte `end`, once the parquet file holds the rest: so many answers.

        Raises OutputError.
        """
        try:
            self._begin(end, answers_before)
        except OSError as error:
            raise OutputError(f"{self.path}: can't be written ({error.strerror})") from None

    def make_room(self) -> None:
        """Set room aside for the next replies. Raises OutputError."""
        try:
            self._reserve(_ROOM_BYTES)
        except OSError as error:
            raise OutputError(
                f"{self.path}: there is no room for the next reply ({error.strerror}), so none was asked for. "
                f"Make room, then run again"
            ) from None

    def remove(self) -> None:
        """Close the journal and delete its file, once the parquet file holds everything."""
        self.close()
        with contextlib.suppress(OSError):  # where it stays, its answers are in both files, which is no harm
            self.path.unlink(missing_ok=True)
            sync_folder(self.path.parent)

    def close(self) -> None:
        """Give back the room set aside but for one byte, and close."""
        if self._file is not None and not self._file.closed:
            if not self._is_broken:
                with contextlib.suppress(OSError):  # the room is no harm
                    self._file.truncate(self.end + 1)
            self._file.close()

    @property
    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise ValueError("the journal is closed")
        return self._file

    def _clean(self, contents: Contents) -> None:
        """Put right what a crash left."""
        if contents.unended:
            self._write_at(self.end - 1, b"\n")
        self._wipe(contents.behind)

    def _begin(self, first: int, answers_before: int) -> None:
        """Put a new journal in place, with what the one before holds from byte `first`.

        It is there as a whole or not at all: one with less than its header is damage and nothing else.
        """
        header = to_line({"format": FORMAT, "host": self._host, "answers": answers_before})
        partial = partial_of(self.path)
        file: BinaryIO = partial.open("w+b", buffering=0)
        try:
            _write(file, header)
            for start in range(first, self.end, _BLOCK_BYTES):
                _write(file, self._read_at(start, min(_BLOCK_BYTES, self.end - start)))
            _write(file, b"\0")
            os.fsync(file.fileno())
            if os.name == "nt":
                file = self._replace_closed(file, partial)
            else:
                partial.replace(self.path)
        except BaseException:
            file.close()
            raise
        finally:
            discard(partial)
        if self._file is not None:
            self._file.close()
        self._file = file
        self.start, self.end, self._room_end = len(header), len(header) + self.end - first, 0
        self.begun += 1
        sync_folder(self.path.parent)  # last: where this fails, what comes goes to the new one all the same

    def _replace_closed(self, file: BinaryIO, partial: Path) -> BinaryIO:
        """Do as Windows wants it, which replaces no file that is open."""
        file.close()
        self._is_broken = True  # until there is an open one again
        if self._file is not None:
            self._file.close()
        partial.replace(self.path)
        file = self.path.open("r+b", buffering=0)
        self._is_broken = False
        return file

    def _commit(self, payload: Any) -> None:
        """Write all of a line or none of it. What is paid for is worth a second try."""
        data = to_line(payload)
        failure = self._try(data) and self._try(data)
        if failure:
            raise OutputError(f"{self.path}: a paid reply can't be written down ({failure}). Make room, then run again")
        self.end += len(data)
        self.make_room()

    def _try(self, data: bytes) -> str:
        """Write a line; return what went wrong, if anything."""
        if self._is_broken:
            return "an earlier write failed"
        try:
            self._reserve(len(data) + 1)
            self._write_at(self.end, data)
        except OSError as error:
            try:
                self._wipe(self.end + len(data))
            except OSError:
                self._is_broken = True  # what stands there now would garble what is written over it
            return str(error.strerror)
        return ""

    def _read_at(self, at: int, size_bytes: int) -> bytes:
        file = self._opened
        file.seek(at)
        data = file.read(size_bytes)
        if data is None or len(data) < size_bytes:
            raise OSError(errno.EIO, "read in part")
        return data

    def _write_at(self, at: int, data: bytes) -> None:
        file = self._opened
        file.seek(at)
        _write(file, data)
        os.fsync(file.fileno())

    def _wipe(self, behind: int) -> None:
        """Make room again of what stands between the last whole line and byte `behind`."""
        if behind > self.end:
            self._write_at(self.end, bytes(behind - self.end))

    def _reserve(self, size_bytes: int) -> None:
        if self._room_end - self.end >= size_bytes:
            return
        try:
            self._allocate(max(size_bytes, _ROOM_STEP_BYTES))
        except OSError:
            self._allocate(size_bytes)

    def _allocate(self, size_bytes: int) -> None:
        try:
            os.posix_fallocate(self._opened.fileno(), self.end, size_bytes)
        except (AttributeError, OSError) as error:
            if isinstance(error, OSError) and error.errno not in _NOT_OFFERED:
                raise
            self._opened.truncate(self.end + size_bytes)  # a system or a disk that sets nothing aside
        os.fsync(self._opened.fileno())  # after a power cut the file must not end in the middle of a commit
        self._room_end = self.end + size_bytes


def _write(file: BinaryIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) or 0 :]


def _to_json(answer: Answer) -> dict[str, Any]:
    code_type, domain, code = answer.key
    return {
        "code_type": code_type.value,
        "domain": domain.value,
        "code": code,
        "fetched_at": to_ms(answer),
        "items": answer.items,
    }
