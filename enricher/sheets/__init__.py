"""Files to batches of rows; rows and new columns to the same files, wider."""

from enricher.sheets.files import check, check_suffix, default_output, open_sources, write
from enricher.sheets.source import Source
from enricher.sheets.staging import StagedOutput, digest

__all__ = ["Source", "StagedOutput", "check", "check_suffix", "default_output", "digest", "open_sources", "write"]
