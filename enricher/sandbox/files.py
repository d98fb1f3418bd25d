"""Catalog files -> rows, as text or as the file types them: CSV, JSON Lines, parquet.

Owns the reading of the three formats and the number of each row. Knows nothing of what the columns mean.
"""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from enricher.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Row: TypeAlias = tuple[int, dict[str, Any]]
"""A row's number as the user's program shows it, and its values by column."""


def read_rows(path: Path) -> Iterator[Row]:
    """Read a catalog file, by the ending of its name; codes keep their leading zeros.

    Raises InputError naming the file, and the row where there is one.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: a catalog is a {', '.join(_READERS)} file. Save it as one of these.")
    try:
        yield from reader(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}. Check the name and try again.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text. Save it as UTF-8 and try again.") from error


def _csv(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        file.seek(0)
        reader = csv.reader(file, delimiter=max(",;\t", key=header.count), strict=True)
        number = 0
        try:
            names = [name.strip() for name in next(reader, [])]
            number = 1
            twice = next((name for name in names if name and names.count(name) > 1), None)
            if twice is not None:
                raise InputError(f"{path}, row 1: has two columns {twice!r}. Keep one of them.")
            for number, values in enumerate(reader, start=2):
                if len(values) > len(names):
                    raise InputError(
                        f"{path}, row {number}: has {len(values)} values for {len(names)} columns. "
                        "Put quotes around a value that holds the delimiter."
                    )
                if values:
                    yield number, dict(zip(names, values, strict=False))
        except csv.Error as error:
            raise InputError(f"{path}, row {number + 1}: is no CSV ({error}).") from error


def _jsonl(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise InputError(f"{path}, row {number}: is no JSON ({error}).") from error
            if not isinstance(row, dict):
                raise InputError(f"{path}, row {number}: is no JSON object. Write one product a line.")
            yield number, row


def _parquet(path: Path) -> Iterator[Row]:
    try:
        with pq.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches():
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except pa.ArrowException as error:
        raise InputError(f"{path}: is no readable parquet file ({error}).") from error


_READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
}
