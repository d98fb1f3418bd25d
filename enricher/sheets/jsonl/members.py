"""The new columns as members to put into objects; each distinct answer is written once. Knows no file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from enricher.sheets.jsonl.tokens import joined, tokens_of_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from enricher.cells import Additions

_ENCODED_AT_ONCE = 10_000


class NewMembers:
    """The additions as JSON under the names they get in the file: all names in every answer, null for what it lacks."""

    def __init__(self, additions: Additions, names: Sequence[str]) -> None:
        texts = bytearray()  # one that grows: the whole and its parts side by side would be twice as much memory
        ends = [np.zeros(1, np.int64)]
        for batch in additions.pieces.to_batches():
            for part in _parts(batch):
                written = joined(names, [tokens_of_values(column) for column in part.columns])
                _append(written, texts, ends)
        _append(joined(names, [pa.array(["null"], pa.large_string())] * len(names)), texts, ends)
        offsets = np.concatenate(ends)
        self._nulls = len(offsets) - 2
        self._texts = pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(texts)]
        )

    def texts(self, index: npt.NDArray[np.int32]) -> list[bytes]:
        """Return the members of each row, nothing for a row that gets nothing."""
        texts: list[bytes | None] = self._texts.take(pa.array(index, mask=index < 0)).to_pylist()
        return [text or b"" for text in texts]

    def texts_or_nulls(self, index: npt.NDArray[np.int32]) -> pa.LargeStringArray:
        """Return the members of each row, every name with null for a row that gets nothing."""
        return self._texts.take(pa.array(np.where(index < 0, self._nulls, index))).cast(pa.large_string())


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(batch), _ENCODED_AT_ONCE):
        yield batch.slice(start, _ENCODED_AT_ONCE)


def _append(written: pa.LargeStringArray, texts: bytearray, ends: list[npt.NDArray[np.int64]]) -> None:
    """Put some texts behind those that are there, and note where each one ends."""
    _, offsets_buffer, data = written.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int64)[written.offset : written.offset + len(written) + 1]
    ends.append(offsets[1:] - offsets[0] + len(texts))
    texts += memoryview(data)[offsets[0] : offsets[-1]] if data is not None else b""
