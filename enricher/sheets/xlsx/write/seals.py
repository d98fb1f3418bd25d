"""What forbids any change to a workbook: a digital signature over it, or a history that other people's copies share.

Owns how they are recognised. A signature over macros alone stays valid, as their part is copied byte for byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from enricher.errors import InputError
from enricher.sheets.xlsx.opc.refusals import or_new_workbook

if TYPE_CHECKING:
    from collections.abc import Iterable

    from enricher.sheets.xlsx.opc.package import Package

_SIGNATURES = "_xmlsignatures/"
_HISTORIES = {"revisionHeaders", "usernames"}


def refuse_sealed(package: Package, kinds: Iterable[str]) -> None:
    """Raise InputError for a workbook that must not be added to; `kinds` are those of the workbook part's links."""
    name = package.path.name
    if any(part.lower().startswith(_SIGNATURES) for part in package.names()):
        raise InputError(
            f"{name}: the workbook carries a digital signature, which any change would break. "
            f"{or_new_workbook('Save a copy without the signature and use that')}"
        )
    if not _HISTORIES.isdisjoint(kinds):
        raise InputError(
            f"{name}: the workbook is shared and keeps a history of changes, which would not know of new columns. "
            f"{or_new_workbook('Stop sharing it in Excel (Review, Unshare Workbook) and retry')}"
        )
