"""New values as the bytes to append to a record, in the file's own dialect. Each distinct piece is rendered once.

Works on whole columns: no value is looked at by itself but those that the file's encoding may lack.
"""

from __future__ import annotations

import mmap
import tempfile
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from enricher.sheets.csv.feed import delimiter_bytes, working_encoding
from enricher.sheets.csv.texts import BYTES, contents, joined, put, rows_not_ascii, rows_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from enricher.cells import Additions
    from enricher.sheets.csv.dialect import Dialect
    from enricher.sheets.csv.texts import Mask

_RENDERED_AT_ONCE = 10000
_FORMULA_STARTS = b"=+-@\t\r"
"""A spreadsheet that opens the CSV would take such a text for a formula and run it (OWASP, "CSV Injection")."""
_STARTS_FORMULA = np.isin(np.arange(256), np.frombuffer(_FORMULA_STARTS, np.uint8))
_SHORTEST_PLAIN, _LONGEST_PLAIN = 1e-4, 1e9
"""Between them Arrow writes a double as Python does, but for the ".0" of a whole one."""


class Renderer:
    """Renders the additions for one file; pieces start with the delimiter.

    The bytes are in the working encoding: UTF-8 for a file in UTF-16, else the file's own.
    """

    def __init__(self, dialect: Dialect, additions: Additions, folder: Path | None = None) -> None:
        self._dialect = dialect
        self._encoding = working_encoding(dialect)
        self._delimiter = delimiter_bytes(dialect)
        self._lacking = self._defused = 0
        blank = self._delimiter * len(additions.names)
        sizes = []
        # Pieces may be many times what a run else needs to remember, so they are on disk, and in memory as it allows.
        with tempfile.TemporaryFile(dir=folder) as file:
            for batch in additions.pieces.to_batches():
                for start in range(0, batch.num_rows, _RENDERED_AT_ONCE):
                    starts, data = contents(self._rendered(batch.slice(start, _RENDERED_AT_ONCE).columns))
                    sizes.append(np.diff(starts))
                    file.write(data.data)
            file.write(blank + b"\0")  # an empty file can't be mapped
            file.flush()
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._count = sum(map(len, sizes))
        offsets = np.cumsum(np.concatenate([[0], *sizes, [len(blank)]]), dtype=np.int64)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(mapped)]
        self._pieces = pa.LargeBinaryArray.from_buffers(BYTES, self._count + 1, buffers)

    def header(self, names: Sequence[str]) -> str:
        """Return what is appended to the record of the names."""
        columns = [pa.array([name], pa.string()) for name in names]
        if not columns:
            return ""
        return str(self._rendered(columns)[0].as_py().decode(self._encoding))

    def take(self, index: npt.NDArray[np.int32], is_record: Mask) -> pa.LargeBinaryArray:
        """Return the bytes of many pieces; null where `is_record` is False.

        -1 is a row that gets nothing but its delimiters.
        """
        return self._pieces.take(pa.array(np.where(index < 0, self._count, index), mask=~is_record))

    def warnings(self) -> list[str]:
        """Return what had to be changed in the new texts, for the user."""
        lines = []
        if self._lacking:
            what = f"{self._lacking:,} new texts have characters that {self._dialect.encoding} lacks"
            lines.append(f"{what}; they became '?'. An .xlsx output keeps them: -o NAME.xlsx")
        if self._defused:
            lines.append(f"{self._defused:,} new texts that look like formulas got a leading ' so that they stay text")
        return lines

    def _rendered(self, columns: Sequence[pa.Array]) -> pa.LargeBinaryArray:
        """Join the fields of every row, with a delimiter before each."""
        fields = [pa.nulls(len(columns[0]) if columns else 0, BYTES), *map(self._fields, columns)]
        return joined(*fields, between=self._delimiter)

    def _fields(self, column: pa.Array) -> pa.LargeBinaryArray:
        if pa.types.is_boolean(column.type):
            return pc.if_else(column, pa.scalar(b"TRUE", BYTES), pa.scalar(b"FALSE", BYTES))
        if pa.types.is_floating(column.type):
            return self._decimals(column)
        text = column.cast(pa.string()).cast(BYTES)
        return text if pa.types.is_integer(column.type) else self._texts(pc.fill_null(text, b""))

    def _decimals(self, column: pa.Array) -> pa.LargeBinaryArray:
        """Write doubles as repr does, with the file's decimal mark; infinities and NaN are nothing."""
        values = pc.fill_null(column, np.nan).to_numpy(zero_copy_only=False).astype(np.float64)
        size = np.abs(values)
        is_plain = (size < _LONGEST_PLAIN) & ((size >= _SHORTEST_PLAIN) | (size == 0))
        is_whole = is_plain & (np.trunc(values) == values)
        is_odd = np.isfinite(values) & ~is_plain
        text = pa.array(values).cast(pa.string()).cast(BYTES)
        text = pc.if_else(pa.array(is_whole), joined(text, b".0"), text)
        text = put(text, is_odd, [repr(value).encode() for value in values[is_odd].tolist()])
        text = pc.replace_substring(text, b".", self._dialect.decimal.encode())
        return pc.if_else(pa.array(is_plain | is_odd), text, pa.scalar(None, BYTES))

    def _texts(self, column: pa.LargeBinaryArray) -> pa.LargeBinaryArray:
        starts, data = contents(column)
        if not len(data):
            return column
        is_formula = _STARTS_FORMULA[data.take(starts[:-1], mode="clip")] & (starts[1:] > starts[:-1])
        if is_formula.any():
            self._defused += int(np.count_nonzero(is_formula))
            column = put(column, is_formula, joined(b"'", column.filter(pa.array(is_formula))))
            starts, data = contents(column)
        marks = [self._dialect.delimiter.encode("utf-8", "surrogatepass"), b"\n", b"\r"] + [
            b'"'
        ] * self._dialect.quoting
        held = data.tobytes()
        places = [np.flatnonzero(data == mark[0]) for mark in marks if mark in held]
        if places:
            is_special = rows_with(starts, np.concatenate(places))
            column = put(column, is_special, self._guarded(column.filter(pa.array(is_special)), marks))
        return column if self._encoding == "utf-8" or held.isascii() else self._encoded(column)

    def _guarded(self, column: pa.LargeBinaryArray, marks: Iterable[bytes]) -> pa.LargeBinaryArray:
        """Quote texts that hold marks of structure."""
        if self._dialect.quoting:
            return joined(b'"', pc.replace_substring(column, b'"', b'""'), b'"')
        for mark in marks:  # nothing can be quoted here, so nothing may need it
            column = pc.replace_substring(column, mark, b" ")
        return column

    def _encoded(self, column: pa.LargeBinaryArray) -> pa.LargeBinaryArray:
        """Turn UTF-8 into the file's encoding."""
        rows = rows_not_ascii(column)
        texts = [raw.decode() for raw in column.filter(pa.array(rows)).to_pylist()]
        encoded = [text.encode(self._encoding, "replace") for text in texts]
        self._lacking += sum(raw.decode(self._encoding) != text for raw, text in zip(encoded, texts, strict=True))
        return put(column, rows, encoded)
