"""What happened, or would happen, told."""

from enricher.report.inspection import CodeColumn, Example, Inspection, Problem
from enricher.report.plan import Group, PlanReport
from enricher.report.summary import Summary, duration, group_problems
from enricher.report.timing import Forecast, Timing, moment

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
    "duration",
    "group_problems",
    "moment",
]
