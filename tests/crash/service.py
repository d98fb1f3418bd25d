"""A service with a product for nearly every code, made up from the code; it counts the lookups of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from enricher import sandbox
from enricher.keys import KeyArray, pack
from enricher.model import CodeType, Domain, Key

if TYPE_CHECKING:
    import numpy.typing as npt

    from enricher.model import Item

PLAN = sandbox.Plan("endless", bucket_capacity=10**9, tokens_per_minute=10**9, daily_limit=10**9)
KEY = "sandbox"
_FIRST = 40_000_000_000  # the first eleven digits of the first code: GS1 Germany's numbers
_TWELFTH = 7  # never 0: a code that ends in many zeros looks like one that a spreadsheet has rounded
_STEP = 37
_NOT_FOUND_EVERY, _TWO_ITEMS_EVERY = 10, 17
_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def code_at(number: int) -> str:
    """Return the valid EAN-13 with this number, from 0.

    >>> code_at(0), code_at(1), number_of(code_at(499_999))
    ('4000000000075', '4000000003779', 499999)
    """
    body = f"{_FIRST + _STEP * number}{_TWELFTH}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-total % 10}"


def number_of(code: str) -> int:
    """Return which code it is: the inverse of `code_at`."""
    return (int(code[:11]) - _FIRST) // _STEP


def items_of(number: int) -> list[Item]:
    """Return what the service says about a code: nothing but what its number makes."""
    if number % _NOT_FOUND_EVERY == 3:
        return []
    return [_item(number, 2 * number + place) for place in range(2 if number % _TWO_ITEMS_EVERY == 5 else 1)]


def _item(number: int, product: int) -> Item:
    asin = "".join(_BASE36[product // 36**place % 36] for place in range(7, -1, -1))
    image = f"https://images.example/I/{product:08}"
    return {
        "asin": f"B0{asin}",
        "ean": code_at(number),
        "eanList": [code_at(number)],
        "title": f'Würfel, "{product:,}" Stück',
        "brand": f"Brand {number % 101}",
        "category": "Toys & Games",
        "bsr": product + 1,  # the first of two has the better rank, and is the one chosen
        "lowestNewPrice": product % 9_973 / 100,
        "soldByAmazon": product % 3 == 0,
        "packageDimensions": {"height": 1.77, "width": number % 50 + 0.5, "length": 2.0, "weight": 0.25},
        "totalNew": product % 7,
        "smallImage": f"{image}.jpg",
        "images": [f"{image}.jpg", f"{image}-2.jpg"],
        "color": f"undocumented {product % 5}",
    }


class Service(sandbox.Catalog):
    """The products of the codes with numbers below `codes`; `asked` counts the lookups of each."""

    def __init__(self, codes: int) -> None:
        super().__init__()
        self.codes = codes
        self.asked: npt.NDArray[np.int32] = np.zeros(codes, np.int32)
        keys = (pack(Key(CodeType.EAN, Domain.COM, code_at(number))) for number in range(codes))
        self.keys: KeyArray = np.fromiter(keys, np.uint64, codes)

    def lookup(self, code_type: CodeType, code: str, domain: Domain) -> list[Item]:
        assert (code_type, domain) == (CodeType.EAN, Domain.COM)
        number = number_of(code)
        self.asked[number] += 1
        return items_of(number)

    @property
    def paid(self) -> int:
        """How many lookups there were: as this plan refuses none, tokens."""
        return int(self.asked.sum())

    def forget(self) -> None:
        """Count from nothing again."""
        self.asked[:] = 0
