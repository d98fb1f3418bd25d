"""The command line."""

from enricher.cli.main import main

__all__ = ["main"]
