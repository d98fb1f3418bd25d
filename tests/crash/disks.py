"""Disks that are really full: a small file system of its own where that may be made, and a limit on a file's size."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from enricher import sandbox
from tests.crash.processes import wait_until
from tests.crash.scene import Scene
from tests.crash.service import KEY, PLAN, Service
from tests.crash.trials import Trials

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.crash.processes import Forks, Started

_CODES = 300
_DISK_KIB = 40 * 1024
_LATENCY_S = 0.02
ROOMS_KIB = (0, 40, 100, 600, 1_000, 1_100, 1_300, 2_000, 4_000, 4_200, 4_400, 6_000, 9_000, 16_000)
"""Room left on the disk: from none to enough, and closer together around the room set aside for replies."""
LIMITS_KIB = (1, 20, 200, 1_000, 1_040, 1_080, 1_120, 1_200, 4_096, 4_100, 4_200)
"""How large a file may become, likewise."""


class Ending(NamedTuple):
    """How a run went that had no room: where, its exit code, the tokens lost, and what is wrong."""

    where: str
    code: int
    lost: int
    problems: list[str]

    def __str__(self) -> str:
        return f"{self.where}: exit {self.code}, {self.lost} tokens lost {'; '.join(self.problems)}"


@contextlib.contextmanager
def small_disk(folder: Path, size_kib: int) -> Iterator[Path | None]:
    """Mount a file system of that size; None where that may not be done."""
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if not (mount and umount):
        yield None
        return
    command = [mount, "-t", "tmpfs", "-o", f"size={size_kib}k", "enricher-crash", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run([umount, str(folder)], check=True)


def limit_files(forks: Forks, folder: Path, limits_kib: Iterable[int] = LIMITS_KIB) -> Iterator[Ending]:
    """Run the program where no file may become larger, and then without the limit."""
    gate = folder / "gate"
    with _trials(forks, folder, folder / "scene") as trials:
        os.mkfifo(gate)
        for limit_kib in limits_kib:
            trials.begin()
            run = forks.start(trials.arguments, gate)
            resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (limit_kib * 1024,) * 2)
            gate.write_bytes(b"go")
            run.wait()
            yield _judged(f"files of at most {limit_kib:,} KiB", run, trials)


def fill_disk(forks: Forks, folder: Path, rooms_kib: Iterable[int] = ROOMS_KIB) -> Iterator[Ending]:
    """Run the program on a disk with only so much room, and then with more. Nothing where no disk can be made."""
    with small_disk(folder / "disk", _DISK_KIB) as disk:
        if disk is None:
            return
        ballast = disk / "ballast"
        with _trials(forks, folder, disk / "scene") as trials:
            for room_kib in rooms_kib:
                trials.begin()
                ballast.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - room_kib * 1024)))
                run = trials.run()
                ballast.unlink()
                yield _judged(f"a disk with {room_kib:,} KiB left", run, trials)
            for room_kib in rooms_kib:
                trials.begin()
                paid = trials.scene.service.paid
                run = forks.start(trials.arguments)
                wait_until(lambda paid=paid: trials.scene.service.paid > paid, run)  # type: ignore[misc]
                ballast.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - room_kib * 1024)))
                run.wait()
                ballast.unlink()
                yield _judged(f"a disk that is filled to {room_kib:,} KiB while it looks codes up", run, trials)


@contextlib.contextmanager
def _trials(forks: Forks, folder: Path, place: Path) -> Iterator[Trials]:
    service = Service(_CODES)
    with sandbox.serve(service, {KEY: PLAN}, latency_s=_LATENCY_S) as api:
        undisturbed = Scene(folder / "undisturbed", service)
        assert forks.run(undisturbed.arguments(api.url)).code == 0
        yield Trials(forks, api.url, Scene(place, service), undisturbed.output)


def _judged(what: str, run: Started, trials: Trials) -> Ending:
    problems = [*trials.problems_of(run)]
    try:
        lost = trials.recover()
    except AssertionError as error:
        return Ending(what, run.wait(), 0, [*problems, str(error)])
    return Ending(what, run.wait(), lost, problems)
