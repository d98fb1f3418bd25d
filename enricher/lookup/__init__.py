"""Codes to replies: plan the chunks, keep to the quota, ask the API, match items to codes."""

from enricher.lookup.account import ask_levels
from enricher.lookup.address import host_of
from enricher.lookup.client import Client
from enricher.lookup.engine import Engine
from enricher.lookup.events import Event, Failure, MaybePaid, Reply, Stopped, Waiting
from enricher.lookup.plan import Chunk, Schedule, chunks_of, schedule
from enricher.lookup.workers import Workers

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
    "Workers",
    "ask_levels",
    "chunks_of",
    "host_of",
    "schedule",
]
