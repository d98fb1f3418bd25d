"""The API key as others may repeat it: found and taken out of texts, however it is encoded there."""

from __future__ import annotations

import base64
import html
import re

_LEAST_BYTES_IN_BASE64 = 8
"""A shorter key leaves too little of itself in base64 to be told from any other text."""


class Secret:
    """The patterns of one key.

    >>> Secret("s3cret+key").taken_out_of("bad ?key=S3cret%2Bkey&asin=1")
    'bad ?key=...&asin=1'
    """

    def __init__(self, key: str) -> None:
        forms = ["".join(map(_any_form, key)), *_in_base64(key)] if key else []
        self._pattern = re.compile("|".join(forms) or "(?!)", re.IGNORECASE)

    def taken_out_of(self, text: str) -> str:
        """Return the text with dots wherever the key stood: as it is, percent-, plus- or HTML-encoded, or in base64."""
        return self._pattern.sub("...", text)


def _any_form(char: str) -> str:
    """Return a pattern of a character percent-encoded, once or more often, as HTML has it, and as it is."""
    percent = "".join(f"%(?:25)*{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
    plain = r"[ +]" if char == " " else re.escape(char)
    return f"(?:{percent}|{re.escape(html.escape(char))}|{plain})"  # the longer ones first: "%" begins "%25"


def _in_base64(key: str) -> list[str]:
    """Return patterns of what base64 makes of a key, of its own or anywhere in a longer text, such as the URL."""
    data = key.encode("utf-8", "surrogateescape")
    if len(data) < _LEAST_BYTES_IN_BASE64:
        return []
    forms = []
    for before in range(3):  # three bytes make four characters: so there are three ways for the key to lie in them
        whole = base64.b64encode(bytes(before) + data).decode()
        own = whole[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]  # the characters that depend on it alone
        forms.append(re.escape(own).replace(r"\+", "[-+]").replace("/", "[/_]"))
    return forms
