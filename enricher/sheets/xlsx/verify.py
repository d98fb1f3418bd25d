"""The third look: the file just written is read back before anyone is told that it is done.

Owns what is checked: checksums, that the parts parse, the number of rows, the names in the header and a selection of
rows. Trusts nothing of the splice but where it says the rows are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from enricher.errors import InputError, OutputError
from enricher.sheets.xlsx.display import decimal_text
from enricher.sheets.xlsx.encoder import cut_to_cell
from enricher.sheets.xlsx.markup import TagCount, new_parser
from enricher.sheets.xlsx.package import Package
from enricher.sheets.xlsx.scanner import RowScanner
from enricher.sheets.xlsx.strings import SharedStrings, whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from enricher.model import Additions
    from enricher.sheets.xlsx.placement import Placement
    from enricher.sheets.xlsx.splice import Probe, Spliced

_STEP_BYTES = 4096


def verify(
    written: Path, original: Package, part: str, changed: Iterable[str], plan: tuple[Placement, Additions, Spliced]
) -> None:
    """Read back what was written. Raises OutputError if it isn't what was asked for."""
    try:
        with Package(written) as package:
            if package.names() != original.names():
                raise OutputError(_failed(written, "its parts are not those of the original"))
            for name in changed:
                _parse(package.read(name), name)
            _verify_sheet(package, part, plan)
    except InputError as error:
        raise OutputError(_failed(written, str(error))) from None


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
    parser = new_parser(part)
    row_tags = TagCount(f"<{done.prefix}row".encode())
    waiting = sorted(done.probes, reverse=True)
    reading: list[_Reading] = []
    offset = 0
    for chunk in package.stream(part):
        _feed(parser, chunk, part, last=False)
        row_tags.feed(chunk)
        while waiting and waiting[-1].offset < offset + len(chunk):
            probe = waiting.pop()
            reading.append(_Reading(probe, _expected(probe, placement, additions), done, package.path))
        reading = [one for one in reading if not one.finished(chunk, offset)]
        offset += len(chunk)
    _feed(parser, b"", part, last=True)
    if row_tags.count != done.row_tags:
        raise OutputError(_failed(package.path, f"{done.row_tags} rows went in and {row_tags.count} came out"))
    if waiting or reading:
        raise OutputError(_failed(package.path, "its last rows are missing"))


class _Reading:
    """Reads one row from the place where the splice says it begins, as any reader of the file would."""

    def __init__(self, probe: Probe, expected: dict[int, str], done: Spliced, path: Path) -> None:
        self._probe = probe
        self._expected = expected
        self._path = path
        self._scanner = RowScanner(path.name, SharedStrings(), wanted=frozenset(expected), after_row=probe.number - 1)
        self._scanner.feed(done.root_tag + f"<{done.prefix}sheetData>".encode())

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
        values = additions.pieces.slice(piece, 1).to_pylist()[0].values()
    return {placement.first_column + place: shown(value) for place, value in enumerate(values)}


def _parse(data: bytes, name: str) -> None:
    _feed(new_parser(name), data, name, last=True)


def _feed(parser: expat.XMLParserType, data: bytes, name: str, *, last: bool) -> None:
    try:
        parser.Parse(data, last)
    except expat.ExpatError as error:
        raise InputError(f"{name} does not parse: {expat.ErrorString(error.code)}") from None


def _failed(path: Path, what: str) -> str:
    return (
        f"{path.name}: the workbook was written and then did not pass the check ({what}). It was deleted. "
        "Please report this with the original file; until it is mended, save the sheet as CSV and use that."
    )
