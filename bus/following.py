"""A topic that is followed: read as far as it goes, and on from there at each further time.

A bus can have less than was read of it (`bus.tails`), and positions alone show that only until others grow in their
place. So each time reads once more the message that was read last. Of a compacted topic it may be gone, where a later
one took its place: that one is read then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bus.contract import Bus, Delivery, Partition
from bus.tails import tail_of


@dataclass(slots=True)
class Followed:
    """How far a topic was read, by the number of the partition, and the digest of the message read last."""

    topic: str
    next: dict[int, int] = field(default_factory=dict)
    tails: dict[int, bytes] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def moved(self, bus: Bus) -> bool:
        """Return whether there is anything new, or less than there was. Raises BusDown."""
        return self._differs(await bus.ends([self.topic]))

    async def follow(self, bus: Bus, take: Callable[[Delivery], None], forget: Callable[[], None]) -> None:
        """Hand to `take` what is new. Raises BusDown.

        Where the topic has not what was read of it, `forget` is called, and all that it has is handed over.
        """
        async with self._turn:
            ends = await bus.ends([self.topic])
            if not self._differs(ends):
                return
            less = any(end < self.next.get(part.number, 0) for part, end in ends.items())
            if not less and await self._go_on(bus, take):
                return
            self.next, self.tails = {}, {}
            forget()
            await self._go_on(bus, take)

    def _differs(self, ends: dict[Partition, int]) -> bool:
        return any(end != self.next.get(part.number, 0) for part, end in ends.items())

    async def _go_on(self, bus: Bus, take: Callable[[Delivery], None]) -> bool:
        """Read on; whether the topic still has what was read last, as far as that shows."""
        stands = True
        start = {number: following - (number in self.tails) for number, following in self.next.items()}
        async for one in bus.read(self.topic, start or None):
            number = one.partition.number
            if one.position < self.next.get(number, 0):
                stands = stands and tail_of(one) == self.tails[number]
            elif stands:
                self.next[number] = one.position + 1
                if one.key is None and one.value is None:  # what a reader passed over may be another thing next time
                    self.tails.pop(number, None)
                else:
                    self.tails[number] = tail_of(one)
                take(one)
        return stands
