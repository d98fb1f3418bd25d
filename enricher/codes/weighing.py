"""What a column's cells are worth, and which columns with codes are taken: content first, then the header's words.

Decides from counts of a preview. Knows nothing of rows, files and flags.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from enricher.codes import gtin
from enricher.codes.claims import NO_CLAIM
from enricher.codes.evidence import Evidence
from enricher.codes.headers import is_never_codes, kind_of_header, names_another_article, names_some_code
from enricher.codes.shapes import Can, Shape
from enricher.codes.tally import Tally
from enricher.codes.verdicts import Take, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enricher.codes.policy import Policy
    from enricher.codes.scan import Scan

_LEAST_SHARE = 0.5
"""Of a column's filled cells: one in ten random numbers has the right check digit, so less proves nothing."""
_LEAST_SHARE_NAMED = 0.05
"""The same where the header names a code: a column may be mostly dirt, and then every cell says so."""
_SURE_SHARE = 0.9
_LEAST_OF_BEST = 0.1
"""A column with fewer codes than this share of the best one's is no fallback, but a stray entry."""
_FEW = 3
_MANY_LOST = 0.05
_FEW_SEVERAL = 0.02
_ASIN_TAKES = {Take.ASIN, Take.ISBN10, Take.ISBN10_OF_EAN}


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """A column with codes that was passed over, called as in a sentence, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Content:
    """What the preview's cells of one column are worth, by counts of cells.

    `checked` have the check digit of a GTIN, usable or not; `lost` had one; `distinct` is of different values.
    """

    index: int
    name: str
    header: str | None
    filled: int
    asins: int
    gtins: int
    checked: int
    lost: int
    cases: int
    several: int
    distinct: int

    @property
    def codes(self) -> int:
        return self.asins + self.gtins

    @property
    def share(self) -> float:
        return self.codes / max(1, self.filled)

    @property
    def is_of_asins(self) -> bool:
        return self.asins > self.gtins or (self.asins == self.gtins and self.header in {"asin", "isbn"})

    @property
    def label(self) -> str:
        return f"{label_of(self.name, self.index)} ({letters(self.index)})" if self.name else label_of("", self.index)

    @property
    def is_named(self) -> bool:
        return self.header is not None or names_some_code(self.name)

    @property
    def reason(self) -> str:
        if self.header is not None:
            return f"the header says {self.header.upper().replace('_', '-')}"
        return "by what its cells hold" + (", and its header" if self.is_named else "")


def weigh(index: int, name: str, seen: Scan, first: int, policy: Policy) -> Content:
    """Count what a column's cells are worth, from the preview's row `first` on."""
    tally = Tally()
    tally.add(seen, np.full(len(seen.blank), NO_CLAIM))
    census = tally.finish().census(first)
    header = kind_of_header(name)
    evidence = Evidence(policy.wanted, header, census)
    taken = {shape: judge(shape, evidence, None, policy).take for shape in census}
    asins = sum(count for shape, count in census.items() if taken[shape] in _ASIN_TAKES)
    gtins = sum(
        count
        for shape, count in census.items()
        if taken[shape] not in {*_ASIN_TAKES, Take.NOTHING}
        and (header or names_some_code(name) or shape.digits != gtin.EAN8_DIGITS or shape.can & Can.FROM_ADDRESS)
    )
    lost = sum(count for shape, count in census.items() if _has_lost_digits(shape))
    checked = sum(count for shape, count in census.items() if shape.can & Can.GTIN and shape.digits >= gtin.EAN8_DIGITS)
    cases = sum(count for shape, count in census.items() if shape.can & Can.CASE and shape.can & Can.GTIN)
    several = sum(count for shape, count in census.items() if shape.can & Can.SEVERAL)
    distinct = len(np.unique(seen.shapes.values[first:][~seen.blank[first:]]))
    return Content(index, name, header, evidence.filled, asins, gtins, checked, lost, cases, several, distinct)


def _has_lost_digits(shape: Shape) -> bool:
    """Say whether a cell was a UPC, EAN or GTIN-14 before a spreadsheet shortened it."""
    return bool(shape.can & Can.LOST) and gtin.UPC_DIGITS - 1 <= shape.digits <= gtin.MAX_DIGITS


def choose(contents: Sequence[Content]) -> tuple[list[tuple[Content, str]], list[RunnerUp]]:
    """Choose the best column of ASINs, then the GTINs' columns; the others with codes are runners-up.

    Only one column of ASINs is taken: another one is mostly of other articles (parents, rivals). UPCs and EANs under
    headers of different kinds are names of the same article.
    """
    decoys = {content.index: why for content in contents if (why := _decoy(content))}
    usable = [content for content in contents if content.index not in decoys and _is_usable(content)]
    if all(names_another_article(content.name) for content in usable):
        # Better the column that the header names, with the reasons why its cells are of no use, than nothing.
        decoys |= {content.index: "of other articles, by its header" for content in usable}
        named = [content for content in contents if content.header is not None and content.filled]
        usable = [content for content in named if not names_another_article(content.name)]
    chosen: list[Content] = []
    passed = {
        content.index: RunnerUp(content.label, decoys[content.index]) for content in contents if content.index in decoys
    }
    for content in sorted(usable, key=_rank):
        if (why := _spare(content, chosen, max(other.codes for other in usable))) is not None:
            count = f"{content.codes:,} code{'s' if content.codes != 1 else ''}"
            passed[content.index] = RunnerUp(content.label, f"{count}, but {why}")
        else:
            chosen.append(content)
    taken = [(content, "") for content in chosen]
    if chosen and sum(content.lost for content in chosen) > _MANY_LOST * max(content.filled for content in chosen):
        rescuer = _rescuer(contents, chosen)
        if rescuer is not None:
            taken.append((rescuer, "for the codes that lost digits"))
            passed.pop(rescuer.index, None)
    return taken, list(passed.values())


def _rank(content: Content) -> tuple[bool, bool, bool, bool, bool, int]:
    """Order: own articles, ASINs, columns with a header for them, single codes before lists, many codes before few."""
    other = names_another_article(content.name)
    several = content.several > _FEW_SEVERAL * content.filled
    return other, not content.is_of_asins, content.header is None, not content.is_named, several, -content.codes


def _decoy(content: Content) -> str | None:
    """Say why a column only looks like codes; None where it doesn't, or where they are codes."""
    if is_never_codes(content.name):
        return "the header says that these are numbers of another kind" if content.codes else None
    if (
        not content.is_named
        and content.share >= _LEAST_SHARE
        and content.gtins
        and content.distinct < _FEW < content.filled
    ):
        return "the same number again and again"
    if content.cases > max(_LEAST_SHARE * content.filled, content.codes):
        return "GTIN-14s of cases, which are other articles; to look up what is inside: --unpack-cases"
    return None


