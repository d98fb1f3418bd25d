"""The codes that the simulated service knows, and what is true of each."""

from __future__ import annotations

from enricher.model import CodeType, Item, Key

PRODUCTS = 3_000
"""Codes of each type, so that 2,500 of one can be asked for."""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _asin(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return "B0" + text.rjust(8, "0")


def _upc(number: int) -> str:
    digits = f"{40_000_000_000 + number * 7:011d}"
    weighted = sum(int(digit) * (3 if at % 2 == 0 else 1) for at, digit in enumerate(digits))
    return f"{digits}{-weighted % 10}"


def _item(asin: str, number: int, upcs: list[str]) -> Item:
    """Name the codes in one of the ways in which items do: as UPC, as EAN, in the lists only."""
    eans = [f"0{upc}" for upc in upcs]
    item: Item = {"asin": asin, "title": f"Product {number}", "brand": None}
    match number % 4:
        case 0:
            item |= {"upc": upcs[0], "ean": eans[0], "upcList": upcs, "eanList": eans}
        case 1:
            item |= {"upc": None, "ean": eans[0], "eanList": eans}
        case 2:
            item |= {"upc": upcs[0], "upcList": upcs}
        case _:
            item |= {"ean": None, "upcList": [], "eanList": eans}
    return item


def _products() -> dict[CodeType, dict[str, tuple[Item, ...]]]:
    """Make the products: some codes have none, some several, and some products answer two codes."""
    by_asin: dict[str, tuple[Item, ...]] = {}
    by_upc: dict[str, tuple[Item, ...]] = {}
    before: tuple[Item, ...] = ()
    for number in range(1, PRODUCTS + 1):
        asin, upc = _asin(number * 1_000_003), _upc(number)
        if number % 9 == 0:
            by_asin[asin], by_upc[upc] = (), ()
        elif number % 11 == 0 and before:
            by_asin[asin], by_upc[upc] = (), before  # the product before it has this code, too
        else:
            upcs = [upc, _upc(number + 1)] if (number + 1) % 11 == 0 and (number + 1) % 9 else [upc]
            items = [_item(asin, number, upcs)]
            if number % 7 == 0:
                items.append(_item(_asin(number * 1_000_003 + 1), number, upcs))
            by_asin[asin], by_upc[upc] = (items[0],), tuple(items)
        before = by_upc[upc]
    by_ean = {f"0{upc}": items for upc, items in by_upc.items()}
    return {CodeType.ASIN: by_asin, CodeType.UPC: by_upc, CodeType.EAN: by_ean}


ITEMS = _products()
CODES = {code_type: tuple(items) for code_type, items in ITEMS.items()}


def truth(key: Key) -> frozenset[str]:
    """Return the ASINs of a key's products; none: not found."""
    return frozenset(item["asin"] for item in ITEMS[key.code_type][key.code])
