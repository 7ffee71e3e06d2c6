"""What a bus promises, whatever is underneath.

Order holds per key only. A position is an integer that is meaningful only inside its partition: positions grow, may
have gaps, and nothing may be computed from their difference except "not yet read" when both ends come from the bus.
Delivery is at least once; whoever reads must be indifferent to a repeat.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from links.reasons import Reason


class BusError(Exception):
    """Anything a bus raises on purpose."""


class BusDown(BusError):
    """The bus could not be reached, or did not answer before the deadline. Whether a send arrived is *unknown*.

    `code`: why, None where it is not known. `final`: somebody has to change something first.
    """

    def __init__(self, text: str, *, code: Reason | None = None, final: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.final = final


class MessageTooLarge(BusError):
    """One message exceeds what the bus takes; nothing of the call that held it was promised."""


class MessagesGone(BusError):
    """A topic that keeps everything has lost messages that its reader has still to read."""


class UnknownTopic(BusError):
    """A topic was used that nobody declared."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A declared topic. A compacted topic keeps at least the last value of each key; others keep everything."""

    name: str
    partitions: int
    compacted: bool = False


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. Equal keys keep their order; a value of None deletes the key on a compacted topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Delivery(NamedTuple):
    """What is received: the message's parts and its place. `position + 1` is a valid place to resume from."""

    partition: Partition
    position: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Span(NamedTuple):
    """Where messages of one send stand in a partition: the position of the first, and the last with its own."""

    first: int
    last: Delivery


Placed = Mapping[Partition, Span]
"""Of each partition that a send wrote to, where its messages stand, as far as the bus told that."""


# Asked once per assignment: from which position to read each partition. A partition left out starts at the group's
# committed position, or at the beginning. Both callbacks may be called between two polls; what they raise, joining or
# the next poll raises. Neither is called by close().
Assigned = Callable[[frozenset[Partition]], Awaitable[Mapping[Partition, int]]]
Revoked = Callable[[frozenset[Partition]], Awaitable[None]]


class Producer(Protocol):
    """Sends. One producer is safe to share between tasks of one event loop."""

    async def send(self, messages: Sequence[Message]) -> Placed:
        """Return when all messages are durable: where those of each partition stand.

        Raises BusDown (outcome unknown: send again under the same event id), MessageTooLarge, UnknownTopic.
        """

    async def close(self) -> None:
        """Give up what is held, within the bus's deadline, whatever state the bus is in."""


class Consumer(Protocol):
    """A member of a group: each partition of the topics belongs to one live member."""

    async def poll(self, *, max_messages: int = 5_000, timeout: float = 0.5) -> list[Delivery]:
        """Deliveries in order per partition; empty after `timeout` seconds without any. Raises BusDown."""

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        """Remember, for the group, the next position to read of each partition. Raises BusDown.

        A partition that this member no longer holds is passed over: its position is its holder's affair.
        """

    def assignment(self) -> frozenset[Partition]:
        """The partitions that this member holds now."""

    async def close(self) -> None:
        """Leave the group, so that others take over at once."""


class Bus(Protocol):
    """An open bus."""

    async def declare(self, topics: Iterable[Topic]) -> None:
        """Create what is missing. Idempotent.

        Raises BusError where a topic stands with other partitions, or keeps its messages otherwise.
        """

    async def producer(self) -> Producer:
        """A new producer."""

    async def consumer(
        self,
        group: str,
        topics: Sequence[str],
        *,
        assigned: Assigned | None = None,
        revoked: Revoked | None = None,
    ) -> Consumer:
        """Join a group. `revoked` is awaited before a partition goes to another member, where that can be known."""

    def read(self, topic: str, start: Mapping[int, int] | None = None) -> AsyncIterator[Delivery]:
        """All that a topic holds now, from `start` (partition number -> position), outside any group."""

    async def peek(self, places: Mapping[Partition, int]) -> dict[Partition, Delivery]:
        """Return the message at each of the positions, for those that stand, outside any group. Raises BusDown."""

    async def begins(self, topics: Sequence[str]) -> dict[Partition, int]:
        """The position of the first message that each partition still has; its end where there is none.

        Beyond 0 on a topic that is kept for good, messages are gone. Raises BusDown.
        """

    async def ends(self, topics: Sequence[str]) -> dict[Partition, int]:
        """The position that the next message of each partition will get at the earliest."""

    async def lag(self, group: str, topics: Sequence[str]) -> dict[Partition, int]:
        """Messages not yet committed by the group, per partition (on Kafka an upper bound)."""

    async def close(self) -> None:
        """Close everything this bus opened."""
