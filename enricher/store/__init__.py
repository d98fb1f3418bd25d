"""The parquet resume file: a sink for paid replies that loses none."""

from enricher.store.store import Store

__all__ = ["Store"]
