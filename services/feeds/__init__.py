"""Feeds as the bus knows them: how far each is (checkpoints), which host holds it, and what was counted."""

from services.feeds.checkpoints import Checkpoint, Checkpoints, parse
from services.feeds.counters import NONE, Counters

__all__ = ["NONE", "Checkpoint", "Checkpoints", "Counters", "parse"]
