"""The third look: the file just written is read back before anyone is told that it is done.

Owns what is checked: checksums, that the parts are well-formed, the number of rows, the names in the header and a
selection of rows. Trusts nothing of the splice but where it says the rows are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from enricher.errors import InputError, OutputError
from enricher.sheets.xlsx.cells.display import decimal_text
from enricher.sheets.xlsx.cells.encoder import cut_to_cell
from enricher.sheets.xlsx.cells.references import MAX_COLUMNS
from enricher.sheets.xlsx.cells.strings import SharedStrings, whole
from enricher.sheets.xlsx.opc.markup import TagCount, new_parser, parse
from enricher.sheets.xlsx.opc.package import Package
from enricher.sheets.xlsx.opc.plain import PlainRows
from enricher.sheets.xlsx.opc.two_ways import in_larger_pieces, in_stretches
from enricher.sheets.xlsx.read.scanner import RowScanner
from enricher.sheets.xlsx.write.places import Places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from enricher.cells import Additions
    from enricher.sheets.xlsx.write.placement import Placement
    from enricher.sheets.xlsx.write.spliced import Probe, Spliced

_STEP_BYTES = 4096
_PIECE_BYTES = 1 << 20


def verify(
    written: Path, original: Package, part: str, changed: Iterable[str], plan: tuple[Placement, Additions, Spliced]
) -> None:
    """Read back what was written. Raises OutputError if it isn't what was asked for."""
    try:
        with Package(written) as package:
            kept = {name.lower() for name in [*changed, part]}
            if package.names() != original.names() or package.sums(kept) != original.sums(kept):
                raise OutputError(_failed(original.path, "its parts are not those of the original"))
            for name in changed:
                _parse(package.read(name), name)
            _verify_sheet(package, part, plan)
    except InputError as error:
        raise OutputError(_failed(original.path, str(error))) from None


def shown(value: Any) -> str:
    """Return the text that a cell with this value reads back as.

    >>> shown(5.0), shown(True), shown(None), shown("=1+1")
    ('5', 'TRUE', '', '=1+1')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return decimal_text(repr(value))
    text, _ = cut_to_cell(whole(str(value)))
    return text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")


def _verify_sheet(package: Package, part: str, plan: tuple[Placement, Additions, Spliced]) -> None:
    placement, additions, done = plan
    row_tags = TagCount(f"<{done.prefix}row".encode())
    waiting = sorted(done.probes, reverse=True)
    reading: list[_Reading] = []

    def looked_at() -> Iterator[bytes]:
        nonlocal reading
        offset = 0
        for chunk in package.stream(part):
            row_tags.feed(chunk)
            while waiting and waiting[-1].offset < offset + len(chunk):
                probe = waiting.pop()
                reading.append(_Reading(probe, _expected(probe, placement, additions), done, package.path))
            reading = [one for one in reading if not one.finished(chunk, offset)]
            offset += len(chunk)
            yield chunk

    _Form(part).read(looked_at())
    if row_tags.count != done.row_tags:
        raise OutputError(_failed(package.path, f"{done.row_tags} rows went in and {row_tags.count} came out"))
    if waiting or reading:
        raise OutputError(_failed(package.path, "its last rows are missing"))


class _Form:
    """Both ways of telling that a worksheet part is well-formed XML: what the plain grammar vouches for is."""

    def __init__(self, part: str) -> None:
        self._places = Places(part, MAX_COLUMNS, watch=False)
        self._plain: PlainRows | None = None

    def read(self, chunks: Iterable[bytes]) -> None:
        """Read a part to its end. Raises InputError."""
        for _ in in_stretches(in_larger_pieces(chunks, _PIECE_BYTES), self):
            pass
        self._places.feed(b"", last=True)

    def ending(self) -> bytes:
        return self._places.ground.ending

    def at_edge(self) -> bool:
        return self._places.ground.at_edge()

    def careful(self, data: bytes) -> None:
        """Take any bytes. Raises InputError."""
        self._places.feed(data)
        self._places.spots.clear()
        self._places.marks.clear()

    def quick(self, stretch: bytes) -> bool | None:
        """Take whole plain rows; None if they are not."""
        if self._plain is None:
            self._plain = PlainRows(self._places.ground.prefix or "", self._places.ground.declared)
        return self._plain.vouches_for(stretch) or None


class _Reading:
    """Reads one row from the place where the splice says it begins, as any reader of the file would."""

    def __init__(self, probe: Probe, expected: dict[int, str], done: Spliced, path: Path) -> None:
        self._probe = probe
        self._expected = expected
        self._path = path
        self._scanner = RowScanner(path.name, SharedStrings(), wanted=frozenset(expected), after_row=probe.number - 1)
        self._scanner.feed(done.opening)

    def finished(self, chunk: bytes, offset: int) -> bool:
        """Read on in a chunk; tell whether the row is complete. Raises OutputError if it is not as asked."""
        for start in range(max(0, self._probe.offset - offset), len(chunk), _STEP_BYTES):
            rows = self._scanner.feed(chunk[start : start + _STEP_BYTES])
            if rows:
                found = {column: text for column, text, _, _ in rows[0].cells}
                wanted = {column: text for column, text in self._expected.items() if text}
                if rows[0].number != self._probe.number or found != wanted:
                    raise OutputError(_failed(self._path, f"row {self._probe.number} reads back differently"))
                return True
        return False


def _expected(probe: Probe, placement: Placement, additions: Additions) -> dict[int, str]:
    values: Iterable[Any] = placement.names
    if probe.data_row >= 0:
        piece = int(additions.index[probe.data_row])
        values = additions.table().slice(piece, 1).to_pylist()[0].values()
    return {placement.first_column + place: shown(value) for place, value in enumerate(values)}


def _parse(data: bytes, name: str) -> None:
    parse(new_parser(name), [data], name)


def _failed(path: Path, what: str) -> str:
    return (
        f"{path.name}: the workbook was written and then did not pass the check ({what}). It was deleted. "
        "Please report this with the original file; until it is mended, save the sheet as CSV and use that."
    )
