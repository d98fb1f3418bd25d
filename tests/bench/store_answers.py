"""Answers made up from a seed, and what a store says of them. Knows how the API words an item, not how it is kept."""

from __future__ import annotations

import json
import random
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from enricher.codes.gtin import check_digit
from enricher.keys import KeyArray, pack
from enricher.model import FIELDS, MAX_CHUNK, Answer, CodeType, Domain, Item, Key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from enricher.model import Products
    from enricher.store import Store

_WORDS = 4_000
_CONSONANTS, _VOWELS = "bcdfghklmnprstvw", "aeiou"
_TITLE_WORDS = 13
_SPREAD = 7_919_999  # coprime to the range: different numbers in no order
_RANGE = 10**9
_IMAGE_CHARACTERS = string.ascii_letters + string.digits + "+-"
START = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What items are made of: words, brands and categories; some are much more common than others, as in catalogs."""

    words: tuple[str, ...]
    brands: tuple[str, ...]
    categories: tuple[str, ...]

    @classmethod
    def made(cls, seed: int) -> Vocabulary:
        rng = random.Random(seed)

        def word() -> str:
            syllables = (rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(rng.randint(2, 4)))
            return "".join(syllables).capitalize()

        words = tuple(word() for _ in range(_WORDS))
        pairs = zip(words[:40], words[40:80], strict=True)
        return cls(words, words[:600], tuple(f"{first} & {last}" for first, last in pairs))


def make_code(number: int) -> str:
    """Make the UPC of a number below 10^9; different numbers, different codes, in no order."""
    body = f"79{number * _SPREAD % _RANGE:09}"
    return body + check_digit(body)


def make_key(number: int) -> Key:
    return Key(CodeType.UPC, Domain.COM, make_code(number))


def make_keys(numbers: Sequence[int] | range) -> KeyArray:
    return np.array([pack(make_key(number)) for number in numbers], np.uint64)


def chunks(products: int, seed: int = 6) -> Iterator[list[Answer]]:
    """Make up a product for each of the numbers below `products`: replies of ten, a second apart."""
    vocabulary = Vocabulary.made(seed)
    rng = random.Random(seed)
    for start in range(0, products, MAX_CHUNK):
        at = START + timedelta(seconds=start // MAX_CHUNK)
        numbers = range(start, min(start + MAX_CHUNK, products))
        yield [Answer(make_key(number), (make_item(rng, vocabulary, number),), at) for number in numbers]


def make_item(rng: random.Random, vocabulary: Vocabulary, number: int) -> Item:
    """Make up an item as the API words it: a title of some 90 characters, four images, about 1 kB of JSON."""
    upc = make_code(number)
    price = rng.randrange(299, 49_900) / 100
    images = [f"https://images-na.ssl-images-amazon.com/images/I/{_image_name(rng)}.jpg" for _ in range(4)]
    # The square of an even share: few brands make many products.
    brand = vocabulary.brands[int(rng.random() ** 2 * len(vocabulary.brands))]
    return {
        "asin": f"B0{rng.getrandbits(32):08X}",
        "ean": f"0{upc}",
        "upc": upc,
        "mpn": f"{brand[:3].upper()}-{rng.randrange(100_000)}",
        "bsr": int(10 ** (rng.random() * 6)),
        "category": vocabulary.categories[int(rng.random() ** 2 * len(vocabulary.categories))],
        "brand": brand,
        "title": f"{brand} {' '.join(rng.choices(vocabulary.words, k=_TITLE_WORDS))} {rng.randrange(2, 500)} cm",
        "productGroup": vocabulary.categories[int(rng.random() ** 3 * len(vocabulary.categories))],
        "lowestNewPrice": price,
        "lowestFormattedPrice": f"${price:.2f}",
        "soldByAmazon": rng.random() < 0.3,
        "packageDimensions": {name: rng.randrange(20, 2_000) / 100 for name in ("height", "width", "length", "weight")},
        "upcList": [upc],
        "eanList": [f"0{upc}"],
        "totalNew": rng.randrange(1, 40),
        "smallImage": images[0],
        "mediumImage": images[0],
        "images": images,
    }


def _image_name(rng: random.Random) -> str:
    return "".join(rng.choices(_IMAGE_CHARACTERS, k=11))


# --- what a store says -------------------------------------------------------------------------------------------


def items_by_key(products: Products, key_at: npt.NDArray[np.int32], keys: int) -> list[list[Item] | None]:
    """Return for each key the items of its newest answer, in order; none: not found; None: the store has no answer.

    Raises ValueError where the items of an answer are not in order.
    """
    said: list[list[Item] | None] = [None] * keys
    rows = [row for batch in products.batches() for row in batch.to_pylist()]
    for row, at in zip(rows, key_at.tolist(), strict=True):
        said[at] = items = said[at] or []
        if row["item"] != len(items):
            raise ValueError(f"{row['code']}: item {row['item']} comes after {len(items)} others")
        if row["outcome"] == "found":
            items.append(item_of(row))
    return said


def history_of(products: Products) -> dict[tuple[Key, int], list[Item]]:
    """Return the items of every answer by its key and its time in milliseconds since 1970 UTC.

    Raises ValueError where an answer is there twice, or its items are not in order.
    """
    history: dict[tuple[Key, int], list[Item]] = {}
    for batch in products.batches():
        for row in batch.to_pylist():
            key = Key(CodeType(row["code_type"]), Domain(row["domain"]), row["code"])
            answer = key, round(row["fetched_at"].timestamp() * 1000)
            items = history.setdefault(answer, [])
            if row["item"] != len(items):
                raise ValueError(f"{answer} is there twice, or out of order")
            if row["outcome"] == "found":
                items.append(item_of(row))
    return history


def item_of(row: dict[str, Any]) -> Item:
    """Put an item together again from a row of the resume file: its typed columns, and under them what `raw` says."""
    item: Item = {}
    for field in FIELDS.values():
        if row[field.name] is not None:
            *parents, last = field.path
            holder = item
            for name in parents:
                holder = holder.setdefault(name, {})
            holder[last] = row[field.name]
    _overlay(item, json.loads(row["raw"] or "{}"))
    return item


def _overlay(item: Item, rest: Item) -> None:
    for name, value in rest.items():
        if isinstance(value, dict) and isinstance(item.get(name), dict) and name in _PARENTS:
            item[name].update(value)
        else:
            item[name] = value


_PARENTS = {field.path[0] for field in FIELDS.values() if len(field.path) > 1}


def without_nulls(item: Item) -> Item:
    """Return an item as the resume file keeps it: a documented field that is null is the same as one that is absent."""
    kept: Item = json.loads(json.dumps(item))
    for field in FIELDS.values():
        *parents, last = field.path
        holder: Any = kept
        for name in parents:
            holder = holder.get(name) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and last in holder and holder[last] is None:
            del holder[last]
            if parents and not holder:
                del kept[parents[0]]
    return kept


def fetched_ms(store: Store, keys: KeyArray) -> npt.NDArray[np.int64]:
    """Return when each key's newest answer came, in milliseconds since 1970 UTC; -1 where there is none."""
    return store.known(keys).fetched_ms
