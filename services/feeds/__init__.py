"""Feeds as the bus knows them: how far each is (checkpoints), which process holds it, and what was counted."""

from services.feeds.checkpoints import Checkpoint, Checkpoints, parse
from services.feeds.counters import NONE, Counters
from services.feeds.ownership import FeedHeld, FeedLost, Holding, Ownership

__all__ = ["NONE", "Checkpoint", "Checkpoints", "Counters", "FeedHeld", "FeedLost", "Holding", "Ownership", "parse"]
