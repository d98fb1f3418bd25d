"""Words for what can't be done to a workbook as it is, and the way out that every refusal names.

Owns those phrases, so that they are the same everywhere. Decides nothing and reads nothing.
"""

from __future__ import annotations

from enricher.errors import InputError

NEW_WORKBOOK = "write a new workbook without the formatting: --new-workbook"
AS_CSV = "save the sheet as CSV and use that"
_RESAVE = "Open it in Excel, let it repair the file, save and retry"


def or_new_workbook(advice: str) -> str:
    """Add the way out that is always open to what a person can do about the workbook itself.

    >>> or_new_workbook("Unmerge them and retry")
    'Unmerge them and retry, or write a new workbook without the formatting: --new-workbook.'
    """
    return f"{advice}, or {NEW_WORKBOOK}."


def unsound(where: str, what: str) -> InputError:
    """Say what is wrong with the file itself, where no program could do better but to repair it."""
    return InputError(f"{where}: {what}. {_RESAVE}.")


def fetch_again(where: str, what: str) -> InputError:
    """Say that the file's bytes are not what was written once."""
    return InputError(f"{where}: {what}. Fetch the file again, or open it in Excel and save it.")
