"""By what a message is known again: whether a bus still has what was read from it, or written to it.

A bus can have less than it had: it was restored from a backup, its topics were made anew, a leader was elected that
lacked the last messages. Positions alone do not show that, for others grow in their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from bus.contract import Bus, Delivery, Partition


def tail_of(one: Delivery) -> bytes:
    """Return the digest by which a message is known again."""
    return blake2b(b"%d\0%s\0%s" % (one.position, one.key or b"", one.value or b""), digest_size=16).digest()


async def missing(bus: Bus, tails: Mapping[Partition, tuple[int, bytes]]) -> list[Partition]:
    """Return the partitions that have another message at a position than the digest says, or none. Raises BusDown."""
    standing = await bus.peek({partition: position for partition, (position, _) in tails.items()}) if tails else {}
    return [part for part, (_, tail) in tails.items() if part not in standing or tail_of(standing[part]) != tail]
