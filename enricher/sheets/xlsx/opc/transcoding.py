"""XML parts in other encodings than UTF-8, as UTF-8.

Owns how a part's encoding is known (XML 1.0, appendix F) and what its declaration says afterwards. Parses nothing else.
"""

from __future__ import annotations

import codecs
import re
from itertools import chain
from typing import TYPE_CHECKING

from enricher.errors import InputError
from enricher.sheets.xlsx.opc.refusals import AS_CSV

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DECLARED = re.compile(rb"""\A(?:\xef\xbb\xbf)?<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_DECLARATION = re.compile(r"""\A(<\?xml\s[^>]*?encoding\s*=\s*)(["'])[^"'>]*\2""")
_UTF8 = {"utf-8", "utf8", "us-ascii", "ascii"}
# ECMA-376 part 2 allows UTF-8 and UTF-16 alone; these single-byte ones are what else is met.
_TRANSCODED = {"iso-8859-1", "latin1", "windows-1252", "cp1252", "iso-8859-15"}
_STARTS = {
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    "<?".encode("utf-16-le"): "utf-16-le",
    "<?".encode("utf-16-be"): "utf-16-be",
}
_HEAD_BYTES = 256


def as_utf8(chunks: Iterable[bytes], where: str) -> Iterator[bytes]:
    """Hand on a part's bytes, as they are if they are UTF-8, else as UTF-8 and declared so. Raises InputError."""
    pieces = iter(chunks)
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= _HEAD_BYTES:
            break
    encoding = _encoding_of(head, where)
    everything = chain([head], pieces) if head else pieces
    return everything if encoding is None else _transcoded(everything, encoding, where)


def _encoding_of(head: bytes, where: str) -> str | None:
    """Return None for UTF-8, and for what the parser will refuse anyway."""
    for start, encoding in _STARTS.items():
        if head.startswith(start):
            return encoding
    match = _DECLARED.match(head)
    name = match[1].decode().lower() if match else "utf-8"
    if name in _UTF8 or name.startswith("utf-16"):  # that of a file that isn't: damaged
        return None
    if name in _TRANSCODED:
        return name
    raise InputError(
        f"{where}: a part of the workbook is stored as {name}, which no spreadsheet program writes. "
        f"Open it in Excel and save it again, or {AS_CSV}."
    )


def _transcoded(chunks: Iterable[bytes], encoding: str, where: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    first = True
    try:
        for piece, last in chain(((chunk, False) for chunk in chunks), [(b"", True)]):
            text = decoder.decode(piece, last)
            if not text:
                continue
            if first:
                text = _DECLARATION.sub(r"\1\2UTF-8\2", text, count=1)
                first = False
            yield text.encode()
    except UnicodeError:
        raise InputError(
            f"{where}: a part of the workbook is not in the encoding it names ({encoding}). "
            f"Open it in Excel, let it repair the file, save and retry, or {AS_CSV}."
        ) from None
