"""What the user wants of codes, and allows to be done to them. The settings' words, without the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from enricher.model import CodeType


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user wants and allows: one type only, repairs, the article in place of its case, wrong check digits."""

    wanted: CodeType | None = None
    repair: bool = True
    unpack_cases: bool = False
    send_invalid: bool = False
