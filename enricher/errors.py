"""What can go wrong, a class for each phase. Only `cli` knows which exit code each one means.

Every message says what is wrong, where, and what to do next, in words for a person with a spreadsheet.
A bad cell is never an error here: it is data, and is reported in its row.
"""

from __future__ import annotations


class EnricherError(Exception):
    """The root of all errors that enricher raises on purpose."""


class ConfigError(EnricherError):
    """A flag, an environment variable or a line of the config file can't be used."""


class InputError(EnricherError):
    """The input can't be read as what it claims to be."""


class OutputError(EnricherError):
    """The output or the resume file can't be written, or must not be overwritten."""


class StoreError(EnricherError):
    """The resume file can't be used: damaged, or of another service."""


class StoreUnreadableError(StoreError):
    """Whether the resume file is sound can't be told: it is of a newer format, or the system won't let it be read."""


class StoreLockedError(StoreError):
    """Another run holds the resume file."""


class LeftError(EnricherError):
    """The user asked twice to stop, and the run left without writing the output."""


class ApiError(EnricherError):
    """The API can't be reached or doesn't answer as documented."""


class ApiKeyError(ApiError):
    """The API key is missing, wrong, or has no active subscription (401, 403)."""