def _is_usable(content: Content) -> bool:
    """Say whether a column has codes enough, or had them before a spreadsheet shortened them."""
    codes = content.codes + content.lost
    if not codes:
        return False
    if content.header is not None:
        return codes >= _LEAST_SHARE_NAMED * content.filled
    return (codes if content.is_named else content.codes) >= _LEAST_SHARE * content.filled


def _spare(content: Content, chosen: Sequence[Content], most: int) -> str | None:
    """Say why a column is not needed beside those chosen; None where it is."""
    if content.codes + content.lost < _LEAST_OF_BEST * most and content.header != "asin":
        return "too few to be more than stray entries"
    if not chosen:
        return None
    if names_another_article(content.name):
        return "of other articles, by its header"
    group = [other for other in chosen if other.is_of_asins == content.is_of_asins]
    first = next((other for other in group if other.header == content.header), group[0] if group else None)
    if first is not None and (content.is_of_asins or content.header in {first.header, None}):
        return f"{first.label} has such codes, too, and comes before it"
    return None


def _rescuer(contents: Sequence[Content], chosen: Sequence[Content]) -> Content | None:
    """Find a column that holds, in addresses or elsewhere, what the chosen ones have lost to a spreadsheet."""
    taken = {content.index for content in chosen}
    sure = [
        content
        for content in contents
        if content.index not in taken
        and content.checked >= _SURE_SHARE * content.filled
        and content.codes
        and content.distinct >= _FEW
        and not is_never_codes(content.name)
        and not names_another_article(content.name)
    ]
    return max(sure, key=lambda content: content.codes, default=None)


def label_of(name: str, index: int) -> str:
    """Call a column as a sentence does: by its header, or else by its letter."""
    return f"column {name!r}" if name else f"column {letters(index)}"


def letters(index: int) -> str:
    """Name a column as a spreadsheet does.

    >>> letters(0), letters(27)
    ('A', 'AB')
    """
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
