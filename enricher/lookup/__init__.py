"""Codes to replies: plan the chunks, keep to the quota, ask the API, match items to codes."""

from enricher.lookup.client import SANDBOX_HOST, Client, check_url, host_of, is_loopback
from enricher.lookup.engine import Engine, Event, Failure, MaybePaid, Reply, Stopped, Waiting
from enricher.lookup.plan import Chunk, Schedule, chunks_of, schedule

__all__ = [
    "SANDBOX_HOST",
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
    "check_url",
    "chunks_of",
    "host_of",
    "is_loopback",
    "schedule",
]
