"""Some kills, some failing calls and a full disk in each run of the tests; all of them with --long."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.crash import calls, disks, tracing
from tests.crash.processes import Forks
from tests.crash.service import code_at, items_of, number_of
from tests.crash.soak import Soak

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: /proc, fifos, resource limits")

BEGINNINGS = pytest.mark.parametrize("beginning", calls.BEGINNINGS)


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with Forks(tmp_path_factory.mktemp("forks")) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def strace() -> None:
    missing = tracing.is_missing()
    if missing:
        pytest.skip(missing)


def test_codes_and_their_numbers_are_one_to_one() -> None:
    assert [number_of(code_at(number)) for number in range(0, 500_000, 999)] == [*range(0, 500_000, 999)]
    assert {len(items_of(number)) for number in range(50)} == {0, 1, 2}


def test_kills_at_random_moments_lose_nothing_that_was_stored(forks: Forks, tmp_path: Path) -> None:
    outcome = Soak(forks, tmp_path, codes=120, kills=4, seed=1).run()
    assert outcome.kills.total() == 4


@pytest.mark.usefixtures("strace")
def test_a_kill_at_some_system_calls_loses_nothing_that_was_stored(forks: Forks, tmp_path: Path) -> None:
    tally = calls.spoil_all(forks, tmp_path, "killed", calls.KILLS, every=20)
    assert tally.trials >= 3
    assert not tally.broken


@pytest.mark.usefixtures("strace")
def test_some_system_calls_that_fail_are_said_in_a_line_and_lose_nothing(forks: Forks, tmp_path: Path) -> None:
    tally = calls.spoil_all(forks, tmp_path, "csv", calls.FAILURES, every=90)
    assert tally.trials >= 3
    assert not tally.broken


def test_a_disk_with_too_little_room_is_said_in_a_line_and_loses_nothing(forks: Forks, tmp_path: Path) -> None:
    endings = [*disks.limit_files(forks, tmp_path, [1_080])]
    assert [ending.code for ending in endings] == [73]
    assert not [ending for ending in endings if ending.problems]


@pytest.mark.long
def test_two_hundred_kills_at_random_moments_lose_nothing_that_was_stored(forks: Forks, tmp_path: Path) -> None:
    outcome = Soak(forks, tmp_path, codes=20_000, kills=200, seed=1).run()
    assert outcome.kills.total() == 200
    assert outcome.folds_cut
    assert outcome.outputs_cut


@pytest.mark.long
@pytest.mark.usefixtures("strace")
@BEGINNINGS
def test_a_kill_at_every_system_call_loses_nothing_that_was_stored(
    forks: Forks, tmp_path: Path, beginning: str
) -> None:
    assert not calls.spoil_all(forks, tmp_path, beginning, calls.KILLS).broken


@pytest.mark.long
@pytest.mark.usefixtures("strace")
@BEGINNINGS
@pytest.mark.parametrize("how", calls.FAILURES)
def test_every_system_call_that_fails_is_said_in_a_line_and_loses_nothing(
    forks: Forks, tmp_path: Path, beginning: str, how: str
) -> None:
    assert not calls.spoil_all(forks, tmp_path, beginning, [how]).broken


@pytest.mark.long
def test_a_full_disk_is_said_in_a_line_and_loses_nothing(forks: Forks, tmp_path: Path) -> None:
    endings = [*disks.fill_disk(forks, tmp_path)]
    if not endings:
        pytest.skip("no small disk can be made here")
    assert not [ending for ending in endings if ending.problems]


@pytest.mark.long
def test_files_that_may_not_grow_are_said_in_a_line_and_lose_nothing(forks: Forks, tmp_path: Path) -> None:
    assert not [ending for ending in disks.limit_files(forks, tmp_path) if ending.problems]
