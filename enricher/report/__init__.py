"""What happened, or would happen, told."""

from enricher.report.inspection import CodeColumn, Example, Inspection, Problem
from enricher.report.plan import Group, PlanReport
from enricher.report.summary import Summary, duration, group_problems

__all__ = [
    "CodeColumn",
    "Example",
    "Group",
    "Inspection",
    "PlanReport",
    "Problem",
    "Summary",
    "duration",
    "group_problems",
]
