"""What feeds keep beside their positions: values of a compacted topic, so that a feed finds them on any machine.

A host holds where each value stands, not the values. A value is written once under its name and never changed
(`adapters.core.Storage`), so a process that has lost a feed cannot spoil what the next one holds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bus.contract import Bus, Delivery, Message, Partition, Producer
from bus.following import Followed
from schemas.topics import EXTRACTS

Wait = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]
"""Repeats a step while the bus is down."""


@dataclass(slots=True)
class Values:
    """Where the values of all feeds stand in the topic. Every method raises BusDown and may then be called again."""

    bus: Bus
    producer: Producer
    places: dict[str, tuple[Partition, int]] = field(default_factory=dict)
    _followed: Followed = field(default_factory=lambda: Followed(EXTRACTS))

    async def follow(self) -> None:
        """Take in what was written since; all anew where the topic has not what was read of it."""
        await self._followed.follow(self.bus, self._take, self.places.clear)

    def _take(self, delivery: Delivery) -> None:
        if delivery.key is None:
            return
        name = delivery.key.decode(errors="replace")
        if delivery.value is None:
            self.places.pop(name, None)
        else:
            self.places[name] = (delivery.partition, delivery.position)

    async def value(self, name: str) -> bytes | None:
        """The value; None if there is none of that name."""
        for _ in range(2):  # written anew, it stands elsewhere, and the bus may have dropped its former place
            if (place := self.places.get(name)) is not None:
                partition, position = place
                delivery = (await self.bus.peek({partition: position})).get(partition)
                # on a bus that was restored something else may stand there
                if delivery is not None and delivery.key == name.encode() and delivery.value is not None:
                    return delivery.value
            await self.follow()
        return None

    async def send(self, values: Mapping[str, bytes | None]) -> None:
        """Return once they are durable; None forgets a value."""
        for name, value in values.items():  # one at a time: together they may be more than a call takes
            await self.producer.send([Message(EXTRACTS, name.encode(), value)])


@dataclass(slots=True)
class FeedStorage:
    """The values of one feed (`adapters.core.Storage`). `wait` repeats what the bus did not take."""

    values: Values
    key: str  # of the feed
    directory: Path
    wait: Wait

    async def names(self) -> Sequence[str]:
        """The names of all values of the feed."""
        await self.wait(self.values.follow)
        begin = f"{self.key}/"
        return [name.removeprefix(begin) for name in self.values.places if name.startswith(begin)]

    async def load(self, name: str) -> bytes:
        """The value. Raises KeyError."""
        results: list[bytes | None] = []

        async def step() -> None:
            results.append(await self.values.value(f"{self.key}/{name}"))

        await self.wait(step)
        if (value := results[-1]) is None:
            raise KeyError(name)
        return value

    async def keep(self, values: Mapping[str, bytes]) -> None:
        """Return once they are durable."""
        wanted = {f"{self.key}/{name}": value for name, value in values.items()}
        await self.wait(lambda: self.values.send(wanted))

    async def drop(self, names: Sequence[str]) -> None:
        """Forget values."""
        await self.wait(lambda: self.values.send(dict.fromkeys(f"{self.key}/{name}" for name in names)))
