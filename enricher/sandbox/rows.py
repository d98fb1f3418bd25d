"""One row of a catalog file -> one item, under whichever of the accepted names the file uses.

Owns the names of columns and the reading of their values: the API's own (`lowestNewPrice`), enricher's
(`lowest_new_price`), and the simple ones of a price list (`price`, `currency`, `marketplace`, `all_eans`, `image`).
Knows no files and no other rows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from enricher.errors import InputError
from enricher.model import FIELDS, Domain, Item
from enricher.sandbox import replies
from enricher.sandbox.money import format_price, home_domain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Offer(NamedTuple):
    """An item (every documented key, in the documented order) and where its offer holds: None is everywhere."""

    item: Item
    domain: Domain | None


class RowError(InputError):
    """A value can't be what its column says; `column` is the column's name in the file."""

    def __init__(self, column: str, problem: str) -> None:
        super().__init__(f"column {column!r}: {problem}")


def _plain(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", name.lower())


_DIMENSIONS = "packageDimensions"
_ASIN_PATH = ("asin",)
_PRICE_PATH = ("lowestNewPrice",)
_DOMAIN_PATH = ("domain",)
_SIMPLE_NAMES: dict[str, tuple[str, ...]] = {
    "price": _PRICE_PATH,
    "category": ("category",),
    "alleans": ("eanList",),
    "allupcs": ("upcList",),
    "currency": ("currency",),
    "marketplace": _DOMAIN_PATH,
    "domain": _DOMAIN_PATH,
    "image": ("image",),
    _plain(_DIMENSIONS): (_DIMENSIONS,),
}
# Both our name and the API's lose their underscores and capitals to the same plain word, except for the four
# dimensions, which the API nests.
_PATHS = {_plain(field.name): field.path for field in FIELDS.values()} | _SIMPLE_NAMES
_LISTS = {"upcList", "eanList", "images"}
_BETWEEN = "|"

# "1,200.00 -C0A": some exports leave the remains of a currency sign behind the number.
_PRICE = re.compile(r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?:\s+-\w+)?")
_MARKETPLACE = re.compile(r"(?:www\.)?(?:amazon\.)?(?:com\.|co\.)?([a-z]{2,3})")
_COUNTRIES = {"us": Domain.COM, "gb": Domain.UK}


_FORMS = {
    "asin": "is no ASIN, which has 10 letters and digits",
    "gtin": f"is no UPC or EAN, which has at most {replies.MAX_GTIN_DIGITS} digits and nothing else",
}


class Columns:
    """What each of a file's columns is. Raises RowError when none of them is the ASIN, or two are the same field."""

    def __init__(self, names: Iterable[str]) -> None:
        self._paths: dict[str, tuple[str, ...]] = {}
        self._names: dict[tuple[str, ...], str] = {}
        for name in names:
            path = _PATHS.get(_plain(name))
            if path is None:
                continue
            if path in self._names:
                raise RowError(name, f"holds the same field as column {self._names[path]!r}. Keep one of them.")
            self._paths[name] = path
            self._names[path] = name
        if _ASIN_PATH not in self._names:
            raise RowError("asin", "is missing. Every product of a catalog needs its ASIN.")

    def read(self, row: Mapping[str, Any]) -> Offer:
        """Read one row. Raises RowError naming the column as the file does."""
        found: dict[str, Any] = {}
        for name, path in self._paths.items():
            value = row.get(name)
            value = value.strip() if isinstance(value, str) else value
            if value is None or value == "":
                continue
            if path[0] in _LISTS:
                value = _list(value)
            if len(path) > 1:
                found.setdefault(path[0], {})[path[1]] = value
            else:
                found[path[0]] = value
        return self._offer(found)

    def _offer(self, found: dict[str, Any]) -> Offer:
        domain = self._domain(found.pop("domain", None))
        currency = found.pop("currency", None)
        image = found.pop("image", None)
        if image is not None:
            found.setdefault("images", [image])
        if found.get("images"):
            found.setdefault("smallImage", found["images"][0])
            found.setdefault("mediumImage", found["images"][0])
        _complete(found, "upc", "upcList")
        _complete(found, "ean", "eanList")
        self._price(found)
        try:
            item = replies.Item.model_validate(found).model_dump(by_alias=True)
        except ValidationError as error:
            raise self._row_error(error) from None
        style = domain or home_domain(str(currency))
        if item["lowestFormattedPrice"] is None and item["lowestNewPrice"] is not None and style is not None:
            item["lowestFormattedPrice"] = format_price(item["lowestNewPrice"], style, currency)
        return Offer(item, domain)

    def _price(self, found: dict[str, Any]) -> None:
        price = found.get("lowestNewPrice")
        if not isinstance(price, str):
            return
        match = _PRICE.fullmatch(price)
        if match is None:
            raise RowError(self._names[_PRICE_PATH], f"{price!r} is no price. Write it like 1234.50 or 1,234.50.")
        found["lowestNewPrice"] = float(match[1].replace(",", ""))

    def _domain(self, text: Any) -> Domain | None:
        if text is None:
            return None
        match = _MARKETPLACE.fullmatch(str(text).lower())
        if match is not None:
            if match[1] in _COUNTRIES:
                return _COUNTRIES[match[1]]
            if match[1] in set(Domain):
                return Domain(match[1])
        known = ", ".join(Domain)
        raise RowError(self._names[_DOMAIN_PATH], f"{text!r} is no marketplace. The API knows {known}.")

    def _row_error(self, error: ValidationError) -> RowError:
        first = error.errors(include_url=False)[0]
        path = tuple(str(step) for step in first["loc"])
        name = self._names.get(path) or self._names.get(path[:1]) or path[0]
        if first["type"] == "string_pattern_mismatch":
            return RowError(name, f"{first['input']!r} {_FORMS['asin' if path == _ASIN_PATH else 'gtin']}.")
        return RowError(name, f"{first['input']!r}: {first['msg']}.")


def _list(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(_BETWEEN) if part.strip()]
    return list(value) if isinstance(value, list | tuple) else [value]


def _complete(found: dict[str, Any], single: str, several: str) -> None:
    """Let a file that has only the code have the list too, and one that has only the list the code."""
    if single in found:
        codes = found.setdefault(several, [found[single]])
        if found[single] not in codes:
            found[several] = [found[single], *codes]
    elif found.get(several):
        found[single] = found[several][0]
