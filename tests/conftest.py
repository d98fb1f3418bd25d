"""What every test may use: the real API from the sandbox, the real program, and the corpus where there is one."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

os.environ["OPENPYXL_LXML"] = "False"  # a validator brings lxml, and openpyxl would write other bytes with it

from enricher import sandbox
from enricher.clock import ManualClock
from tests.program import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAM = Path(sys.executable).with_name("enricher")
GENEROUS = sandbox.Plan("generous", bucket_capacity=100_000, tokens_per_minute=100_000, daily_limit=1_000_000)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the long tests, too")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: runs only with --long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="long: runs with --long"))


class Run(Protocol):
    def __call__(self, *arguments: object, key: str | None = "sandbox") -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture(scope="session")
def beside() -> Iterator[Callable[[Callable[[], None]], None]]:
    """End something beside the tests that follow: a server takes 0.2 s to stop, and only waits."""
    with contextlib.ExitStack() as ended, ThreadPoolExecutor() as executor:

        def end(stop: Callable[[], None]) -> None:
            ended.callback(executor.submit(stop).result)

        yield end


@pytest.fixture
def api(beside: Callable[[Callable[[], None]], None]) -> Iterator[sandbox.Sandbox]:
    """The sandbox with its shipped catalog, and quota enough that nothing waits."""
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(sandbox.serve(plans={"sandbox": GENEROUS, "sandbox-none": None}))
        beside(stack.pop_all().close)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Load the program once for all the tests that run it."""
    with Program(tmp_path_factory.mktemp("program")) as loaded:
        yield loaded


@pytest.fixture
def enricher(tmp_path: Path, program: Program) -> Run:
    """Run the program in an empty folder, with a key in its environment."""

    def run(*arguments: object, key: str | None = "sandbox") -> subprocess.CompletedProcess[str]:
        ended = program.run([*map(str, arguments)], tmp_path, environment(key))
        return subprocess.CompletedProcess([*map(str, arguments)], ended.code, ended.out, ended.err)

    return run


def environment(key: str | None) -> dict[str, str]:
    """The test's own environment, with the given key and no other setting of enricher's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ASINSCOPE_")}
    return kept if key is None else {**kept, "ASINSCOPE_API_KEY": key}


@pytest.fixture(scope="session")
def samples() -> Path:
    return Path(__file__).parents[1] / "sample_data"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Real spreadsheets, which are not part of the project."""
    folder = Path(os.environ.get("ENRICHER_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))
    if not (folder / "EXPECTED.tsv").exists():
        pytest.skip("the corpus of real spreadsheets is not here (ENRICHER_CORPUS)")
    return folder
