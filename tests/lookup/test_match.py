from __future__ import annotations

from enricher.lookup.match import match
from enricher.model import CodeType, Domain, Key


def upc(code: str) -> Key:
    return Key(CodeType.UPC, Domain.COM, code)


def asin(code: str) -> Key:
    return Key(CodeType.ASIN, Domain.COM, code)


def test_items_find_their_codes_in_any_order() -> None:
    first, second = asin("B01NAL48FU"), asin("B00NNUMI86")
    found, strays = match([first, second], [{"asin": "B00NNUMI86"}, {"asin": "B01NAL48FU"}])
    assert (found[first][0]["asin"], found[second][0]["asin"], strays) == ("B01NAL48FU", "B00NNUMI86", 0)


def test_padded_forms_of_a_gtin_match() -> None:
    key = upc("793610399007")
    for item in ({"ean": "0793610399007"}, {"upcList": ["793610399007"]}, {"eanList": ["00793610399007"]}):
        assert match([key], [item])[0][key] == (item,)


def test_one_upc_keeps_all_its_products() -> None:
    key = upc("793610399007")
    assert len(match([key], [{"asin": "A", "upc": key.code}, {"asin": "B", "upc": key.code}])[0][key]) == 2


def test_one_product_answers_several_codes() -> None:
    first, second = upc("793610399007"), upc("012345678905")
    found, _ = match([first, second], [{"asin": "A", "upcList": [first.code, second.code]}])
    assert len(found[first]) == len(found[second]) == 1


def test_what_nobody_asked_for_is_counted_and_a_code_without_item_is_not_found() -> None:
    key = asin("B01NAL48FU")
    found, strays = match([key], [{"asin": "B00NNUMI86"}, {}, {"asin": None}])
    assert (found[key], strays) == ((), 3)


def test_odd_fields_are_no_match() -> None:
    key = upc("793610399007")
    found, strays = match([key], [{"upc": 793610399007, "ean": "n/a", "upcList": None, "eanList": [None, 7]}])
    assert (found[key], strays) == ((), 1)
