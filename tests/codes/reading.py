"""Reading made-up columns, for the tests of this folder: cells in, (type, code, note) of each out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from enricher.cells import Cells, Preview
from enricher.codes import CodeColumn, Identified, Layout, Policy, Reader
from enricher.codes.headers import kind_of_header
from enricher.keys import NO_KEY, unpack
from enricher.model import CodeType, Domain

if TYPE_CHECKING:
    from collections.abc import Sequence

ASINS = ["B088H39PXX", "B01NAL48FU", "B00NNUMI86", "B003E7UNE4", "B01IG0E1F0"]
ISBNS = ["0439023483", "0439554934", "0316015849", "0061120081", "080442957X", "1499810695"]
EANS = [
    *("4006381333931", "4210201072959", "4548736144194", "7350177880121", "8902102164166", "5905910443594"),
    *("3017620422003", "5449000000996", "7622210449283", "8000500310427", "3046920022651", "9780439023481"),
]
UPCS = [
    *("012345678905", "793610399007", "885561220629", "036000291452", "730143315289", "041800000265"),
    *("049000042566", "012000161155", "028400064057", "016000275287", "038000138416", "190198001757"),
]


class Read(NamedTuple):
    """What became of a cell."""

    code: str | None
    code_type: CodeType | None
    note: str
    domain: Domain | None


def cells(texts: Sequence[str | None], *, numeric: bool = False, zeros: int = 0) -> Cells:
    """Make cells of texts; all are numbers, or shown with an all-zeros format, or none is."""
    return Cells(
        pa.array(texts, pa.string()), np.full(len(texts), numeric, np.bool_), np.full(len(texts), zeros, np.uint8)
    )


def preview(*rows: Sequence[str | None]) -> Preview:
    """Make the first rows of a sheet; all cells are texts."""
    return Preview(tuple(cells(texts) for texts in zip(*rows, strict=True)), tuple(range(1, len(rows) + 1)))


def identify(
    *columns: tuple[str, Cells],
    claims: Cells | None = None,
    domains: Cells | None = None,
    policy: Policy = Policy(),  # noqa: B008 - frozen
) -> Identified:
    """Read code columns, each a header and its cells; the types of the first one's codes; a column of marketplaces."""
    held = [column for _, column in columns]
    claims_at = len(held) if claims is not None else None
    held += [claims] if claims is not None else []
    domains_at = len(held) if domains is not None else None
    held += [domains] if domains is not None else []
    code_columns = tuple(
        CodeColumn(at, name, kind_of_header(name), "", None if at else claims_at)
        for at, (name, _) in enumerate(columns)
    )
    reader = Reader(Layout(1, (), code_columns, domains_at), Domain.COM, policy)
    reader.add(held)
    return reader.finish()


def codes_of(found: Identified, rank: int = 0) -> list[str | None]:
    """Return the first code of every row, or the one to ask for if `rank` others are not found."""
    if rank >= len(found.candidates):
        return [None] * len(found.invalid)
    return [unpack([key])[0].code if key != NO_KEY else None for key in found.candidates[rank].tolist()]


def read_column(
    texts: Sequence[str | None],
    header: str = "",
    *,
    numeric: bool = False,
    zeros: int = 0,
    policy: Policy = Policy(),  # noqa: B008 - frozen
) -> list[Read]:
    """Read one column, and tell what became of every cell."""
    found = identify((header, cells(texts, numeric=numeric, zeros=zeros)), policy=policy)
    read = []
    for row, packed in enumerate(found.candidates[0].tolist()):
        key = unpack([packed])[0] if packed != NO_KEY else None
        note = found.notes[0].get(row, "")
        read.append(Read(key and key.code, key and key.code_type, note, key and key.domain))
    return read


def read(cell: str, header: str = "", among: Sequence[str] = (), **how: object) -> Read:
    """Read one cell that stands among others, and tell what became of it."""
    return read_column([cell, *among], header, **how)[0]  # type: ignore[arg-type]
