from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from enricher.config import RefreshSettings, Settings, load
from enricher.errors import ConfigError
from enricher.model import Domain

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIGS = Path(__file__).parents[1] / "configs"


@pytest.fixture
def toml(tmp_path: Path) -> Any:
    def write(text: str) -> Path:
        path = tmp_path / "enricher.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_flag_wins_over_the_environment_over_the_file_over_the_default(toml: Any) -> None:
    config = toml('[lookup]\napi_url = "https://file"\nmax_tokens = 5\n[input]\ndomain = "DE"\n')
    settings = load(config, {"lookup.max_tokens": 0}, {"ASINSCOPE_API_URL": "https://environment"})
    assert settings.lookup.api_url == "https://environment"
    assert settings.lookup.max_tokens == 0
    assert settings.input.domain is Domain.DE
    assert settings.output.prefix == "amazon_"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"input.domain": "br"}, "--domain: 'br' is no marketplace of the service; they are com, ca, de"),
        ({"lookup.max_age": "soon"}, r"--max-age: write a duration"),
        ({"output.fields": "title,prize"}, r"--fields: there is no field prize; the fields are asin, title"),
        ({"lookup.workers": 33}, r"--workers: "),
        ({"lookup.on_quota": "pray"}, r"--on-quota: "),
    ],
)
def test_a_wrong_flag_is_named_as_it_was_typed(flags: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(None, flags, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[lookup]\nmax_tokens = -1", "enricher.toml: lookup.max_tokens: "),
        ("[lookup]\nworkers = 0", "enricher.toml: lookup.workers: "),
        ("[lookup]\nproxy = 3128", "enricher.toml: lookup.proxy: "),
        ("[lookup]\nmax_tokenz = 1", "enricher.toml: there is no setting lookup.max_tokenz"),
        ("[lookup]\nmax_age = -1", "enricher.toml: lookup.max_age: "),
        ('[refresh]\nprice = "often"', 'enricher.toml: refresh.price: write a duration as a number and a unit: "30d"'),
        ('[refresh]\ntitle = "1d"', "enricher.toml: there is no setting refresh.title"),
        ("[lookups]\n", "enricher.toml: there is no setting lookups"),
        ("lookup = 3", "enricher.toml: lookup stands outside a [section]"),
        ("[lookup\n", "not valid TOML"),
        ('[lookup]\napi_key = "k"', "the key does not belong here"),
    ],
)
def test_a_wrong_line_of_the_file_is_named(toml: Any, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        load(toml(text), {}, {})


def test_max_age_as_a_flag_is_the_age_of_everything_and_in_the_file_only_of_the_rest(toml: Any) -> None:
    config = toml('[lookup]\nmax_age = "30d"\n[refresh]\nprice = "1d"\nnot_found = "7d"\n')
    in_file = load(config, {}, {})
    assert (in_file.lookup.max_age, in_file.refresh.price) == (timedelta(days=30), timedelta(days=1))
    assert (in_file.refresh.content, in_file.refresh.not_found) == (None, timedelta(days=7))
    with_flag = load(config, {"lookup.max_age": "2h"}, {})
    assert (with_flag.lookup.max_age, with_flag.refresh) == (timedelta(hours=2), RefreshSettings())
    with pytest.raises(ConfigError, match=r"refresh\.price"):
        load(toml('[refresh]\nprice = "often"'), {"lookup.max_age": "2h"}, {})


def test_the_key_comes_from_the_environment_or_a_file_and_never_shows(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n", encoding="utf-8")
    from_file = load(None, {"lookup.api_key_file": tmp_path / "key"}, {})
    from_environment = load(None, {"lookup.api_key_file": tmp_path / "key"}, {"ASINSCOPE_API_KEY": "from-environment"})
    assert (from_file.lookup.key(), from_environment.lookup.key()) == ("from-file", "from-environment")
    assert "from-environment" not in repr(from_environment)


def test_files_named_in_a_config_are_looked_for_beside_it(toml: Any, tmp_path: Path) -> None:
    config = toml('[store]\npath = "mine.parquet"\n[lookup]\napi_key_file = "/etc/asinscope.key"\n')
    settings = load(config, {}, {})
    assert settings.store.path == tmp_path / "mine.parquet"
    assert settings.lookup.api_key_file == Path("/etc/asinscope.key")


def settings_of(section: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in section:
        if isinstance(value, BaseModel):
            yield from settings_of(value, f"{prefix}{name}.")
        elif f"{prefix}{name}" != "lookup.api_key":
            yield f"{prefix}{name}", value


def test_the_full_config_names_every_setting_with_its_default() -> None:
    text = (CONFIGS / "full.toml").read_text(encoding="utf-8")
    shown = tomllib.loads(re.sub(r"(?m)^# ?(?=\w+ = )", "", text))
    named = {f"{section}.{name}" for section, values in shown.items() for name in values}
    defaults = dict(settings_of(Settings()))
    assert named == defaults.keys()
    assert load(CONFIGS / "full.toml", {}, {}) == Settings()


@pytest.mark.parametrize("name", [path.name for path in CONFIGS.glob("*.toml")])
def test_every_config_loads(name: str) -> None:
    load(CONFIGS / name, {}, {})
