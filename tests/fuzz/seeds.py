"""The whole files that mutants are made of: made in the run, and any that are given.

Owns what is in them. Knows nothing of how they are damaged.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.codes import EANS
from tests.fuzz.seed_texts import texts
from tests.fuzz.seed_workbooks import workbooks

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST_TEXT_BYTES = 60_000
_LARGEST_BYTES = 1_500_000
_SLOW_BYTES = 100_000
_ZIP = b"PK\x03\x04"
_PARQUET = b"PAR1"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


@dataclass(frozen=True, slots=True)
class Seed:
    """A whole file. `kind` is what it is: zip, text, parquet or binary. `weight` is how often it is taken."""

    name: str
    data: bytes
    kind: str
    weight: float = 1.0

    @property
    def suffix(self) -> str:
        return "." + self.name.rpartition(".")[2]


def made() -> list[Seed]:
    """Make the seeds; the same files each time but for their writers' time stamps."""
    found = [Seed(name, data, "zip", 5.0) for name, data in workbooks().items()]
    found += [Seed(name, data, "text", 1.5) for name, data in texts().items()]
    table = pq.read_table(io.BytesIO(_parquet()))
    lines = "".join(f"{line}\n" for line in _json_lines(table))
    return [*found, Seed("types.parquet", _parquet(), "parquet", 4.0), Seed("types.jsonl", lines.encode(), "text", 4.0)]


def given(folder: Path) -> list[Seed]:
    """Take the files of a folder. Long texts are cut: what they teach is in their first lines."""
    found = []
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.suffix in {".md", ".json"} or path.stat().st_size > 4 * _LARGEST_BYTES:
            continue
        data = path.read_bytes()
        if data.startswith((_ZIP, _OLE, _PARQUET)):
            kind = {_ZIP: "zip", _PARQUET: "parquet"}.get(data[:4], "binary")
            if len(data) <= _LARGEST_BYTES:
                found.append(Seed(path.name, data, kind, 0.2 if len(data) > _SLOW_BYTES else 3.0))
        else:
            found.append(Seed(path.name, _cut(data), "text"))
    return found


def _cut(data: bytes) -> bytes:
    """Cut a long text behind a record: where a line ends and no quote is open."""
    if len(data) <= _LARGEST_TEXT_BYTES:
        return data
    end = _LARGEST_TEXT_BYTES
    while end and data.count(b'"', 0, end) % 2:
        end = data.rfind(b"\n", 0, end - 1) + 1
    return data[: data.rfind(b"\n", 0, end) + 1] or data


def _parquet() -> bytes:
    count = len(EANS)
    table = pa.table(
        {
            "EAN": pa.array(EANS),
            "number": pa.array([int(ean) for ean in EANS]),
            "double": pa.array([float(at) / 3 for at in range(count)]),
            "bool": pa.array([None if at % 3 == 0 else at % 2 == 0 for at in range(count)]),
            "list": pa.array([["a", str(at)] for at in range(count)]),
            "word": pa.array(["one", "two", None] * (count // 3)).dictionary_encode(),
            "day": pa.array([at * 86_400_000 for at in range(count)], pa.timestamp("ms")),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=7, write_page_checksum=True)
    return sink.getvalue()


def _json_lines(table: pa.Table) -> list[str]:
    rows = table.drop_columns(["day"]).to_pylist()
    rows[3] = {}
    rows[5]["later"] = {"deep": [1, {"er": None}]}
    return [json.dumps(row, ensure_ascii=at % 2 == 0) for at, row in enumerate(rows)]
