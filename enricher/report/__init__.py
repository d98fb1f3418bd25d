"""What happened, or would happen, told."""

from enricher.report.inspection import CodeColumn, Example, Inspection, Problem
from enricher.report.phrases import count, duration, moment, size
from enricher.report.plan import Group, PlanReport
from enricher.report.stores import AGES, OLDER, Exported, Merged, StoredGroup, StoreInfo, Verification
from enricher.report.summary import Summary, group_problems
from enricher.report.timing import Forecast, Timing

__all__ = [
    "AGES",
    "OLDER",
    "CodeColumn",
    "Example",
    "Exported",
    "Forecast",
    "Group",
    "Inspection",
    "Merged",
    "PlanReport",
    "Problem",
    "StoreInfo",
    "StoredGroup",
    "Summary",
    "Timing",
    "Verification",
    "count",
    "duration",
    "group_problems",
    "moment",
    "size",
]
