"""Messages of our own topics that none of our processes can have written: told once each, and passed over.

Whoever may write a topic can write anything there. One such message must not stop those who read all others.
"""

from __future__ import annotations

import structlog

from bus.contract import Delivery

UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)
"""What reading a body raises that is none: no JSON, no object, a field that is missing or of another kind."""
log = structlog.get_logger("bus")


def pass_over(one: Delivery, error: Exception) -> None:
    """Tell where it lies, and nothing of what is in it."""
    place = {"topic": one.partition.topic, "partition": one.partition.number, "position": one.position}
    log.error("a message that cannot be read is passed over", **place, code=type(error).__name__)
