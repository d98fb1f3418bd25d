"""The API's replies as types: the OpenAPI page's models, and the check on what a catalog puts into them.

Owns the documented keys, their order and their types (API.md, "Response"). Knows no quota and no files.
"""

# No `from __future__ import annotations`: pydantic reads the annotations at run time.
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

MAX_GTIN_DIGITS = 14


def _as_text(value: Any) -> Any:
    # A parquet or JSON file may hold codes as numbers; floats are left to fail, they have lost digits already.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Asin = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{10}$", to_upper=True, strip_whitespace=True)]
Gtin = Annotated[
    str,
    BeforeValidator(_as_text, json_schema_input_type=str),
    StringConstraints(pattern=rf"^[0-9]{{1,{MAX_GTIN_DIGITS}}}$", strip_whitespace=True),
]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


class _Reply(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class Dimensions(_Reply):
    """A package. The documentation names no units; its sample reads like inches and pounds."""

    height: Amount | None = None
    width: Amount | None = None
    length: Amount | None = None
    weight: Amount | None = None


class Item(_Reply):
    """One product. Everything but the ASIN may be null."""

    asin: Asin
    ean: Gtin | None = None
    upc: Gtin | None = None
    mpn: str | None = None
    bsr: Annotated[Count | None, Field(description="Best sellers rank in its category.")] = None
    category: str | None = None
    brand: str | None = None
    title: str | None = None
    product_group: str | None = None
    lowest_new_price: Amount | None = None
    lowest_formatted_price: str | None = None
    sold_by_amazon: bool | None = None
    package_dimensions: Dimensions | None = None
    upc_list: list[Gtin] | None = None
    ean_list: list[Gtin] | None = None
    total_new: Annotated[Count | None, Field(description="How many sellers offer it new.")] = None
    small_image: str | None = None
    medium_image: str | None = None
    images: list[str] | None = None


class LookupReply(_Reply):
    """What /products/lookup answers."""

    items: list[Item]
    daily_tokens_left: int
    bucket_size: Annotated[int, Field(description="Tokens left in the bucket, not its capacity.")]
    ms_before_next_daily_token: Annotated[int, Field(description="Milliseconds until the daily limit resets.")]
    consumed_tokens: int


class TokensReply(_Reply):
    """What /account/tokens answers."""

    daily_tokens_left: int
    daily_tokens_limit: int
    minutely_tokens_left: int
    minutely_bucket_capacity: int
    tokens_per_minute: int
    ms_before_next_daily_reset: int


class ErrorReply(_Reply):
    """What every refusal answers, whatever its status."""

    error: str
