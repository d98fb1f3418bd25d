"""Runs the program on one file after another in a process that is watched: its command line, or what stands behind it.

Owns how a run is made and measured. Decides nothing about whether it was right.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from enricher import cli, config, errors, pipeline
from tests.fuzz.serving import serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from enricher import report

    Call: TypeAlias = Callable[[], NoReturn]

_CODES = {errors.InputError: 65, errors.OutputError: 73, errors.ConfigError: 2, errors.EnricherError: 1}
"""What the command line makes of errors, the root last."""
_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"
_MOST_CHARS = 100_000


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Inspect and enrich `input` into `output` with a copy of the resume file `store`; tell what came of both."""
    source, output = Path(request["input"]), Path(request["output"])
    store = Path(shutil.copyfile(request["store"], source.with_name("resume.parquet")))
    before = {path.name for path in source.parent.iterdir()}
    enrich, inspect = (_by_command_line if request["whole"] else _behind)(source, output, store)
    if _CLEAR.exists():
        _CLEAR.write_text(_RESET_PEAK, encoding="ascii")
    start_s = time.monotonic()
    runs = [_called("inspect", inspect)] if request["inspect"] else []
    runs.append(_called("enrich", enrich))
    seconds = time.monotonic() - start_s
    known = {store.with_suffix(suffix).name for suffix in (".lock", ".journal", ".parquet")} | {output.name}
    left = sorted({path.name for path in source.parent.iterdir()} - before - known)
    return {
        "runs": runs,
        "seconds": seconds,
        "peak_bytes": max(_peak_bytes(), _children_peak_bytes()),
        "left": left,
        "written": output.exists(),
        "input_kept": source.read_bytes() == Path(request["original"]).read_bytes(),
    }


def _by_command_line(source: Path, output: Path, store: Path) -> tuple[Call, Call]:
    """Return the runs as the program's entry makes them; half of their time is the parsing of flags."""

    def call(*words: object) -> NoReturn:
        sys.argv = ["enricher", *map(str, words)]
        cli.main()

    enrich = ("enrich", source, "-o", output, "--store", store, "--offline", "--domain", "com", "--quiet")
    return lambda: call(*enrich), lambda: call("inspect", source, "--json", "--quiet")


def _behind(source: Path, output: Path, store: Path) -> tuple[Call, Call]:
    """Return the same runs without the command line, with all that it would print."""
    settings = config.load(None, {"lookup.offline": True, "input.domain": "com", "store.path": str(store)}, {})
    task = pipeline.Task(source, settings, output)

    def tell(found: report.Summary | report.Inspection) -> NoReturn:
        sys.stdout.write("\n".join([*found.lines(), json.dumps(found.to_json())]))
        sys.exit(0)

    observer = pipeline.Observer()
    return lambda: tell(pipeline.enrich(task, observer)), lambda: tell(pipeline.inspect(task, observer))


def _called(name: str, call: Call) -> dict[str, Any]:
    """Make a run; its exit code, what it said, and the trace of an exception that came through."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = None
    trace = ""
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            call()
        except SystemExit as end:
            code = end.code
        except errors.EnricherError as error:
            code = next(code for kind, code in _CODES.items() if isinstance(error, kind))
            err.write(f"enricher: {error}\n")
        except BaseException:  # noqa: BLE001 - whatever came through is what is looked for
            trace = traceback.format_exc()
    return {"command": name, "code": code, "trace": trace, "error": err.getvalue()[:_MOST_CHARS]}


def _peak_bytes() -> int:
    """Return the most memory this process held since it was last told to forget; 0 where nobody counts."""
    if not _STATUS.exists():
        return 0
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _children_peak_bytes() -> int:
    """Return the most that a child held, of all so far: one that held too much ends this process's service."""
    if sys.platform == "win32":
        return 0
    import resource  # noqa: PLC0415 - Windows has none

    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


if __name__ == "__main__":
    serve(run)
