"""Which encoding a text file is in, by its bytes alone. Whatever is answered, no byte is lost by it.

An answer is only ever a codec that gives back every byte it was given. How well a guess reads, `alphabets` knows; what
the text means, `dialect`.
"""

from __future__ import annotations

import codecs
import os
import re
import unicodedata
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import charset_normalizer

from enricher.errors import InputError
from enricher.sheets.csv.alphabets import best_reading

if TYPE_CHECKING:
    from pathlib import Path

OFFERED = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16, big-endian",
    "cp1252": "Western European (cp1252)",
    "cp850": "Western European, DOS (cp850)",
    "cp437": "American, DOS (cp437)",
    "mac_roman": "Western European, old Mac (mac_roman)",
    "cp1250": "Central European (cp1250)",
    "iso8859_2": "Central European (iso8859_2)",
    "cp852": "Central European, DOS (cp852)",
    "cp1254": "Turkish (cp1254)",
    "cp1257": "Baltic (cp1257)",
    "cp1251": "Cyrillic (cp1251)",
    "cp866": "Cyrillic, DOS (cp866)",
    "koi8_r": "Cyrillic (koi8_r)",
    "cp1253": "Greek (cp1253)",
    "cp1255": "Hebrew (cp1255)",
    "cp1256": "Arabic (cp1256)",
    "shift_jis": "Japanese (shift_jis)",
    "gb18030": "Chinese (gb18030)",
    "cp949": "Korean (cp949)",
}
"""Codecs that give back any bytes at all, with the names a user knows them by. Not latin-1: as browsers do, it is read
as cp1252, which differs where latin-1 has control characters that nobody types."""

OFFERED_WHERE_SEEN_TO_COME_BACK = {"cp932": "Japanese (cp932)", "cp950": "Traditional Chinese (cp950)"}
"""Codecs that decode a few pairs of bytes to a character that has another pair too (cp932: 398 pairs). Only for a file
that was tried whole."""

NAMES = OFFERED | OFFERED_WHERE_SEEN_TO_COME_BACK
_INSTEAD = {"cp932": "shift_jis", "cp950": "cp1252"}
_TRIED_WHOLE_BYTES = 256 * 1024 * 1024  # a second and a half
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_HEAD_BYTES = 1024 * 1024
_BLOCK_BYTES = 1024 * 1024
_SLOTS = 1024
_WINDOW_BYTES = 4096
_TELLING_BYTES = 32 * 1024
_NUL_SHARE = 0.05
_CONTROLS = bytes({*range(1, 32), 127} - {*b"\t\n\v\f\r\x1a\x1b"})
_CONTROLS_SHARE = 0.03
"""Of the bytes of compressed data, of pictures and programs 8 % and more are control characters."""
_LOOKED_AT_CHARS = 4096
_STRANGE_SHARE = 0.1
_OTHER_THINGS = {
    b"%PDF-": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"{\\rtf": "a document of a word processor (RTF)",
    b"\x1f\x8b\x08": "a compressed file (gzip): unpack it first",
    b"7z\xbc\xaf": "a compressed file (7z): unpack it first",
    b"Rar!\x1a": "a compressed file (rar): unpack it first",
}
_FOREIGN = re.compile(rb"[\x80-\xff]")
_UTF8_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
_LOST = "\ufffd".encode()
_CUT_SEQUENCE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{0,2}\Z")


class Opening(NamedTuple):
    """How a file starts, as text without its byte order mark, and its codec."""

    encoding: str
    has_bom: bool
    text: str
    is_cut: bool


def errors_of(encoding: str) -> str:
    """Name the error handler that gives back undecodable bytes as they were."""
    return "surrogatepass" if encoding.startswith("utf-16") else "surrogateescape"


