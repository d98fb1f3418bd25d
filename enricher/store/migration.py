"""Older formats: their files are kept as copies before new ones take the names."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from enricher.errors import OutputError
from enricher.store.file import discard, partial_of, place

if TYPE_CHECKING:
    from pathlib import Path


def keep_copies(parquet: Path, journal: Path, version: int) -> Path:
    """Copy what there is to NAME.format-VERSION.*; return the name of the parquet file's copy. Raises OutputError."""
    copy = parquet.with_stem(f"{parquet.stem}.format-{version}")
    partial = partial_of(copy)
    try:
        for path in (parquet, journal):
            if path.exists():
                shutil.copy2(path, partial)
                with partial.open("r+b") as file:
                    os.fsync(file.fileno())
                place(partial, copy.with_suffix(path.suffix))
    except OSError as error:
        raise OutputError(
            f"{copy}: can't be written ({error.strerror}), and without a copy {parquet.name} is not brought up to date"
        ) from None
    finally:
        discard(partial)
    return copy
