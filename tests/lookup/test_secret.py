from __future__ import annotations

import base64
import html
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

from enricher.lookup.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = ["plain0alphanumeric1key2", "Zx9QheadX+/abc0123==", 's3cret+key/=%&"<ü long\\']


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent-encoded": quote,
    "percent-encoded twice": lambda key: quote(quote(key, safe=""), safe=""),
    "plus-encoded": quote_plus,
    "upper case": str.upper,
    "HTML": html.escape,
    "numeric HTML": lambda key: "".join(f"&#{ord(char)};" for char in key),
    "JSON": lambda key: json.dumps(key)[1:-1].replace("/", "\\/").replace("\\\\", "\\"),
    "base64": in_base64,
    "base64 for URLs": lambda key: base64.urlsafe_b64encode(key.encode()).decode().rstrip("="),
    "base64 in a URL": lambda key: quote(in_base64(key), safe=""),
    "the URL in base64": lambda key: in_base64(f"/products/lookup?asin=B0&key={quote_plus(key)}"),
    "the header in base64": lambda key: in_base64(f"key:{key}"),
}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("form", FORMS)
def test_the_key_is_taken_out_in_every_form(form: str, key: str) -> None:
    encoded = FORMS[form](key)
    cleaned = Secret(key).taken_out_of(f"before {encoded} after")
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")
    assert "..." in cleaned
    assert encoded[4:-4] not in cleaned


def test_other_texts_stay_as_they_are() -> None:
    text = "Magnetic Dart Board + 12 darts & more, 100 % wool (\\o/) %2B &#43; a2V5"
    assert all(Secret(key).taken_out_of(text) == text for key in KEYS)


@pytest.mark.parametrize("key", ["s3cret+key/=%&x long", "a" * 40 + "b", "\\" * 20 + "b", "%" * 20 + "2", "&" * 20])
def test_a_reply_full_of_beginnings_of_the_key_takes_no_time(key: str) -> None:
    started_s = time.process_time()
    for beginning in (key[:-1], "\\", "%25", "&#0", "&amp;"):
        Secret(key).taken_out_of(beginning * (200_000 // len(beginning)))
    assert time.process_time() - started_s < 3
