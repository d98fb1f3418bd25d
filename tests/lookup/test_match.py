from __future__ import annotations

from enricher.lookup.match import Matched, match
from enricher.model import CodeType, Domain, Key


def upc(code: str) -> Key:
    return Key(CodeType.UPC, Domain.COM, code)


def asin(code: str) -> Key:
    return Key(CodeType.ASIN, Domain.COM, code)


def test_items_find_their_codes_in_any_order() -> None:
    first, second = asin("B01NAL48FU"), asin("B00NNUMI86")
    matched = match([first, second], [{"asin": "B00NNUMI86"}, {"asin": "B01NAL48FU"}])
    assert matched == Matched({first: ({"asin": "B01NAL48FU"},), second: ({"asin": "B00NNUMI86"},)}, 0, 0)


def test_padded_forms_of_a_gtin_match() -> None:
    key = upc("793610399007")
    for item in ({"ean": "0793610399007"}, {"upcList": ["793610399007"]}, {"eanList": ["00793610399007"]}):
        assert match([key], [item]).items[key] == (item,)


def test_one_upc_keeps_all_its_products() -> None:
    key = upc("793610399007")
    assert len(match([key], [{"asin": "A", "upc": key.code}, {"asin": "B", "upc": key.code}]).items[key]) == 2


def test_one_product_answers_several_codes() -> None:
    first, second = upc("793610399007"), upc("012345678905")
    found = match([first, second], [{"asin": "A", "upcList": [first.code, second.code]}]).items
    assert len(found[first]) == len(found[second]) == 1


def test_what_nobody_asked_for_is_counted_and_a_code_without_item_is_not_found() -> None:
    key = asin("B01NAL48FU")
    assert match([key], [{"asin": "B00NNUMI86"}, {}, {"asin": None}]) == Matched({key: ()}, strays=1, nameless=2)


def test_a_product_without_an_asin_still_answers_the_upc_it_was_paid_for_by() -> None:
    key, item = upc("793610399007"), {"upc": "793610399007", "title": "Darts"}
    assert match([key], [item]) == Matched({key: (item,)}, 0, 0)


def test_a_product_said_twice_is_one() -> None:
    key, item = asin("B01NAL48FU"), {"asin": "B01NAL48FU"}
    assert match([key], [item, {**item}]).items == {key: (item,)}


def test_odd_fields_are_no_match() -> None:
    key = upc("793610399007")
    item = {"upc": 793610399007, "ean": "n/a", "upcList": None, "eanList": [None, 7]}
    assert match([key], [item]) == Matched({key: ()}, strays=0, nameless=1)


def test_a_product_of_another_upc_is_a_stray_also_without_an_asin() -> None:
    key = upc("793610399007")
    assert match([key], [{"upc": "012345678905"}]) == Matched({key: ()}, strays=1, nameless=0)
