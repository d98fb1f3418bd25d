"""A new CSV from the rows of another kind of file."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from enricher.sheets.csv.dialect import Dialect
from enricher.sheets.csv.render import Renderer
from enricher.sheets.names import unique_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from enricher.model import Additions

_TICK_ROWS = 20_000


def write_new_csv(  # noqa: PLR0913, PLR0917 - what is written, where, and who hears of it
    target: Path,
    delimiter: str,
    rows: Iterable[tuple[int, list[str]]],
    header_row: int,
    additions: Additions,
    tick: Callable[[int], None],
) -> list[str]:
    """Write rows (number, texts) and the new columns as UTF-8 with a BOM, which spreadsheets know it by.

    Rows above the header are kept as they are. Returns what the user should know.
    """
    kept = list(rows)
    width = max((len(texts) for _, texts in kept), default=0)
    dialect = Dialect("utf-8", has_bom=True, delimiter=delimiter, quoting=True, line_end="\r\n", decimal=".")
    renderer = Renderer(dialect, additions)
    done = 0
    with target.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out, delimiter=delimiter, lineterminator="")
        for number, texts in kept:
            writer.writerow([*texts, *[""] * (width - len(texts))])
            if number == header_row:
                out.write(renderer.header(unique_names(texts, additions.names)))
            elif number > header_row and done < len(additions.index):
                out.write(renderer.piece(int(additions.index[done])))
                done += 1
                if done % _TICK_ROWS == 0:
                    tick(_TICK_ROWS)
            out.write(dialect.line_end)
    tick(done % _TICK_ROWS)
    return renderer.warnings()
