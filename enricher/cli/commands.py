"""The commands: parse, call `pipeline`, print. Decides nothing, but which exit code each ending has."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enricher import __version__, config, memory, pipeline, report
from enricher.cli import options as o
from enricher.cli import stores
from enricher.cli.main import SIGNALS
from enricher.cli.printing import show
from enricher.cli.progress import Bars, Lines, Progress, Screen
from enricher.cli.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from enricher.model import Levels

app = typer.Typer(
    name="enricher",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,  # they print local variables, and one of those is the API key
    help="Add Amazon product data to a spreadsheet of ASINs, UPCs and EANs, through the ASINScope API.",
    epilog="Try it: enricher enrich catalog.xlsx --sandbox",
)

_EXIT_OF_STOP = {"budget": 75, "day": 75, "signal": 130, "key": 77, "down": 3}
_ERROR_STOPS = {"key", "down"}
"""What --quiet does not keep back: the user has to do something about it."""
_ENRICH_HELP = """Add product columns to INPUT and write it as OUTPUT. Run the same command again to go on after a stop.

\b
Examples:
  enricher enrich catalog.xlsx
  enricher enrich catalog.xlsx --domain de --fields title,brand,lowest_new_price
  enricher enrich stock.csv -o stock.xlsx --code-column EAN --max-tokens 500
  enricher enrich catalog.xlsx --sandbox

\b
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 some lookups failed, 65 input unreadable, 73 output can't be written,
75 stopped at the quota (run again), 77 API key, 98 resume file in use, 130 interrupted.
"""
_PLAN_HELP = """Say what `enrich` with the same flags would cost and how long it would take. Spends nothing.

\b
Examples:
  enricher plan catalog.xlsx
  enricher plan import.csv --domain de --json
"""

_SANDBOX_HELP = """Serve the ASINScope API on this machine until Ctrl-C: same endpoints, errors and quotas, no cost.

Keys: `sandbox` (Pro, or --plan), `sandbox-basic` (Basic), `sandbox-none` (no subscription).

\b
Example, in two terminals:
  enricher sandbox
  ASINSCOPE_API_KEY=sandbox enricher enrich my.csv --api-url http://127.0.0.1:8787
"""


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(f"enricher {__version__}")
        raise typer.Exit
    memory.keep_little()


def _enrich_or_plan(
    ctx: typer.Context,
    input: o.Input,
    output: o.Output = None,
    code_column: o.CodeColumn = None,
    code_type: o.CodeTypeFlag = None,
    sheet: o.Sheet = None,
    header_row: o.HeaderRow = None,
    no_header: o.NoHeader = False,
    domain: o.DomainFlag = None,
    domain_column: o.DomainColumn = None,
    repair: o.RepairFlag = None,
    unpack_cases: o.UnpackCases = False,
    send_invalid: o.SendInvalid = False,
    limit: o.Limit = None,
    max_unpacked_gb: o.MaxUnpackedGb = None,
    new_workbook: o.NewWorkbook = False,
    fields: o.Fields = None,
    config: o.Config = None,
    store: o.Store = None,
    max_age: o.MaxAge = None,
    max_tokens: o.MaxTokens = None,
    reserve_tokens: o.ReserveTokens = None,
    on_quota: o.OnQuotaFlag = None,
    workers: o.Workers = None,
    offline: o.Offline = False,
    sandbox: o.Sandbox = False,
    api_url: o.ApiUrl = None,
    force: o.Force = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    task = _task(input, output, config, o.flags(dict(locals())), force=force)
    if ctx.command.name == "plan":
        with _observing(task, quiet=quiet) as observer:
            plan = pipeline.plan(task, observer)
        show(f"Plan for {task.input}", plan.lines(), plan.to_json(), as_json=json, quiet=quiet)
        return
    stop = Stop()
    stop.install()
    with _observing(task, quiet=quiet, stop=stop) as observer:
        summary = pipeline.enrich(task, observer, stop)
    show(f"Enriched {task.input}", summary.lines(), summary.to_json(), as_json=json, quiet=quiet)
    if quiet and summary.stop_reason in _ERROR_STOPS:
        typer.echo(f"enricher: {summary.stopped}", err=True)
    code = _EXIT_OF_STOP.get(summary.stop_reason, 0) or (3 if summary.codes_failed else 0)
    raise typer.Exit(code)


app.command("enrich", help=_ENRICH_HELP)(_enrich_or_plan)
app.command("plan", help=_PLAN_HELP)(_enrich_or_plan)
app.add_typer(stores.app, name="store")


@app.command("inspect")
def _inspect(
    input: o.Input,
    code_column: o.CodeColumn = None,
    code_type: o.CodeTypeFlag = None,
    sheet: o.Sheet = None,
    header_row: o.HeaderRow = None,
    no_header: o.NoHeader = False,
    domain: o.DomainFlag = None,
    domain_column: o.DomainColumn = None,
    repair: o.RepairFlag = None,
    unpack_cases: o.UnpackCases = False,
    send_invalid: o.SendInvalid = False,
    limit: o.Limit = None,
    max_unpacked_gb: o.MaxUnpackedGb = None,
    config: o.Config = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Tell how INPUT is read: sheet, header, code columns, and what is wrong with which rows. Needs no key."""
    task = _task(input, None, config, o.flags(dict(locals())))
    with _observing(task, quiet=quiet) as observer:
        found = pipeline.inspect(task, observer)
    show(f"{task.input}", found.lines(), found.to_json(), as_json=json, quiet=quiet)


