"""The whole run, and what can be said before it."""

from enricher.pipeline.forecast import account, inspect, plan
from enricher.pipeline.run import enrich
from enricher.pipeline.task import Observer, Task

__all__ = ["Observer", "Task", "account", "enrich", "inspect", "plan"]
