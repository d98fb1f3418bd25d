"""What happened, or would happen, told."""

from enricher.report.inspection import Inspection, Problem
from enricher.report.plan import Group, PlanReport
from enricher.report.summary import Summary, duration, group_problems

__all__ = ["Group", "Inspection", "PlanReport", "Problem", "Summary", "duration", "group_problems"]
