"""A sandbox with a few products, a clock that stands still, and a way to ask it over real HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest
import requests

from enricher.clock import ManualClock
from enricher.sandbox import KEYS, Catalog, Plan, Sandbox, serve

Ask: TypeAlias = Callable[..., requests.Response]

# The documentation's sample reply (API.md, "Response"), its title shortened.
SAMPLE: dict[str, Any] = {
    "asin": "B088H39PXX",
    "ean": "0793610399007",
    "upc": "793610399007",
    "mpn": "2143",
    "bsr": 95,
    "category": "Sports & Outdoors",
    "brand": "CUKU",
    "title": "Magnetic Dart Board - 12pcs Magnetic Darts",
    "productGroup": "Sports",
    "lowestNewPrice": 22.79,
    "lowestFormattedPrice": "$22.79",
    "soldByAmazon": False,
    "packageDimensions": {"height": 1.77, "width": 13.46, "length": 13.58, "weight": 2.07},
    "upcList": ["793610399007"],
    "eanList": ["0793610399007"],
    "totalNew": 2,
    "smallImage": "https://images.example.com/I/91we94LQPhL.jpg",
    "mediumImage": "https://images.example.com/I/91we94LQPhL.jpg",
    "images": ["https://images.example.com/I/91we94LQPhL.jpg", "https://images.example.com/I/91WKu-Y.jpg"],
}
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TRIO_UPC = "012345678905"


@pytest.fixture(scope="session")
def sample() -> dict[str, Any]:
    return SAMPLE


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    trio = [{"asin": f"B000000{number}X", "upc": TRIO_UPC, "title": f"Pack of {number}"} for number in range(10, 13)]
    return Catalog([{**SAMPLE, "domain": "com"}, *trio])


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def sandbox(catalog: Catalog, clock: ManualClock, beside: Callable[[Callable[[], None]], None]) -> Iterator[Sandbox]:
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(serve(catalog, clock=clock))
        beside(stack.pop_all().close)


@pytest.fixture
def ask(sandbox: Sandbox) -> Iterator[Ask]:
    yield from asking(sandbox)


@pytest.fixture(scope="session")
def shared(catalog: Catalog) -> Iterator[Sandbox]:
    """Start one sandbox for all the tests that do not look at its levels: starting and stopping takes 0.2 s."""
    plenty = {**KEYS, "sandbox": Plan("Plenty", 10**6, 60, 10**6)}
    with serve(catalog, plenty, ManualClock(NOON)) as running:
        yield running


@pytest.fixture
def ask_shared(shared: Sandbox) -> Iterator[Ask]:
    yield from asking(shared)


def asking(sandbox: Sandbox) -> Iterator[Ask]:
    with requests.Session() as session:
        session.trust_env = False  # no proxy between us

        def get(path: str, **params: Any) -> requests.Response:
            return session.get(sandbox.url + path, params={"key": "sandbox", **params}, timeout=10)

        yield get
