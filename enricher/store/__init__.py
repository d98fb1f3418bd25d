"""The parquet resume file: a sink for paid replies that loses none."""

from enricher.store.answers import Known
from enricher.store.facts import Facts, Group
from enricher.store.file import is_resume_file
from enricher.store.lock import held_by
from enricher.store.merge import merge
from enricher.store.rows import IDENTITY, gathered
from enricher.store.store import Store
from enricher.store.verify import verify

__all__ = ["IDENTITY", "Facts", "Group", "Known", "Store", "gathered", "held_by", "is_resume_file", "merge", "verify"]
