"""The parquet resume file: a sink for paid replies that loses none."""

from enricher.store.answers import Known
from enricher.store.facts import Facts, Group
from enricher.store.store import Store

__all__ = ["Facts", "Group", "Known", "Store"]
