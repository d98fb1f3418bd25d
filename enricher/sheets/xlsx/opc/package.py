"""The zip: its members, their relationships, and a copy of it in which only named members differ.

Owns how parts are read, within limits, and that all others travel as their compressed bytes. Knows no worksheet.
"""

from __future__ import annotations

import lzma
import posixpath
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import unquote

from enricher.sheets.xlsx.opc.container import open_zip
from enricher.sheets.xlsx.opc.copying import copy_member, fresh_header
from enricher.sheets.xlsx.opc.limits import NO_LIMITS, Limits
from enricher.sheets.xlsx.opc.markup import elements
from enricher.sheets.xlsx.opc.refusals import fetch_again, unsound
from enricher.sheets.xlsx.opc.transcoding import as_utf8
from enricher.sheets.xlsx.opc.xml_guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

CHUNK_BYTES = 1 << 18
MAX_SMALL_PART_BYTES = 64 << 20
"""Of parts that are read whole; their elements are counted, too. Office's largest are styles of some 10 MB."""
# What zipfile and the decompressors raise for bytes that are not what they should be; OSError is bz2's word for it.
_DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    OSError,
    struct.error,
    ValueError,
)
SURELY_PLAIN_BYTES = 3 << 29
"""Under this, whatever a part grows by, Python's zipfile gets along without zip64."""


class Relationship(NamedTuple):
    """One line of a .rels part: id, the last word of its type, and the part it leads to ("" outside the file)."""

    id: str
    kind: str
    target: str


class Package:
    """An open workbook file. Part names are zip names: no leading slash, compared regardless of case."""

    def __init__(self, path: Path, limits: Limits = NO_LIMITS) -> None:
        self.path = path
        self._limits = limits
        self._zip = open_zip(path, limits)
        self._members = {member.filename.replace("\\", "/").lower(): member for member in self._zip.infolist()}
        self._total_bytes = sum(member.file_size for member in self._members.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def names(self) -> list[str]:
        """Return the names of all members in their order."""
        return [member.filename for member in self._zip.infolist()]

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._members

    def size_bytes(self, name: str) -> int:
        """Return the inflated size of a part, as the directory has it."""
        return self._member(name).file_size

    def read(self, name: str) -> bytes:
        """Read a small XML part whole, as UTF-8. Raises InputError."""
        size_bytes = self._member(name).file_size
        if size_bytes > MAX_SMALL_PART_BYTES:
            raise unsound(
                self.path.name, f"{name} is {size_bytes >> 20:,} MB, and {MAX_SMALL_PART_BYTES >> 20} are plenty"
            )
        return b"".join(self.stream(name))

    def stream(self, name: str, *, held: bool = False) -> Iterator[bytes]:
        """Read an XML part in pieces, as UTF-8; its checksum has been verified when the last one is out.

        `held` says that what it says will be held in memory. Raises InputError.
        """
        member = self._member(name)
        sizes = (member.file_size, member.compress_size)
        self._limits.check_part(self.path.name, name, sizes, self._total_bytes, held=held)
        where = f"{self.path.name}: {name} inside the file"
        chunks = as_utf8(self._inflated(member, where), where)
        yield from chunks if self._limits is NO_LIMITS else guarded(chunks, where)

    def _inflated(self, member: zipfile.ZipInfo, where: str) -> Iterator[bytes]:
        """Inflate a member: never more than the directory says, or its checksum is wrong."""
        try:
            with self._zip.open(member) as part:
                while chunk := part.read(CHUNK_BYTES):
                    yield chunk
        except _DAMAGES as error:
            raise fetch_again(where, f"it is damaged ({str(error)[:100] or 'it ends too early'})") from None

    def sums(self, but: Collection[str]) -> list[tuple[int, int]]:
        """Return checksum and size of all parts in their order, but for those whose lower-case name is given."""
        members = self._zip.infolist()
        return [(one.CRC, one.file_size) for one in members if one.filename.replace("\\", "/").lower() not in but]

    def relationships(self, name: str) -> list[Relationship]:
        """Return where a part ("" for the package) leads to."""
        folder, base = posixpath.split(name)
        rels = posixpath.join(folder, "_rels", f"{base}.rels")
        if rels not in self:
            return []
        found = []
        for element in elements(self.read(rels), self.path.name):
            if element.name == "Relationship":
                attributes = element.attributes
                target = attributes.get("Target", "")
                inside = attributes.get("TargetMode") != "External" and target
                target = posixpath.normpath(posixpath.join("/", folder, target))[1:] if inside else ""
                if target and target not in self:  # it is a URI, where a space is %20
                    target = unquote(target)
                kind = attributes.get("Type", "").rpartition("/")[2]
                found.append(Relationship(attributes.get("Id", ""), kind, target))
        return found

    def copy(
        self,
        target: Path,
        replaced: Mapping[str, bytes],
        streamed: Mapping[str, Callable[[], Iterator[bytes]]],
        grown_bytes: int = 0,
    ) -> None:
        """Write the package to `target`, same members in the same order, all but the named ones byte for byte.

        `replaced` and `streamed` are by lower-case name; the streamed parts grow by about `grown_bytes`. The same
        input gives the same bytes: a rewritten member keeps the date of the one it stands for. Raises InputError for
        a damaged original, and OSError.
        """
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out, self.path.open("rb") as raw:
            out.comment = self._zip.comment
            for member in self._zip.infolist():
                key = member.filename.replace("\\", "/").lower()
                if key in replaced:
                    with out.open(fresh_header(member), "w") as part:
                        part.write(replaced[key])
                elif key in streamed:
                    # The size is known only at the end, but whether it takes zip64 must be said at the start.
                    # Not always: Excel offers to "repair" a file with zip64 where none is needed.
                    large = member.file_size + grown_bytes > SURELY_PLAIN_BYTES
                    with out.open(fresh_header(member), "w", force_zip64=large) as part:
                        for chunk in streamed[key]():
                            part.write(chunk)
                else:
                    try:
                        copy_member(raw, member, out)
                    except zipfile.BadZipFile as error:
                        raise fetch_again(self.path.name, f"it is damaged ({error!s:.100})") from None

    def _member(self, name: str) -> zipfile.ZipInfo:
        try:
            return self._members[name.lower()]
        except KeyError:
            raise unsound(self.path.name, f"the file lacks its part {name}") from None
