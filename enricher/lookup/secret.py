"""The API key as others may repeat it: found and taken out of texts, however it is encoded there."""

from __future__ import annotations

import base64
import html
import re
from urllib.parse import quote, quote_plus

_BASE64_FORMS = {"+": "(?:[-+]|%(?:25){0,4}2b)", "/": r"(?:_|\\{0,4}/|%(?:25){0,4}2f)"}
"""The two characters that differ in URLs, and are escaped there."""
_LEAST_BYTES_IN_BASE64 = 8
"""A shorter key leaves too little of itself in base64 to be told from any other text."""


class Secret:
    """The patterns of one key.

    >>> Secret("s3cret+key").taken_out_of("bad ?key=S3cret%2Bkey&asin=1")
    'bad ?key=...&asin=1'
    """

    def __init__(self, key: str) -> None:
        forms = ["".join(map(_any_form, key))] if key else []
        data = key.encode("utf-8", "surrogateescape")
        for form in dict.fromkeys((data, quote_plus(data).encode(), quote(data, safe="").encode())):
            forms += _in_base64(form)  # also of the URL, in which it is percent-encoded
        self._pattern = re.compile("|".join(forms) or "(?!)", re.IGNORECASE)

    def taken_out_of(self, text: str) -> str:
        """Return the text with dots wherever the key stood: as it is, or as URLs, HTML, JSON or base64 have it."""
        return self._pattern.sub("...", text)


def _any_form(char: str) -> str:
    """Return a pattern of a character percent-encoded, once or more often, as HTML and JSON have it, and as it is.

    No two of these match the same text, and no repetition is without an end: else a reply full of beginnings of the
    key, or of backslashes, would take for ever.
    """
    percent = "".join(f"%(?:25){{0,4}}{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
    entities = [f"&#0{{0,6}}{ord(char)};", f"&#x0{{0,6}}{ord(char):x};"]
    if html.escape(char) != char:
        entities.append(html.escape(char))
    plain = {" ": "[ +]", "/": r"\\{0,4}/", '"': r'\\{0,4}"'}.get(char, re.escape(char))
    return "(?:" + "|".join([percent, *entities, rf"\\u{ord(char):04x}", plain]) + ")"  # "%" as it is begins "%25"


def _in_base64(data: bytes) -> list[str]:
    """Return patterns of what base64 makes of some bytes, of their own or anywhere in a longer text."""
    if len(data) < _LEAST_BYTES_IN_BASE64:
        return []
    forms = []
    for before in range(3):  # three bytes make four characters: so there are three ways for them to lie in those
        whole = base64.b64encode(bytes(before) + data).decode()
        own = whole[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]  # the characters that depend on them alone
        forms.append("".join(_BASE64_FORMS.get(char, char) for char in own))
    return forms
