"""The flags, each declared once and shared by the commands that take it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enricher.errors import ConfigError
from enricher.model import CodeType

if TYPE_CHECKING:
    from collections.abc import Mapping

_READ, _ASK, _WRITE = "Reading the sheet", "Looking up", "Writing"


class Type(StrEnum):
    """What --code-type takes."""

    AUTO = "auto"
    ASIN = CodeType.ASIN.value
    UPC = CodeType.UPC.value
    EAN = CodeType.EAN.value


class Repair(StrEnum):
    """What --repair takes."""

    OFF = "off"
    SAFE = "safe"


class OnQuota(StrEnum):
    """What --on-quota takes."""

    STOP = "stop"
    WAIT = "wait"


class SandboxPlan(StrEnum):
    """What --plan of the sandbox takes."""

    PRO = "pro"
    BASIC = "basic"


Input = Annotated[
    Path,
    typer.Argument(
        readable=False,  # whether it can be read is said later, in words and with the exit code for it
        metavar="INPUT",
        help="The spreadsheet: .xlsx, .xlsm, .xls, .xlsb, .ods, .csv, .tsv, .txt, .html, .parquet or .jsonl.",
        show_default=False,
    ),
]
CodeColumn = Annotated[
    list[str] | None,
    typer.Option(
        "--code-column",
        metavar="NAME",
        help="Column with the codes: its header or its letter. Repeat it to fall back: a row's first code wins.",
        rich_help_panel=_READ,
    ),
]
CodeTypeFlag = Annotated[
    Type | None,
    typer.Option("--code-type", help="Take codes of this type only.", show_default="auto", rich_help_panel=_READ),
]
Sheet = Annotated[
    str | None,
    typer.Option(
        "--sheet",
        metavar="NAME",
        help="Worksheet with the codes.",
        show_default="the first that has any",
        rich_help_panel=_READ,
    ),
]
HeaderRow = Annotated[
    int | None,
    typer.Option(
        "--header-row",
        metavar="N",
        min=1,
        help="Row with the headers, as numbered at the left of the sheet.",
        show_default="found by itself",
        rich_help_panel=_READ,
    ),
]
NoHeader = Annotated[bool, typer.Option("--no-header", help="The sheet has no header row.", rich_help_panel=_READ)]
DomainFlag = Annotated[
    str | None,
    typer.Option(
        "--domain",
        metavar="DOMAIN",
        help="Amazon marketplace: com ca de fr it nl es in uk jp au mx.",
        show_default="com",
        rich_help_panel=_READ,
    ),
]
DomainColumn = Annotated[
    str | None,
    typer.Option(
        "--domain-column", metavar="NAME", help="Column that names each row's marketplace.", rich_help_panel=_READ
    ),
]
RepairFlag = Annotated[
    Repair | None,
    typer.Option(
        "--repair",
        help="Restore lost zeros and the like where the column proves it, or refuse such codes.",
        show_default="safe",
        rich_help_panel=_READ,
    ),
]
UnpackCases = Annotated[
    bool,
    typer.Option(
        "--unpack-cases", help="For a case's GTIN-14 look up the single article inside.", rich_help_panel=_READ
    ),
]
SendInvalid = Annotated[
    bool, typer.Option("--send-invalid", help="Send codes with a wrong check digit, too.", rich_help_panel=_READ)
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit", metavar="ROWS", min=1, help="Only the first rows; the others stay pending.", rich_help_panel=_READ
    ),
]
MaxUnpackedGb = Annotated[
    float | None,
    typer.Option(
        "--max-unpacked-gb",
        metavar="N",
        min=0,
        help="Take a workbook that unpacks to up to N GB, however small it is packed.",
        show_default="refused where it looks like a zip bomb",
        rich_help_panel=_READ,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE.toml", help="Settings; flags win over it.", rich_help_panel=_WRITE),
]
Fields = Annotated[
    str | None,
    typer.Option(
        "--fields",
        metavar="LIST",
        help="Fields to add, separated by commas.",
        show_default="all",
        rich_help_panel=_WRITE,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        readable=False,
        metavar="OUTPUT",
        help="Where the result goes; its ending says what it is: .xlsx, .csv, .tsv, .parquet, .jsonl.",
        show_default="INPUT.enriched.SUFFIX",
        rich_help_panel=_WRITE,
    ),
]
NewWorkbook = Annotated[
    bool,
    typer.Option(
        "--new-workbook",
        help="Write the sheet's values into a new .xlsx, for a workbook that can't be added to as it is.",
        rich_help_panel=_WRITE,
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Overwrite an output that enricher did not write, or that was changed since.",
        rich_help_panel=_WRITE,
    ),
]
Store = Annotated[
    Path | None,
    typer.Option(
        "--store",
        metavar="FILE",
        help="The resume file; many sheets may share one.",
        show_default="INPUT.resume.parquet beside the output",
        rich_help_panel=_ASK,
    ),
]
MaxAge = Annotated[
    str | None,
    typer.Option(
        "--max-age",
        metavar="AGE",
        help="Look up again what is known for longer: 30d, 12h.",
        show_default="never",
        rich_help_panel=_ASK,
    ),
]
MaxTokens = Annotated[
    int | None,
    typer.Option("--max-tokens", metavar="N", min=0, help="Spend at most N tokens in this run.", rich_help_panel=_ASK),
]
ReserveTokens = Annotated[
    int | None,
    typer.Option(
        "--reserve-tokens", metavar="N", min=0, help="Leave N of the day's tokens to others.", rich_help_panel=_ASK
    ),
]
OnQuotaFlag = Annotated[
    OnQuota | None,
    typer.Option(
        "--on-quota",
        help="When the day's tokens are used up: stop, or wait for the reset.",
        show_default="stop",
        rich_help_panel=_ASK,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        max=32,
        help="Requests under way at once, when the service is slow and tokens are there.",
        show_default="4",
        rich_help_panel=_ASK,
    ),
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Ask nothing; use what the resume file knows.", rich_help_panel=_ASK)
]
Sandbox = Annotated[
    bool,
    typer.Option(
        "--sandbox", help="Ask a sandbox on this machine: invented products, no key, no cost.", rich_help_panel=_ASK
    ),
]
ApiUrl = Annotated[
    str | None,
    typer.Option(
        "--api-url", metavar="URL", help="Another address of the API, such as a sandbox's.", rich_help_panel=_ASK
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress and no summary; errors only.")]


_SETTINGS = {
    "code_column": "input.code_columns",
    "code_type": "input.code_type",
    "sheet": "input.sheet",
    "header_row": "input.header_row",
    "domain": "input.domain",
    "domain_column": "input.domain_column",
    "repair": "input.repair",
    "unpack_cases": "input.unpack_cases",
    "send_invalid": "input.send_invalid",
    "limit": "input.limit",
    "max_unpacked_gb": "input.max_unpacked_gb",
    "new_workbook": "output.new_workbook",
    "fields": "output.fields",
    "store": "store.path",
    "max_age": "lookup.max_age",
    "max_tokens": "lookup.max_tokens",
    "reserve_tokens": "lookup.reserve_tokens",
    "on_quota": "lookup.on_quota",
    "workers": "lookup.workers",
    "offline": "lookup.offline",
    "sandbox": "lookup.sandbox",
    "api_url": "lookup.api_url",
}


def flags(given: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the flags of a command (its arguments by name) into settings; None: not given, as a switch not thrown.

    Raises ConfigError for flags that exclude each other, and for an empty one, as a shell writes an unset variable.
    """
    for flag in _SETTINGS:
        value = given.get(flag)
        if (value is not None and str(value) in {"", "."}) or (isinstance(value, list) and "" in value):
            raise ConfigError(f"--{flag.replace('_', '-')}: nothing is given")
    for one, other in (("sandbox", "api_url"), ("no_header", "header_row")):
        if given.get(one) and given.get(other):
            raise ConfigError(f"--{one} and --{other} exclude each other".replace("_", "-"))
    values = {setting: given.get(flag) for flag, setting in _SETTINGS.items()}
    settings = {name: None if value is False else value for name, value in values.items()}
    if given.get("no_header"):
        settings["input.header_row"] = 0
    return settings
