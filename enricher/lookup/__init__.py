"""Codes to replies: plan the chunks, keep to the quota, ask the API, match items to codes."""

from enricher.lookup.client import Client, host_of
from enricher.lookup.engine import Engine, Event, Failure, MaybePaid, Reply, Stopped, Waiting
from enricher.lookup.plan import Chunk, Schedule, chunks_of, schedule

__all__ = [
    "Chunk",
    "Client",
    "Engine",
    "Event",
    "Failure",
    "MaybePaid",
    "Reply",
    "Schedule",
    "Stopped",
    "Waiting",
    "chunks_of",
    "host_of",
    "schedule",
]
