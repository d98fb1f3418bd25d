"""What a JSON file is cut into, and how long a piece may be."""

from __future__ import annotations

from typing import NamedTuple

MAX_OBJECT_BYTES = 8 * 1024 * 1024
"""One object is parsed at once, and its values take up to forty times as much memory as its text."""


class Record(NamedTuple):
    """A piece of the file: an object's text and the bytes before and after it; all records together are the file.

    `number` is the line's, or the element's in an array; 0: this is no row, only what follows the last one. A blank
    line has an empty body.
    """

    number: int
    before: bytes
    body: bytes
    after: bytes


def too_long() -> str:
    """Say that an object is longer than is parsed."""
    return f"one object is longer than {MAX_OBJECT_BYTES >> 20} MB, which no product is. Take it out and run again"
