"""The codes of all seeds, and a resume file that knows most of them: so mutants get columns full of hard values.

Owns what the answers hold. Knows no file but the resume file.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from enricher import config
from enricher.codes.gtin import check_digit
from enricher.model import Answer, CodeType, Domain, Item, Key
from enricher.pipeline import Task
from enricher.store import Store

if TYPE_CHECKING:
    from pathlib import Path

EANS = [body + check_digit(body) for body in (f"400{number * 7919:09}" for number in range(1, 31))]
UPCS = [body + check_digit(body) for body in (f"0{number * 104729:010}" for number in range(1, 16))]
ASINS = [f"B0{number * 48_611:08}" for number in range(1, 16)]

_MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_TITLES = (
    "plain",
    'a "quoted" title, with; every|delimiter\tin it',
    "two\nlines\r\nand a return\r",
    "=HYPERLINK(1)",
    "+49 30",
    "-1",
    "@sum",
    "_x000D_ as text",
    "\x00\x01\x1f\ufffe\uffff",
    " edges ",
    "ünï日本語 \U0001f600",
    "<b>&amp;]]></b>",
    "x" * 40_000,
    "'",
    '"',
)
_PRICES = (12.5, 1e300, -0.0, 1e-7, 12345678905.0)


def make_store(path: Path) -> None:
    """Write a resume file with answers to two codes in three, for runs offline and of another address alike."""
    task = Task(path, config.load(None, {}, {}))
    keys = [
        Key(kind, Domain.COM, code)
        for kind, codes in ((CodeType.EAN, EANS), (CodeType.UPC, UPCS), (CodeType.ASIN, ASINS))
        for code in codes
    ]
    with Store(path, task.host) as store:
        store.put([Answer(key, _items(at), _MOMENT) for at, key in enumerate(keys) if at % 3])


def _items(at: int) -> tuple[Item, ...]:
    if at % 7 == 0:
        return ()
    title, price = _TITLES[at % len(_TITLES)], _PRICES[at % len(_PRICES)]
    item: Item = {
        "asin": ASINS[at % len(ASINS)],
        "title": title,
        "brand": None if at % 4 == 0 else title[:20],
        "bsr": at * 10**9,
        "lowestNewPrice": price,
        "soldByAmazon": at % 2 == 0,
        "upcList": [UPCS[0], UPCS[1]],
    }
    return (item, {**item, "bsr": 1}) if at % 5 == 0 else (item,)
