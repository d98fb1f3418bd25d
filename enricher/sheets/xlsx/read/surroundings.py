"""What a worksheet says around its rows, as far as new columns must heed it: merged cells and widths.

Owns how many of each are believed. Knows no row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from enricher.sheets.xlsx.cells.references import MAX_COLUMNS, parse_area
from enricher.sheets.xlsx.opc.markup import TRUE_WORDS
from enricher.sheets.xlsx.opc.refusals import unsound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enricher.sheets.xlsx.cells.facts import Facts

_MAX_MERGED = 1_000_000
_MAX_DIGITS = 9


def note_merged(facts: Facts, attributes: Mapping[str, str], where: str) -> None:
    """Take note of a `<mergeCell>`. Raises InputError where there are more than any sheet has."""
    area = parse_area(attributes.get("ref", ""))
    if area is not None:
        facts.merged.append(area)
    if len(facts.merged) > _MAX_MERGED:
        raise unsound(where, f"it has more than {_MAX_MERGED:,} merged cells")


def note_width(facts: Facts, attributes: Mapping[str, str], where: str) -> None:
    """Take note of a `<col>`; one without sound numbers says nothing. Raises InputError where there are too many."""
    first, last = (attributes.get(name, "") for name in ("min", "max"))
    if first.isdecimal() and last.isdecimal() and max(len(first), len(last)) <= _MAX_DIGITS:
        facts.widths.append((int(first) - 1, int(last) - 1, attributes.get("hidden") in TRUE_WORDS))
    if len(facts.widths) > MAX_COLUMNS:
        raise unsound(where, f"it gives widths to more than {MAX_COLUMNS:,} columns")
