"""Feeds as the bus knows them: how far each is (checkpoints), what it keeps, who holds it, and what was counted."""

from services.feeds.checkpoints import Checkpoint, Checkpoints, parse
from services.feeds.condition import Condition
from services.feeds.counters import NONE, Counters
from services.feeds.labels import compared
from services.feeds.orders import Order, Orders, Word, give
from services.feeds.ownership import FeedHeld, FeedLost, Holding, Ownership
from services.feeds.storage import FeedStorage, Values
from services.feeds.waiting import Waiting

__all__ = [
    "NONE",
    "Checkpoint",
    "Checkpoints",
    "Condition",
    "Counters",
    "FeedHeld",
    "FeedLost",
    "FeedStorage",
    "Holding",
    "Order",
    "Orders",
    "Ownership",
    "Values",
    "Waiting",
    "Word",
    "compared",
    "give",
    "parse",
]
