"""Flags over environment over TOML over defaults, checked, as one frozen object.

Owns the names and defaults of all settings. Knows nothing of how they are used; the API key never shows in its repr.
"""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, field_validator

from enricher.errors import ConfigError
from enricher.model import FIELDS, CodeType, Domain

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_API_URL = "https://api.asinscope.com"
SANDBOX_KEY = "sandbox"
_FLAGS = {"input.code_columns": "code-column", "store.path": "store"}
"""Settings whose flag is called otherwise than they are."""
_VARIABLES = {"lookup.api_key": "ASINSCOPE_API_KEY", "lookup.api_url": "ASINSCOPE_API_URL"}
_AGES = ("price", "content", "not_found")
"""Of the settings of [refresh]: those that --max-age on the command line stands above."""
_PATHS = (("lookup", "api_key_file"), ("store", "path"))
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w)")
_LONGEST_S = 36_500 * 86_400
_UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}


def parse_duration(value: Any) -> Any:
    """Read "30d", "12h", "90min", "45s" or "2w"; anything else is left to pydantic.

    >>> parse_duration("36h")
    datetime.timedelta(days=1, seconds=43200)
    """
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip().lower())
        if not match:
            raise ValueError('write a duration as a number and a unit: "30d", "12h", "90min"')
        seconds = float(match[1]) * _UNITS_S[match[2]]
        if seconds > _LONGEST_S:
            raise ValueError("write a duration of at most 36500d")
        return timedelta(seconds=seconds)
    return value


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _domain(value: Any) -> Any:
    name = _lower(value)
    if isinstance(name, str) and name not in set(Domain):
        raise ValueError(f"{value!r} is no marketplace of the service; they are {', '.join(Domain)}")
    return name


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Age = Annotated[Duration, Field(ge=timedelta(0))]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputSettings(_Section):
    """Where the codes are, and what may be done to read them. `header_row` 0: there is none, None: it is found."""

    code_columns: tuple[str, ...] = ()
    code_type: Annotated[Literal["auto"] | CodeType, BeforeValidator(_lower)] = "auto"
    sheet: str | None = None
    header_row: int | None = Field(default=None, ge=0)
    domain: Annotated[Domain, BeforeValidator(_domain)] = Domain.COM
    domain_column: str | None = None
    repair: Literal["off", "safe"] = "safe"
    unpack_cases: bool = False
    send_invalid: bool = False
    limit: int | None = Field(default=None, ge=1)
    max_unpacked_gb: float | None = Field(default=None, gt=0)

    @property
    def wanted_type(self) -> CodeType | None:
        """The code type the user insists on, None for auto."""
        return None if self.code_type == "auto" else CodeType(self.code_type)


class OutputSettings(_Section):
    """Which fields become columns, and how they are named."""

    fields: Annotated[tuple[str, ...], BeforeValidator(_split)] = tuple(FIELDS)
    prefix: str = "amazon_"
    list_separator: str = "; "
    new_workbook: bool = False

    @field_validator("fields")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if name not in FIELDS]
        if unknown:
            raise ValueError(f"there is no field {', '.join(unknown)}; the fields are {', '.join(FIELDS)}")
        if not names:
            raise ValueError("name at least one field")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is named twice")
        return names


class LookupSettings(_Section):
    """How the API is asked and what may be spent. Ages and times as "30d", "12h"."""

    api_url: str = DEFAULT_API_URL
    api_key: SecretStr | None = Field(default=None, repr=False)
    api_key_file: Path | None = None
    sandbox: bool = False
    offline: bool = False
    max_age: Age | None = None
    max_tokens: int | None = Field(default=None, ge=0)
    reserve_tokens: int = Field(default=0, ge=0)
    on_quota: Literal["stop", "wait"] = "stop"
    workers: int = Field(default=4, ge=1, le=32)
    proxy: str | None = None
    timeout: Duration = Field(default=timedelta(seconds=60), gt=timedelta(0))

    def key(self) -> str | None:
        """Return the API key, from the environment or else from the key file. Raises ConfigError for the latter."""
        if self.sandbox:
            return SANDBOX_KEY
        if self.api_key is not None and self.api_key.get_secret_value().strip():
            return _checked(self.api_key.get_secret_value().strip(), "ASINSCOPE_API_KEY holds bytes that are no text")
        if self.api_key_file is None:
            return None
        try:
            key = self.api_key_file.read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            # The name is not repeated: some write the key itself there.
            raise ConfigError(f"lookup.api_key_file names a file that can't be read ({why})") from None
        return _checked(key, "the file of lookup.api_key_file holds more than a key in one line") or None