def read_opening(path: Path) -> Opening:
    """Find the encoding and read the first MB in it. Raises InputError for what is empty or no text."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.strip():
        raise InputError(f"{path.name} is empty")
    refusal = f"{path.name} is neither a spreadsheet nor a table of text"
    for start, what in _OTHER_THINGS.items():
        if head.startswith(start):
            raise InputError(f"{refusal}, but {what}")
    encoding, bom = find_encoding(path, head)
    wide = encoding.startswith("utf-16")
    text = head[len(bom) :].decode(encoding, "ignore" if wide else "replace")
    if not text.strip():
        raise InputError(f"{path.name} is empty")
    if _is_no_text(text.encode(errors="replace") if wide else head) or (wide and _is_strange(text)):
        raise InputError(refusal)
    return Opening(encoding, bool(bom), text, len(head) == _HEAD_BYTES)


def _is_no_text(data: bytes) -> bool:
    """Judge by the share of control characters: some, and NULs, occur in real tables."""
    nuls = data.count(0)
    controls = len(data) - len(data.translate(None, _CONTROLS))
    return nuls > len(data) // 2 or controls > (len(data) - nuls) * _CONTROLS_SHARE


def _is_strange(text: str) -> bool:
    """Say whether much of a text in UTF-16 is no character at all, as when any two bytes are taken for one."""
    some = text[:_LOOKED_AT_CHARS]
    return sum(unicodedata.category(char) in {"Cn", "Co", "Cs"} for char in some) > len(some) * _STRANGE_SHARE


def find_encoding(path: Path, head: bytes) -> tuple[str, bytes]:
    """Name the codec of a file that starts with `head`, with the byte order mark it has.

    The whole file counts (up to 2 GiB; of more, evenly spaced blocks). Raises InputError for UTF-32, and for UTF-16
    that is cut in the middle of a character.
    """
    if head.startswith(_UTF32):
        raise InputError(f"{path.name} is in UTF-32, which is not read. Save it as UTF-8 and run again")
    for bom, name in _BOMS:
        if head.startswith(bom):
            _check_whole(path, name)
            return name, bom
    wide = _utf16_without_bom(head)
    if wide is not None:
        _check_whole(path, wide)
        return wide, b""
    with path.open("rb") as file:
        foreign = _foreign_lines(file)
        if not foreign or _is_utf8(foreign):
            return "utf-8", b""
        name = _by_reading(foreign)
        if name in _INSTEAD and not _comes_back(file, name):
            name = _INSTEAD[name]
    return name, b""


def _check_whole(path: Path, encoding: str) -> None:
    if encoding.startswith("utf-16") and path.stat().st_size % 2:
        raise InputError(
            f"{path.name} is in UTF-16 but ends in the middle of a character: it was cut off, or something was added "
            f"to it in another encoding. Export it again"
        )


def _utf16_without_bom(head: bytes) -> str | None:
    """Every other byte of ASCII in UTF-16 is zero; of Chinese few are, but digits and line breaks are everywhere."""
    first, second = head[0::2].count(0), head[1::2].count(0)
    few = max(len(head) // 2 * _NUL_SHARE, 2)
    for zeros, others, name in ((second, first, "utf-16-le"), (first, second, "utf-16-be")):
        if zeros > few and others < zeros * _NUL_SHARE:
            text = head[: len(head) // 2 * 2].decode(name, "replace")
            if text.count("\ufffd") <= len(text) * _NUL_SHARE and re.search("[\r\n,;\t|]", text):
                return name
    return None


def _foreign_lines(file: BinaryIO) -> list[bytes]:
    """Collect lines that hold bytes beyond ASCII, from the whole file: at most one window of a few lines a block.

    The byte that decides may come at 5 MB. `isascii` runs at several GB/s, so all blocks are asked.
    """
    slot = max(_BLOCK_BYTES, os.fstat(file.fileno()).st_size // _SLOTS)
    lines: list[bytes] = []
    start = 0
    while True:
        file.seek(start)
        block = file.read(min(slot, 2 * _BLOCK_BYTES))
        if not block:
            return lines
        if not block.isascii():
            lines += [line for line in _window(block).splitlines() if not line.isascii()]
        start += slot


def _window(block: bytes) -> bytes:
    """Return whole lines around the first foreign byte of a block, as far as there are whole ones."""
    found = _FOREIGN.search(block)
    first = found.start() if found else 0
    start = block.rfind(b"\n", max(0, first - _WINDOW_BYTES), first) + 1 or first
    end = block.rfind(b"\n", first, start + _WINDOW_BYTES)
    if end < 0:
        return _CUT_SEQUENCE.sub(b"", block[start : start + _WINDOW_BYTES].lstrip(bytes(range(0x80, 0xC0))))
    return block[start:end]


def _is_utf8(lines: list[bytes]) -> bool:
    """Say whether more of the foreign bytes are whole UTF-8 characters than are not.

    A stray byte doesn't make a UTF-8 file anything else; other encodings form such sequences by chance at most once in
    eight characters (Chinese). U+FFFD proves nothing: some program before left it in place of what it could not read.
    """
    whole = stray = 0
    for line in lines:
        found = _UTF8_SEQUENCE.findall(line)
        whole += len(found) - found.count(_LOST)
        stray += len(_FOREIGN.findall(line)) - sum(map(len, found))
    return whole > stray or not stray


def _by_reading(lines: list[bytes]) -> str:
    some = lines[:: sum(map(len, lines)) // _TELLING_BYTES + 1]
    telling = b"\n".join(some)[:_TELLING_BYTES].replace(_LOST, b"")
    name = best_reading(telling)
    if name is None:  # none reads well; another opinion, of those that lose nothing
        best = charset_normalizer.from_bytes(telling, cp_isolation=[*OFFERED][3:]).best()
        name = best.encoding if best is not None and best.encoding in OFFERED else "cp1252"
    return name


def _comes_back(file: BinaryIO, encoding: str) -> bool:
    """Say whether every byte of the file comes back through the codec."""
    if os.fstat(file.fileno()).st_size > _TRIED_WHOLE_BYTES:
        return False
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)(errors_of(encoding))
    pending = b""
    while block := file.read(_BLOCK_BYTES):
        pending += block
        back = decoder.decode(block).encode(encoding, errors_of(encoding))
        if not pending.startswith(back):
            return False
        pending = pending[len(back) :]
    return decoder.decode(b"", final=True).encode(encoding, errors_of(encoding)) == pending
