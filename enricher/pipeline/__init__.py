"""The whole run, what can be said before it, and what can be done with resume files by themselves."""

from enricher.pipeline.exporting import Export, export, fields_named
from enricher.pipeline.forecast import account, inspect, plan
from enricher.pipeline.run import enrich
from enricher.pipeline.stores import merge_stores, store_info, verify_store
from enricher.pipeline.task import Observer, Task

__all__ = [
    "Export",
    "Observer",
    "Task",
    "account",
    "enrich",
    "export",
    "fields_named",
    "inspect",
    "merge_stores",
    "plan",
    "store_info",
    "verify_store",
]
