"""What happened, or would happen, told."""

from enricher.report.inspection import CodeColumn, Example, Inspection, Problem
from enricher.report.phrases import count, duration, moment
from enricher.report.plan import Group, PlanReport
from enricher.report.summary import Summary, group_problems
from enricher.report.timing import Forecast, Timing

__all__ = [
    "CodeColumn",
    "Example",
    "Forecast",
    "Group",
    "Inspection",
    "PlanReport",
    "Problem",
    "Summary",
    "Timing",
    "count",
    "duration",
    "group_problems",
    "moment",
]