@app.command("account")
def _account(
    config: o.Config = None,
    sandbox: o.Sandbox = False,
    api_url: o.ApiUrl = None,
    json: o.Json = False,
) -> None:
    """Show the account's tokens left, its limits and the next reset. Free."""
    task = _task(Path(), None, config, o.flags(dict(locals())))
    levels = pipeline.account(task)
    show(f"Account at {task.host}", _account_lines(levels), dataclasses.asdict(levels), as_json=json, quiet=False)


@app.command("sandbox", help=_SANDBOX_HELP)
def _sandbox(
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port on this machine; 0 takes a free one.")
    ] = 8787,
    catalog: Annotated[
        Path | None,
        typer.Option(
            "--catalog", metavar="FILE", help="Products: .csv, .jsonl or .parquet.", show_default="1,000 invented ones"
        ),
    ] = None,
    plan: Annotated[o.SandboxPlan, typer.Option("--plan", help="The plan of the key `sandbox`.")] = o.SandboxPlan.PRO,
) -> None:
    from enricher import sandbox  # noqa: PLC0415 - a web server takes a quarter of a second to load

    products = sandbox.Catalog.load(catalog) if catalog else sandbox.Catalog.shipped()

    def ready(url: str) -> None:
        typer.echo(f'ASINScope sandbox at {url} with {len(products):,} products, key "sandbox" on {plan.title()}.')
        typer.echo(f"Documentation: {url}/docs    Stop: Ctrl-C")

    tiers = {o.SandboxPlan.PRO: sandbox.PRO, o.SandboxPlan.BASIC: sandbox.BASIC}
    for name in SIGNALS:  # the server ends its connections first, and raises them again
        signal.signal(getattr(signal, name), signal.default_int_handler)
    sandbox.run_foreground(port=port, catalog=products, plan=tiers[plan], on_ready=ready)


def _task(
    input: Path,
    output: Path | None,
    config_file: Path | None,
    flags: Mapping[str, Any],
    *,
    force: bool = False,
) -> pipeline.Task:
    return pipeline.Task(input, config.load(config_file, flags, os.environ), output, force)


@contextlib.contextmanager
def _observing(task: pipeline.Task, *, quiet: bool, stop: Stop | None = None) -> Iterator[pipeline.Observer]:
    """Show progress as fits the place: bars on a terminal, lines elsewhere, nothing when quiet."""
    shown = Progress if quiet else Bars if sys.stderr.isatty() else Lines
    observer = shown(stop, task.settings.lookup)
    try:
        yield observer
    except KeyboardInterrupt:
        observer.close()
        Screen().write("enricher: interrupted; what was paid for is kept\n")
        raise
    finally:
        observer.close()


def _account_lines(levels: Levels) -> list[str]:
    now = datetime.now(UTC).astimezone()
    reset = report.moment(now + timedelta(seconds=levels.daily_reset_s), now)
    rate = f"{levels.rate_per_min:,.10g} more each minute"
    return [
        f"  Today    {levels.daily_left:,} of {levels.daily_limit:,} tokens left",
        f"  Now      {levels.bucket_left:,} of {levels.bucket_capacity:,} in the bucket, {rate}",
        f"  Reset    {reset}, in {report.duration(levels.daily_reset_s)}",
    ]
