"""Older formats: their files are kept as copies before new ones take the names."""

from __future__ import annotations

import filecmp
import itertools
import os
import shutil
from typing import TYPE_CHECKING

from enricher.errors import OutputError
from enricher.store.file import discard, partial_of, place

if TYPE_CHECKING:
    from pathlib import Path


def keep_copy(path: Path, version: int) -> Path:
    """Copy a file to NAME.format-VERSION.*; return where the copy is. Raises OutputError.

    No copy takes the place of another one; one with the same content, of a try that was interrupted, will do.
    """
    stem = f"{path.stem}.format-{version}"
    names = (path.with_stem(stem if number == 1 else f"{stem}-{number}") for number in itertools.count(1))
    copy = next(name for name in names if not name.exists() or filecmp.cmp(name, path, shallow=False))
    if copy.exists():
        return copy
    partial = partial_of(copy)
    try:
        shutil.copy2(path, partial)
        with partial.open("r+b") as file:
            os.fsync(file.fileno())
        place(partial, copy)
    except OSError as error:
        raise OutputError(
            f"{copy}: can't be written ({error.strerror}), and without a copy {path.name} is not brought up to date"
        ) from None
    finally:
        discard(partial)
    return copy
