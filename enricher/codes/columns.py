"""Which columns hold codes, which row is the header, and where the marketplaces are: how a sheet is to be read.

Works on a preview of the sheet, or does what the user said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from enricher.codes.claims import claim_column
from enricher.codes.domains import Marketplaces, country_column, find_marketplaces
from enricher.codes.header_row import header_position, texts_of
from enricher.codes.headers import added_before
from enricher.codes.policy import Policy
from enricher.codes.scan import Scan, scan_columns
from enricher.codes.shapes import Can
from enricher.codes.weighing import Content, RunnerUp, choose, label_of, letters, weigh
from enricher.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from enricher.cells import Preview


_MOST_NAMED = 3
_LONGEST_SHOWN = 40
_MOST_CODED = 300
"""A sheet turned on its side has a code in each column: none of them is *the* column, and weighing takes 2 ms each."""


@dataclass(frozen=True, slots=True)
class CodeColumn:
    """A column that holds codes: where, its header's text and kind, and why it was taken.

    `claims` is the column that names the type of each code, None where there is none.
    """

    index: int
    name: str
    header: str | None
    reason: str
    claims: int | None = None

    @property
    def label(self) -> str:
        """Call the column as a sentence does: by its header, or else by its letter."""
        return label_of(self.name, self.index)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a sheet is to be read. `header_row` is a row number, 0 for none; columns count from 0.

    `code_columns` are in the order in which a row's code is looked for; the preview has `codes` of them.
    `marketplaces` is a column that seems to name marketplaces, while nobody has said whether to use it.
    """

    header_row: int
    names: tuple[str, ...]
    code_columns: tuple[CodeColumn, ...]
    domain_column: int | None
    runners_up: tuple[RunnerUp, ...] = ()
    codes: int = 0
    hints: tuple[str, ...] = ()
    marketplaces: Marketplaces | None = None

    @property
    def read_columns(self) -> tuple[int, ...]:
        """The columns to be read: of codes, of their types, of marketplaces; none twice."""
        wanted = [column.index for column in self.code_columns]
        wanted += [column.claims for column in self.code_columns if column.claims is not None]
        return tuple(dict.fromkeys([*wanted, *([] if self.domain_column is None else [self.domain_column])]))


def find_columns(
    preview: Preview,
    *,
    wanted: Sequence[str] = (),
    header_row: int | None = None,
    domain_column: str | None = None,
    policy: Policy = Policy(),  # noqa: B008 - frozen
) -> Layout:
    """Decide how to read a sheet.

    `wanted` names the code columns (header text, or a letter as a spreadsheet shows it); `header_row` is a row number,
    0 for none, None to find it. Columns that an earlier run added are never chosen unasked. Raises ConfigError for a
    column that is not there, InputError where no column holds codes.
    """
    scans = scan_columns(preview.columns, policy.wanted)
    named = [*wanted, *([domain_column] if domain_column else [])]
    at = header_position(preview, [_looks_coded(seen) for seen in scans], named, header_row)
    names = tuple(texts_of(preview, at)) if at >= 0 else ("",) * len(preview.columns)
    found_row = preview.row_numbers[at] if at >= 0 else 0
    first = at + 1
    if len(preview.row_numbers) <= first:
        where = f"there are no rows below the header in row {found_row}" if found_row else "there is nothing in it"
        raise InputError(f"no codes can be read: {where}")
    if not wanted:
        _refuse_too_many(scans)

    def content(index: int) -> Content:
        return weigh(index, names[index], scans[index], first, policy)

    hints: list[str] = []
    runners_up: list[RunnerUp] = []
    if wanted:
        chosen = [(content(_resolve(name, names, "--code-column")), "named by you") for name in wanted]
    else:
        skipped = added_before(names)
        chosen, runners_up = choose([content(index) for index in range(len(names)) if index not in skipped])
        hints += ["an earlier run added columns to this sheet; they are not read"] if skipped else []
    if not chosen:
        raise InputError(
            f"no column with ASINs, UPCs or EANs was found among: {_listed(names)}. "
            + "".join(f"Passed over is {runner.name}: {runner.reason}. " for runner in runners_up[:_MOST_NAMED])
            + "Name it: --code-column NAME"
        )
    domain_at = _resolve(domain_column, names, "--domain-column") if domain_column else None
    unused = None
    if not domain_column:
        unused = find_marketplaces(preview, names, first, [taken.index for taken, _ in chosen])
        country = None if unused else country_column(preview, names, first)
        if country is not None:
            hints.append(f"column {country!r} names countries; to ask for each row there: --domain-column {country!r}")
    codes = sum(taken.codes for taken, _ in chosen)
    columns = []
    for taken, why in chosen:
        claims = claim_column(names, taken.index)
        types = "" if claims is None else f", types from {names[claims]!r}"
        columns.append(CodeColumn(taken.index, taken.name, taken.header, f"{why or taken.reason}{types}", claims))
    return Layout(found_row, names, tuple(columns), domain_at, tuple(runners_up), codes, tuple(hints), unused)


def _refuse_too_many(scans: Sequence[Scan]) -> None:
    coded = len([seen for seen in scans if _looks_coded(seen).any()])
    if coded > _MOST_CODED:
        raise InputError(f"{coded:,} columns look like codes. Name the one to use: --code-column NAME, or its letter")


def _looks_coded(seen: Scan) -> npt.NDArray[np.bool_]:
    """Say which cells are codes at first sight; EAN-8s are not, for a date or a house number may pass for one."""
    can, digits = seen.shapes.can, seen.shapes.digits
    gtins = (digits >= 11) & (can & Can.GTIN > 0)  # noqa: PLR2004 - a UPC that lost its zero
    asins = can & Can.ASIN > 0
    books = (digits == 10) & (can & Can.ISBN10 > 0)  # noqa: PLR2004
    coded: npt.NDArray[np.bool_] = (gtins | asins | books) & ((can & (Can.SEVERAL | Can.FROM_TEXT)) == 0)
    return coded


def _resolve(name: str, names: Sequence[str], flag: str) -> int:
    """Find a column by its header, or by its letter where no header is called so."""
    called_so = [index for index, header in enumerate(names) if header.casefold() == name.strip().casefold()]
    if len(called_so) == 1:
        return called_so[0]
    if called_so:
        raise ConfigError(f"{flag}: {len(called_so)} columns are called {name!r}. Name one by its letter, such as B")
    by_letter = {letters(index): index for index in range(len(names))}
    if name.upper() in by_letter:
        return by_letter[name.upper()]
    raise ConfigError(f"{flag}: there is no column {name!r}. The columns are: {_listed(names)}")


def _listed(names: Sequence[str]) -> str:
    named = [" ".join(name.split()) for name in names if name]
    shown = [name if len(name) <= _LONGEST_SHOWN else name[:_LONGEST_SHOWN] + "..." for name in named[:30]]
    rest = len(named) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "") if shown else "(no header was found)"