def _checked(key: str, fault: str) -> str:
    if (key and not key.isprintable()) or any(0xD800 <= ord(char) < 0xE000 for char in key):  # noqa: PLR2004 - no text
        raise ConfigError(f"{fault}: copy the key again")
    return key


class RefreshSettings(_Section):
    """How old an answer may be before its code is asked again, as "30d", "12h"; None: `lookup.max_age`.

    `price` and `content` are ages of groups of fields, and count where the output has a field of the group.
    """

    price: Age | None = None
    content: Age | None = None
    not_found: Age | None = None


class StoreSettings(_Section):
    """Where the resume file is, a name ending in .parquet; None: beside the output, named after the input."""

    path: Path | None = None

    @field_validator("path")
    @classmethod
    def _parquet(cls, path: Path | None) -> Path | None:
        # The journal and the lock are named after it, with other endings in the place of this one.
        if path is not None and path.suffix != ".parquet":
            raise ValueError(f"the resume file's name must end in .parquet, not {path.name!r}")
        return path


class Settings(_Section):
    """Everything a run can be told, but for its input and output."""

    input: InputSettings = InputSettings()
    output: OutputSettings = OutputSettings()
    lookup: LookupSettings = LookupSettings()
    refresh: RefreshSettings = RefreshSettings()
    store: StoreSettings = StoreSettings()


def load(config: Path | None, flags: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Put the settings together. `flags` are named "section.setting"; None stands for a flag that was not given.

    Raises ConfigError naming the setting and where it came from.
    """
    merged = _read_toml(config) if config is not None else {}
    from_environment = {
        setting: environment[variable] for setting, variable in _VARIABLES.items() if environment.get(variable)
    }
    for source in (from_environment, flags):
        if source.get("lookup.api_url") is not None:  # an address wins over a sandbox asked for with less weight
            merged.setdefault("lookup", {})["sandbox"] = False
        for name, value in source.items():
            section, setting = name.split(".")
            if value is not None:
                merged.setdefault(section, {})[setting] = value
    fault = None
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
    else:
        return _with_one_age(settings) if flags.get("lookup.max_age") is not None else settings
    raise ConfigError(_explain(fault, flags, config))


def _with_one_age(settings: Settings) -> Settings:
    """Let the one age of the flag count for everything; a wrong line in the file's section was found all the same."""
    ages = dict.fromkeys(_AGES)
    return settings.model_copy(update={"refresh": settings.refresh.model_copy(update=ages)})


def _read_toml(path: Path) -> dict[str, Any]:
    """Read a config file; the files it names are looked for beside it."""
    try:
        sections = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: the config file can't be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    unknown = [name for name, values in sections.items() if not isinstance(values, dict)]
    if unknown:
        raise ConfigError(f"{path.name}: {unknown[0]} stands outside a [section]")
    if "api_key" in sections.get("lookup", {}):
        raise ConfigError(f"{path.name}: the key does not belong here; use ASINSCOPE_API_KEY or lookup.api_key_file")
    for section, setting in _PATHS:
        named = sections.get(section, {}).get(setting)
        if isinstance(named, str):
            sections[section][setting] = path.parent / named
    return sections


def _explain(fault: Any, flags: Mapping[str, Any], config: Path | None) -> str:
    """Name the setting as the user wrote it: as a flag, or as a line of the config file."""
    name = ".".join(str(part) for part in fault["loc"][:2])
    message = str(fault["msg"]).removeprefix("Value error, ")
    if flags.get(name) is not None:
        return f"--{_FLAGS.get(name, name.partition('.')[2].replace('_', '-'))}: {message}"
    where = f"{config.name}: " if config else ""
    if fault["type"] == "extra_forbidden":
        return f"{where}there is no setting {name}"
    return f"{where}{name}: {message}"
