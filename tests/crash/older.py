"""A resume file of format 1, as a run that was killed left it."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from enricher.model import Answer, CodeType, Domain, Key
from enricher.store.rows import SCHEMA, to_table
from tests.crash.scene import HOST
from tests.crash.service import code_at, items_of

if TYPE_CHECKING:
    from pathlib import Path

_THEN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def write_format_1(parquet: Path, in_file: range, in_journal: range) -> None:
    """Write a parquet file and a journal beside it with the answers to these codes; of one more there is a part."""
    rows = to_table([_answer(number) for number in in_file])
    header = {"format": 1, "host": HOST, "outputs": {}, "rows": len(rows)}
    schema = SCHEMA.with_metadata({b"enricher": _line(header)})
    pq.write_table(rows.cast(schema), parquet, compression="zstd", write_page_checksum=True)
    answers = [_answer(number) for number in (*in_journal, in_journal.stop)]
    told = [
        {**answer.key._asdict(), "fetched_at": round(_THEN.timestamp() * 1000), "items": answer.items}
        for answer in answers
    ]
    lines = b"".join(map(_line, [{"format": 1, "host": HOST}, *told]))
    parquet.with_suffix(".journal").write_bytes(lines[:-20])


def _answer(number: int) -> Answer:
    return Answer(Key(CodeType.EAN, Domain.COM, code_at(number)), tuple(items_of(number)), _THEN)


def _line(payload: dict[str, Any]) -> bytes:
    text = json.dumps(payload, separators=(",", ":")).encode()
    return b"%08x %b\n" % (zlib.crc32(text), text)
