"""What a run is asked for, and who hears how it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from enricher import lookup, sheets
from enricher.errors import InputError, OutputError
from enricher.model import SANDBOX_HOST

if TYPE_CHECKING:
    from pathlib import Path

    from enricher.config import Settings
    from enricher.model import Levels


@dataclass(frozen=True, slots=True)
class Task:
    """One input and where its result goes. `output` None: named after the input. `force`: overwrite what is there."""

    input: Path
    settings: Settings
    output: Path | None = None
    force: bool = False

    @property
    def output_path(self) -> Path:
        """Where the result goes. Raises InputError where it is named after an input that can't be read."""
        return self.output or sheets.default_output(self.input, new_workbook=self.settings.output.new_workbook)

    @property
    def form(self) -> sheets.Form:
        """What kind of file the output is."""
        return sheets.Form(self.output_path.suffix, self.settings.output.new_workbook)

    @property
    def store_path(self) -> Path:
        """The resume file: beside the output, named after the input, unless the settings name one."""
        return self.settings.store.path or self.output_path.with_name(f"{self.input.stem}.resume.parquet")

    @property
    def host(self) -> str:
        """The name of the service, as the resume file records it. Raises ConfigError for a wrong address."""
        settings = self.settings.lookup
        return SANDBOX_HOST if settings.sandbox else lookup.host_of(settings.api_url)

    @property
    def is_sandbox(self) -> bool:
        """Whether the answers come from a server on this machine, and so are not Amazon's."""
        return self.host == SANDBOX_HOST

    def check_paths(self) -> None:
        """Refuse, before anything is read or spent, what can't be an input or an output.

        Raises InputError, OutputError.
        """
        if not self.input.exists():
            raise InputError(f"{self.input}: there is no such file")
        if not self.input.is_file():
            raise InputError(f"{self.input} is no file")
        output = self.output_path
        sheets.check_form(self.input, self.form, output.name)
        if output.exists() and output.samefile(self.input):
            raise OutputError(f"{output} is the input itself, which is never written to: choose another name with -o")
        if output.is_dir():
            raise OutputError(f"{output} is a folder: name a file with -o")
        store = resolved(self.store_path)
        if resolved(output) in {store, store.with_suffix(".journal"), store.with_suffix(".lock")}:
            raise OutputError(
                f"{output} is this run's resume file, which holds what was paid for: choose another name with -o"
            )


def resolved(path: Path) -> Path:
    """Follow links to the file itself. Raises OutputError where they lead in a circle."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        raise OutputError(f"{path} is a link that leads to itself: name a file") from None


class Observer:
    """Hears how a run goes, and does nothing with it; the command line shows it."""

    def reading(self, rows: int, share: float) -> None:
        """Hear that `rows` rows, a `share` (0 to 1) of the file, have been read."""

    def looking_up(self, codes: int, levels: Levels) -> None:
        """Hear that so many codes are about to be looked up, at these token levels.

        Said again, of other codes, where rows whose code was not found have another one.
        """

    def event(self, event: lookup.Event) -> None:
        """Hear of a reply, a wait, a failure or a stop."""

    def writing(self, rows: int) -> None:
        """Hear that the output, of so many rows, is about to be written."""

    def wrote(self, rows: int) -> None:
        """Hear that so many more rows are written."""
