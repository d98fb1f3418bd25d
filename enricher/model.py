"""The words of the field as types: what one station hands to the next.

Owns the vocabulary (code types, marketplaces, keys, cells, answers, fields) and how a key is packed into a number.
Knows no file, no network and no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    import numpy.typing as npt


class CodeType(StrEnum):
    """The three kinds of code the API takes, by the name of its parameter."""

    ASIN = "asin"
    UPC = "upc"
    EAN = "ean"


class Domain(StrEnum):
    """The Amazon marketplaces the API knows (API.md, "Parameters")."""

    COM = "com"
    CA = "ca"
    DE = "de"
    FR = "fr"
    IT = "it"
    NL = "nl"
    ES = "es"
    IN = "in"
    UK = "uk"
    JP = "jp"
    AU = "au"
    MX = "mx"


class Outcome(StrEnum):
    """What a paid answer said about a key. Both are facts and are kept."""

    FOUND = "found"
    NOT_FOUND = "not_found"


class RowStatus(StrEnum):
    """What became of a row of the sheet."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    INVALID = "invalid"
    BLANK = "blank"
    PENDING = "pending"
    FAILED = "failed"


SANDBOX_HOST = "localhost"
"""What every server of this machine is called, whatever its port: none of them is the live service."""

MAX_CHUNK = 10
"""Codes in one request at most (API.md, "Products Lookup")."""


class Key(NamedTuple):
    """What is looked up, paid for, stored and matched. `code` is canonical text."""

    code_type: CodeType
    domain: Domain
    code: str


