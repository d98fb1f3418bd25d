"""Two ways to look codes up that one would write in an afternoon. Neither knows anything of enricher's.

Their pauses are `scale` times shorter than they would be, as the quota they meet is that much faster.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CHUNK = 10
_FIRST_PAUSE_S = 1.0
_TIMEOUT_S = 30


def back_off(url: str, key: str, codes: Sequence[str], scale: float) -> None:
    """Ask as the documentation's sample does, ten codes a request; on a 429 wait 1, 2, 4 ... s before the next try."""
    for chunk in _chunks(codes):
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                _lookup(url, key, chunk)
            except requests.HTTPError as error:
                if error.response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
                    raise
                time.sleep(pause_s / scale)
                pause_s *= 2
            else:
                break


def check_then_sleep(url: str, key: str, codes: Sequence[str], scale: float) -> None:
    """Look at the tokens before each request; where fewer than ten are left, sleep until the bucket must be full.

    What the account says of its rate is that of the faster quota: nothing is left to be scaled.
    """
    del scale
    for chunk in _chunks(codes):
        account = _account(url, key)
        if account["minutelyTokensLeft"] < _CHUNK:
            time.sleep(account["minutelyBucketCapacity"] / account["tokensPerMinute"] * 60)
        _lookup(url, key, chunk)


def _chunks(codes: Sequence[str]) -> Iterator[Sequence[str]]:
    return (codes[start : start + _CHUNK] for start in range(0, len(codes), _CHUNK))


def _lookup(url: str, key: str, codes: Sequence[str]) -> Any:
    params = {"key": key, "ean": ",".join(codes), "domain": "com"}
    response = requests.get(f"{url}/products/lookup", params=params, timeout=_TIMEOUT_S)
    response.raise_for_status()
    return response.json()


def _account(url: str, key: str) -> Any:
    response = requests.get(f"{url}/account/tokens", params={"key": key}, timeout=_TIMEOUT_S)
    response.raise_for_status()
    return response.json()
