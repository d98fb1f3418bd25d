"""The commands about resume files by themselves: `enricher store ...`."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enricher import pipeline
from enricher.cli import options as o  # noqa: TC001 - typer looks the flags up when it runs
from enricher.cli.printing import show
from enricher.cli.progress import Bars, Lines, Progress, Screen
from enricher.cli.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator

app = typer.Typer(
    no_args_is_help=True,
    help="Look into resume files, check them, write them as tables, put them together. Spends nothing.",
)

_DAMAGED = 1
_INFO_HELP = """Say what FILE holds: codes, products, how old they are, by type and marketplace.

\b
Examples:
  enricher store info catalog.resume.parquet
  enricher store info catalog.resume.parquet --json

It only reads, and works while a run is adding to the file.
"""
_VERIFY_HELP = """Read all of FILE and check it: every checksum, every row. Exit 0: sound; 1: damaged.

\b
Examples:
  enricher store verify catalog.resume.parquet
  enricher store verify catalog.resume.parquet && cp catalog.resume.* backup/

It only reads, and works while a run is adding to the file.
"""
_EXPORT_HELP = """Write what FILE knows as a table: a row for each product, and for each code that was not found.

First stands whose a row is: code_type, domain, code, outcome, fetched_at
(in UTC) and item (0, 1, 2 ... of the products of one code). Then the fields.
Codes are text, prices and ranks numbers. Lists stay lists in .parquet and
.jsonl, and are joined by "; " elsewhere.

\b
Examples:
  enricher store export a.parquet -o products.xlsx
  enricher store export a.parquet -o prices.csv --history --fields bsr,title
  enricher store export a.parquet -o all.parquet --history --fields all,raw

It only reads FILE, and works while a run is adding to it.
"""
_MERGE_HELP = """Put the answers of several resume FILES of one service together in a new one.

The newest answer of each code counts; all others stay as its history. The files are only read.

\b
Examples:
  enricher store merge spring.parquet summer.parquet -o all.parquet
  enricher enrich catalog.xlsx --store all.parquet
"""

_File = Annotated[
    Path,
    typer.Argument(
        readable=False,  # whether it can be read is said later, in words
        metavar="FILE",
        help="The resume file, such as catalog.resume.parquet.",
        show_default=False,
    ),
]
_Files = Annotated[
    list[Path],
    typer.Argument(readable=False, metavar="FILES", help="Two or more resume files.", show_default=False),
]
_Table = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="OUTPUT",
        help="The table: .csv, .tsv, .txt, .xlsx, .parquet or .jsonl, by its ending.",
        show_default=False,
    ),
]
_NewStore = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="OUTPUT",
        help="The new resume file; one that exists is never overwritten.",
        show_default=False,
    ),
]
_History = Annotated[
    bool, typer.Option("--history", help="Every answer ever, by code and then time, not only each code's newest.")
]
_Fields = Annotated[
    str | None,
    typer.Option(
        "--fields",
        metavar="LIST",
        help="The fields, such as title,brand; `raw` is the JSON of what else the service said: all,raw.",
        show_default="all, without raw",
    ),
]
_Overwrite = Annotated[bool, typer.Option("--force", help="Overwrite an output that exists.")]


@app.command("info", help=_INFO_HELP)
def _info(file: _File, *, json: o.Json = False) -> None:
    info = pipeline.store_info(file)
    show(str(file), info.lines(), info.to_json(), as_json=json)


@app.command("verify", help=_VERIFY_HELP)
def _verify(file: _File, *, json: o.Json = False) -> None:
    with _observing(quiet=False) as observer:
        verdict = pipeline.verify_store(file, observer)
    show(verdict.title, verdict.lines(), verdict.to_json(), as_json=json)
    raise typer.Exit(0 if verdict.is_sound else _DAMAGED)


@app.command("export", help=_EXPORT_HELP)
def _export(  # noqa: PLR0913 - a parameter for each flag
    file: _File,
    output: _Table,
    *,
    history: _History = False,
    fields: _Fields = None,
    force: _Overwrite = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    task = pipeline.Export(file, output, pipeline.fields_named(fields), history, force)
    with _observing(quiet=quiet) as observer:
        done = pipeline.export(task, observer)
    show(f"Exported {file}", done.lines(), done.to_json(), as_json=json, quiet=quiet)


@app.command("merge", help=_MERGE_HELP)
def _merge(files: _Files, output: _NewStore, *, json: o.Json = False) -> None:
    with _observing(quiet=True):
        merged = pipeline.merge_stores(files, output)
    show(f"Merged {len(files):,} resume files", merged.lines(), merged.to_json(), as_json=json)


@contextlib.contextmanager
def _observing(*, quiet: bool) -> Iterator[pipeline.Observer]:
    """Show progress as fits the place. An interrupt is an exception, so that nothing half-made stays behind."""
    Stop().install()
    observer = (Progress if quiet else Bars if sys.stderr.isatty() else Lines)()
    try:
        yield observer
    except KeyboardInterrupt:
        observer.close()
        Screen().write("enricher: interrupted; nothing was changed\n")
        raise
    finally:
        observer.close()
