"""Metrics for Prometheus: what each process counts, and what the flow is like as a whole.

A process serves them on a port of its own, if the settings name one; nothing of them names a person or a record.
"""

from services.metrics.exporter import exported
from services.metrics.feeds import FeedCollector

__all__ = ["FeedCollector", "exported"]
