"""By what a message is known again: whether a bus still has what was read from it, or written to it.

A bus can have less than it had: it was restored from a backup, its topics were made anew, a leader was elected that
lacked the last messages. Positions alone do not show that, for others grow in their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from bus.contract import Bus, Delivery, Partition

_SIZE = 16


def tail_of(one: Delivery) -> bytes:
    """Return the digest by which a message is known again."""
    return blake2b(b"%d\0%s\0%s" % (one.position, one.key or b"", one.value or b""), digest_size=_SIZE).digest()


async def missing(bus: Bus, tails: Mapping[Partition, tuple[int, bytes]]) -> list[Partition]:
    """Return the partitions that have another message at a position than the digest says, or none. Raises BusDown."""
    standing = await bus.peek({partition: position for partition, (position, _) in tails.items()}) if tails else {}
    return [part for part, (_, tail) in tails.items() if part not in standing or tail_of(standing[part]) != tail]


@dataclass(frozen=True, slots=True)
class Extent:
    """What a reader took from a partition, in one piece: from the position `since` to a message of the digest `tail`.

    No digest: nothing was read since. A bus never has again what it lost at its front, so one that begins before
    `since` is another one: a message at the same position may look the same, and others before it were never read.
    """

    tail: bytes = b""
    since: int = 0

    @classmethod
    def of(cls, kept: bytes) -> Extent:
        """Return what `kept` made. A digest alone means that it was read from the beginning."""
        tail, since = (kept, b"") if len(kept) == _SIZE else (kept[:-8], kept[-8:])
        return cls(tail, int.from_bytes(since))

    def kept(self) -> bytes:
        """Return it as bytes; none where nothing is known."""
        return self.tail + (self.since.to_bytes(8) if self.since else b"")


async def differing(bus: Bus, extents: Mapping[Partition, tuple[int, Extent]]) -> list[Partition]:
    """Return the partitions that have not what was read of them, up to the given positions. Raises BusDown."""
    tails = {part: (following - 1, one.tail) for part, (following, one) in extents.items() if one.tail}
    lost = set(await missing(bus, tails))
    late = {part: one.since for part, (_, one) in extents.items() if one.since}
    if late:
        begins = await bus.begins(sorted({part.topic for part in late}))
        lost |= {part for part, since in late.items() if begins.get(part, 0) < since}
    return sorted(lost)
