"""Cells to codes: find the columns that hold them, read, repair on evidence, validate, canonicalise."""

from enricher.codes.columns import CodeColumn, Layout, find_columns
from enricher.codes.domains import Marketplaces
from enricher.codes.identify import Identified, Reader
from enricher.codes.judging import Judged, Problem
from enricher.codes.kinds import Kind
from enricher.codes.policy import Policy
from enricher.codes.weighing import RunnerUp, letters

__all__ = [
    "CodeColumn",
    "Identified",
    "Judged",
    "Kind",
    "Layout",
    "Marketplaces",
    "Policy",
    "Problem",
    "Reader",
    "RunnerUp",
    "find_columns",
    "letters",
]
