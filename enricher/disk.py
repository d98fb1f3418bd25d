"""What it takes for a file's name to outlast a power cut. Knows no format."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make a new, renamed or deleted name in `folder` durable. Raises OSError."""
    if os.name == "nt":
        return  # Windows can't open a folder; its renames are journalled by the file system
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
