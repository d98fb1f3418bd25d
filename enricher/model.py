"""The words of the field as types: what one station hands to the next.

Owns the vocabulary: code types, marketplaces, keys, answers, fields. Knows no file, no network and no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime


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


FieldGroup: TypeAlias = Literal["price", "content"]
"""How soon a field is another one: `price` by the hour, `content` hardly ever."""


@dataclass(frozen=True, slots=True)
class Field:
    """A documented product field: our name for it, where the API's item has it, what it holds, and its group."""

    name: str
    path: tuple[str, ...]
    kind: FieldKind
    group: FieldGroup = "content"


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
        Field("bsr", ("bsr",), "integer", "price"),
        Field("upc", ("upc",), "text"),
        Field("ean", ("ean",), "text"),
        Field("lowest_new_price", ("lowestNewPrice",), "number", "price"),
        Field("lowest_formatted_price", ("lowestFormattedPrice",), "text", "price"),
        Field("total_new", ("totalNew",), "integer", "price"),
        Field("sold_by_amazon", ("soldByAmazon",), "boolean", "price"),
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
