"""Whether a parquet file and a journal can be what they are taken for, and belong together. Reads neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enricher.errors import StoreError
from enricher.store.format import called

if TYPE_CHECKING:
    from pathlib import Path

    from enricher.store.answers import Answers
    from enricher.store.file import File
    from enricher.store.replay import Contents

_WAY_OUT = (
    "Nothing was changed. Restore both from one backup, or move both away to go on without the answers in them (they "
    "would be paid for again)"
)


def check_files(*paths: Path) -> None:
    """Raise StoreError for a folder or a pipe: reading one may never end."""
    for path in paths:
        if path.exists() and not path.is_file():
            raise StoreError(f"{path} is no file: name another resume file with --store FILE.parquet")


def check_pair(path: Path, file: File | None, filed: Answers, contents: Contents) -> None:
    """Raise StoreError where the parquet file at `path`, which holds `filed`, is not the one that the journal follows.

    A journal says how many answers stood before it, and those never become fewer: half of a backup would be taken for
    all there is, and the other half be paid for again.
    """
    if file is not None and contents.host and file.host != contents.host:
        raise StoreError(
            f"{path.name} holds answers of {called(file.host)}, and its journal those of {called(contents.host)}. "
            f"{_WAY_OUT}"
        )
    if len(filed) < contents.answers_before:
        what = "missing" if file is None else "an older one"
        raise StoreError(
            f"{path.name} is {what}: its journal goes on where {contents.answers_before:,} answers were. {_WAY_OUT}"
        )
