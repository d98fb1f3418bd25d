"""How much a workbook may unpack to before it is taken for a bomb.

Owns the numbers and the message that names their override. Knows no zip: it is asked with sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from enricher.errors import InputError
from enricher.sheets.xlsx.opc.refusals import AS_CSV

_GB = 1 << 30
_NO_LIMIT = 1 << 62


@dataclass(frozen=True, slots=True)
class Limits:
    """What is allowed without asking; sizes are of what comes out, in bytes.

    `total_bytes` is for all parts together, `part_bytes` for one that is read: a sheet full to the last row with 50
    columns comes to 3 GB. `held_bytes` is for one that has to be held in memory: a million rows with eight texts of
    their own come to 400 MB of shared strings. `ratio` is how many times larger than its zip a part of more than
    `ratio_from_bytes` may be: sheets of real programs come to 10 to 60 times, deflate ends at 1,032.
    """

    total_bytes: int = 8 * _GB
    part_bytes: int = 4 * _GB
    held_bytes: int = _GB // 2
    ratio: int = 200
    ratio_from_bytes: int = 100 << 20

    @classmethod
    def up_to(cls, gigabytes: float) -> Limits:
        """Allow whatever unpacks to so many gigabytes in all: who says so trusts the file."""
        allowed = int(gigabytes * _GB)
        return cls(allowed, allowed, allowed, _NO_LIMIT)

    def check_total(self, name: str, total_bytes: int) -> None:
        """Raise InputError where a whole workbook would unpack to too much."""
        if total_bytes > self.total_bytes:
            raise _too_large(f"{name}: the workbook would unpack to {_size(total_bytes)}", total_bytes)

    def check_part(self, name: str, part: str, sizes: tuple[int, int], total_bytes: int, *, held: bool) -> None:
        """Raise InputError where a part would; `sizes` are unpacked and packed, `held` tells it stays in memory."""
        size, packed = sizes
        bomb = size > self.ratio_from_bytes and size > self.ratio * packed
        if size > self.part_bytes or bomb or (held and size > self.held_bytes):
            raise _too_large(f"{name}: {part} would unpack to {_size(size)} from {_size(packed)}", total_bytes)


LIMITS = Limits()
NO_LIMITS = Limits(_NO_LIMIT, _NO_LIMIT, _NO_LIMIT, _NO_LIMIT)
"""For what this program wrote itself."""


def _too_large(what: str, total_bytes: int) -> InputError:
    enough = max(1, ceil(total_bytes / _GB))
    return InputError(
        f"{what}, which ordinary workbooks don't. If you trust the file, allow it with --max-unpacked-gb {enough}, "
        f"or {AS_CSV}."
    )


def _size(count: int) -> str:
    return f"{count >> 20:,} MB" if count >> 20 else f"{count >> 10:,} KB"
