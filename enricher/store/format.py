"""The resume file's format, byte by byte, so that others can read it. Owns its version, its lines and its header.

**NAME.parquet** is a plain Parquet file: zstd, every page with its checksum. Rows are appended in the order in which
answers came; an answer is one row a product, or a single row where the code was not found. A later answer to a key
does not erase an earlier one. The key of an answer is (code_type, domain, code); no two answers to a key have the same
fetched_at. Columns:

    code_type   string            asin, upc or ean
    domain      string            com ca de fr it nl es in uk jp au mx
    code        string            canonical: 10 characters of an ASIN, 12 digits of a UPC, 13 or 8 of an EAN
    outcome     string            found or not_found
    fetched_at  timestamp(ms,UTC) when the service said so
    item        int16             0, 1, 2 ... among the rows of one answer
    ...                           every field of `model.FIELDS`, by its name: string, double, int64, bool, list<string>
    raw         string            JSON object of what else the service said of the product; null: nothing

The footer's key-value metadata holds two entries besides Arrow's own:

    enricher      a line as described below, with {"format": 2, "host": ..., "outputs": {...}, "rows": n}
    enricher.seal {"crc32":"xxxxxxxx"}: the CRC-32 of the whole file, with 00000000 in the place of these digits

`host` is the service's, `localhost` for every server of the same machine. `outputs` are the files written from this
one, by their path relative to its folder, each with the SHA-256 digests of its last two versions. The API key is
nowhere.

**A line** is eight lower-case hexadecimal digits of CRC-32 (zlib's), a space, JSON in ASCII, and a newline; the CRC is
of the JSON's bytes.

**NAME.journal** holds what is not in the parquet file yet, as lines, and behind them NUL bytes to the end of the file:
room set aside, one byte at least. The first line is the header, {"format": 2, "host": ..., "answers": n}: the parquet
file held n answers when the journal began, and never holds fewer; one that does is another one. Every other line is a
commit, on disk as a whole before the next begins: either a list of answers

    [{"code_type": "upc", "domain": "com", "code": "012345678905", "fetched_at": 1767225600000, "items": [{...}]}, ...]

with fetched_at in milliseconds since 1970 UTC, the items as the service's JSON has them, and none where the code was
not found; or {"output": "catalog.enriched.xlsx", "digest": "..."}. A crash can tear the last commit alone: its
end is missing, or sectors of 512 bytes in it are NULs still, and it is dropped; where all that it lacks is its newline,
it counts. A journal that does not end in a NUL was cut short; a line that does not check and is not such a last one is
damage. Both are refused. An answer may be in both files, after a crash.

**NAME.lock** is locked (flock; LockFileEx on Windows) by the run that writes; its text,
{"pid": 4711, "machine": "pc-17"}, tells whose it is.

Format 1 had no seal; its journal had a line for each answer, no number in its header, and needed no NUL at its end.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from enricher.errors import StoreError, StoreUnreadableError
from enricher.model import SANDBOX_HOST

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 2
WAY_OUT = "Nothing was changed. Restore it from a backup, or choose another with --store FILE.parquet"


def to_line(payload: Any) -> bytes:
    """Write JSON as a line with its checksum."""
    text = json.dumps(payload, separators=(",", ":")).encode("ascii")
    return b"%b %b\n" % (_checksum(text), text)


def from_line(line: bytes) -> Any:
    """Read such a line, with or without its newline; None where its checksum is wrong."""
    checksum, _, text = line.removesuffix(b"\n").partition(b" ")
    try:
        return json.loads(text) if checksum == _checksum(text) else None
    except ValueError:  # of nothing at all the checksum is right
        return None


def _checksum(text: bytes) -> bytes:
    return b"%08x" % zlib.crc32(text)


def check_header(path: Path, header: Any, host: str | None) -> tuple[int, str]:
    """Return a header's format and host. Raises StoreError for a newer format, or another service than `host`."""
    version, of_host = (header.get("format"), header.get("host")) if isinstance(header, dict) else (None, None)
    if not isinstance(version, int) or not isinstance(of_host, str) or version < 1:
        raise StoreError(f"{path.name} has no header of a resume file. {WAY_OUT}")
    if version > FORMAT:
        raise StoreUnreadableError(f"{path.name} was written by a newer enricher (format {version}): update enricher")
    if host is not None and of_host != host:
        raise StoreError(
            f"{path.name} holds answers of {called(of_host)}, and this run asks {called(host)}. "
            f"Keep them apart: give this run a resume file of its own with --store FILE.parquet"
        )
    return version, of_host


def called(host: str) -> str:
    """Name a service for people."""
    return "a sandbox on this machine" if host == SANDBOX_HOST else host
