"""Feeds to the bus: reads the sources, publishes what they say, keeps what cannot be read, loses nothing.

What was read and how far is saved on the bus, position and counters in one message, after the events are durable.
"""

from services.ingest.clocks import Clock, now, recorded
from services.ingest.host import run
from services.ingest.sources import Outcome, Source, sources

__all__ = ["Clock", "Outcome", "Source", "now", "recorded", "run", "sources"]
