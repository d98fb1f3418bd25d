"""Files to batches of rows; rows and new columns to the same files, wider."""

from enricher.sheets.files import Form, check, check_form, default_output, open_sources, write
from enricher.sheets.kinds import misnamed
from enricher.sheets.source import Source
from enricher.sheets.staging import StagedOutput, digest
from enricher.sheets.xlsx import MAX_ROWS, write_new_workbook

__all__ = [
    "MAX_ROWS",
    "Form",
    "Source",
    "StagedOutput",
    "check",
    "check_form",
    "default_output",
    "digest",
    "misnamed",
    "open_sources",
    "write",
    "write_new_workbook",
]
