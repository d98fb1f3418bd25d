"""Records as csv.reader cuts them: the careful way, for what the quick one can't vouch for.

Owns what is refused, and its line number. The bytes of a record are those of the lines that csv.reader took for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from enricher.errors import InputError
from enricher.sheets.csv.feed import MAX_RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from enricher.sheets.csv.feed import Feed
    from enricher.sheets.csv.texts import Mask, Positions


class ParsedBlock:
    """Consecutive records, each with the texts of its fields. See Block."""

    def __init__(self, records: Sequence[bytes], fields: Sequence[list[str]]) -> None:
        self.data = b"".join(records)
        self.starts: Positions = np.cumsum([0, *map(len, records[:-1])], dtype=np.int64)
        lengths = [len(record.rstrip(b"\r\n")) for record in records]
        self.ends: Positions = self.starts + lengths
        self.widths: Positions = np.array([len(texts) for texts in fields], np.int64)
        self._fields = fields

    @property
    def empty(self) -> Mask:
        return np.array([not any(texts) for texts in self._fields], np.bool_)

    def column(self, at: int, rows: slice) -> pa.StringArray:
        texts = (texts[at] if at < len(texts) else None for texts in self._fields[rows])
        return pa.array(texts, pa.string())


def parsed(feed: Feed) -> ParsedBlock:
    """Cut all that is pending into records, and what more the last of them needs. Raises InputError."""
    lines: list[bytes] = []  # of the record that is being read
    counts: list[int] = []  # how many lines the ones before had

    def refuse(why: str) -> InputError:
        line = feed.lines_left_behind() + sum(counts) + 1
        return InputError(f"{feed.name}, line {line}: {why}")

    def tee() -> Iterator[str]:
        size_bytes = 0
        for line in feed.lines():
            size_bytes = len(line) + (size_bytes if lines else 0)
            lines.append(line)
            if size_bytes > MAX_RECORD_BYTES and len(lines) == 1:
                mib = MAX_RECORD_BYTES // 1024**2
                raise refuse(f"it is longer than {mib} MiB, and so no row of a table. Is the file what it should be?")
            if size_bytes > MAX_RECORD_BYTES:
                break
            yield line.decode(feed.encoding, "replace")
        if lines:  # csv.reader wants more of this record, and there is no more
            raise refuse(
                "a double quote is opened and never closed, so the rest of the file would be one cell. "
                "Close it or double it, and run again"
            )

    records: list[bytes] = []
    fields: list[list[str]] = []
    wanted, taken = len(feed.pending), 0
    for texts in feed.dialect.reader(tee()):
        records.append(b"".join(lines))
        fields.append(texts)
        counts.append(len(lines))
        lines.clear()
        taken += len(records[-1])
        if taken >= wanted:
            break
    return ParsedBlock(records, fields)