# --- cells ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cells:
    """One column of some rows, as the file holds it; the three arrays have one element a row.

    `text` is never the result of a type guess: of a number it is the full decimal text (12345678905, not
    1.2345678905E10). `numeric` says that the file holds a number there. `zeros` is the width of an all-zeros number
    format such as 000000000000 (12), and 0 where there is none.
    """

    text: pa.StringArray
    numeric: npt.NDArray[np.bool_]
    zeros: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.text)

    def rows(self, places: npt.NDArray[np.intp]) -> Cells:
        """Return the cells at some places."""
        return Cells(self.text.take(pa.array(places)), self.numeric[places], self.zeros[places])

    @classmethod
    def joined(cls, parts: Sequence[Cells]) -> Cells:
        """Put cells one after another."""
        return cls(
            pa.concat_arrays([part.text for part in parts]),
            np.concatenate([part.numeric for part in parts]),
            np.concatenate([part.zeros for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a sheet with every column, before anything is known about its header.

    `columns` are as many as the widest row has cells; `row_numbers` are what the user's program shows at the left.
    `has_names`: the first row, numbered 0, holds the columns' names as the format itself knows them.
    """

    columns: tuple[Cells, ...]
    row_numbers: tuple[int, ...]
    has_names: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows below the header; only the columns that were asked for, in that order.

    `empty` marks rows that are no data: nothing in any column, or below the sheet's table and without a value in
    the columns asked for. They are kept as they are and get nothing added. `share_read` tells how much of the file
    has been read by now, 0 to 1.
    """

    columns: tuple[Cells, ...]
    empty: npt.NDArray[np.bool_]
    row_numbers: npt.NDArray[np.int64]
    share_read: float


class Pieces(Protocol):
    """The distinct answers: one row each, and a named column (string, int64, double or bool) for each new one.

    An Arrow table is one; another may make them only when they are asked for.
    """

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""

    @property
    def num_rows(self) -> int:
        """How many there are."""

    def to_batches(self) -> Iterable[pa.RecordBatch]:
        """Return them in order, in batches of any size."""


@dataclass(frozen=True, slots=True)
class Additions:
    """The new columns, ready for a writer: every distinct answer once, and which row gets which.

    `index` has one element a row below the header: a row of `pieces`, or -1 for a row that gets nothing.
    A writer keeps every string of `pieces` a string, whatever it looks like.
    """

    pieces: Pieces
    index: npt.NDArray[np.int32]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.schema.names)

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the new columns, without an answer in sight."""
        return self.pieces.schema

    def table(self) -> pa.Table:
        """Return all pieces at once, for a writer that needs them in any order; each column is one chunk."""
        whole: pa.Table = self.pieces
        if not isinstance(whole, pa.Table):
            whole = pa.Table.from_batches(self.pieces.to_batches(), self.schema)
        # Arrow copies even a single chunk.
        return whole if all(column.num_chunks == 1 for column in whole.columns) else whole.combine_chunks()

    def columns(self) -> list[pa.Array]:
        """Return the columns of all pieces, each in one array."""
        return [column.chunk(0) if column.num_chunks else pa.nulls(0, column.type) for column in self.table().columns]


# --- answers ----------------------------------------------------------------------------------------------------

Item: TypeAlias = dict[str, Any]
"""One product as the API's JSON has it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said about one key: the items that match it (none: not found), and when it said so."""

    key: Key
    items: tuple[Item, ...]
    fetched_at: datetime

    @property
    def outcome(self) -> Outcome:
        return Outcome.FOUND if self.items else Outcome.NOT_FOUND


class Products(Protocol):
    """Rows of the resume file: a product each, or the fact that there is none. They are read when asked for."""

    def __len__(self) -> int:
        """Return how many there are."""

    def table(self, columns: Sequence[str]) -> pa.Table:
        """Read some columns of all rows."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Read all columns, the rows in the same order, some thousands at a time."""


@dataclass(frozen=True, slots=True)
class Levels:
    """The account's quota: tokens left now and today, seconds to the daily reset, and the plan's limits."""

    bucket_left: int
    daily_left: int
    daily_reset_s: float
    bucket_capacity: int
    rate_per_min: float
    daily_limit: int


@dataclass(frozen=True, slots=True)
class ToldLevels:
    """What a reply said of the levels; None where it said nothing usable."""

    bucket_left: int | None = None
    daily_left: int | None = None
    daily_reset_s: float | None = None


# --- fields -----------------------------------------------------------------------------------------------------

FieldKind: TypeAlias = Literal["text", "number", "integer", "boolean", "list"]


ARROW_TYPES: dict[FieldKind, pa.DataType] = {
    "text": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "list": pa.list_(pa.string()),
}
"""What a column of each kind holds."""


@dataclass(frozen=True, slots=True)
class Field:
    """A documented product field: our name for it, where the API's item has it, and what it holds."""

    name: str
    path: tuple[str, ...]
    kind: FieldKind


_DIMENSIONS = "packageDimensions"

FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("asin", ("asin",), "text"),
        Field("title", ("title",), "text"),
        Field("brand", ("brand",), "text"),
        Field("category", ("category",), "text"),
        Field("product_group", ("productGroup",), "text"),
        Field("mpn", ("mpn",), "text"),
        Field("bsr", ("bsr",), "integer"),
        Field("upc", ("upc",), "text"),
        Field("ean", ("ean",), "text"),
        Field("lowest_new_price", ("lowestNewPrice",), "number"),
        Field("lowest_formatted_price", ("lowestFormattedPrice",), "text"),
        Field("total_new", ("totalNew",), "integer"),
        Field("sold_by_amazon", ("soldByAmazon",), "boolean"),
        Field("package_height", (_DIMENSIONS, "height"), "number"),
        Field("package_width", (_DIMENSIONS, "width"), "number"),
        Field("package_length", (_DIMENSIONS, "length"), "number"),
        Field("package_weight", (_DIMENSIONS, "weight"), "number"),
        Field("upc_list", ("upcList",), "list"),
        Field("ean_list", ("eanList",), "list"),
        Field("small_image", ("smallImage",), "text"),
        Field("medium_image", ("mediumImage",), "text"),
        Field("images", ("images",), "list"),
    )
}
"""Every documented field, in the order of the new columns."""

LOOKUP_FIELDS = ("lookup_status", "lookup_note", "lookup_code", "match_count", "fetched_at")
"""What enricher itself says about a row; written after the product's fields."""


def gtin_value(text: str) -> int | None:
    """Return a UPC or EAN as the number that all its zero-padded forms share, or None if it is no digits.

    >>> gtin_value("0012345678905") == gtin_value("12345678905")
    True
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 14 else None  # noqa: PLR2004
