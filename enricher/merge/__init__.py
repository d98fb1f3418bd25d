"""Products to columns of values."""

from enricher.merge.additions import NO_KEY_INDEX, Answers, Columns, Rows, additions, statuses

__all__ = ["NO_KEY_INDEX", "Answers", "Columns", "Rows", "additions", "statuses"]
