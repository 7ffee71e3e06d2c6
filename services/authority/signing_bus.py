"""A bus whose producers sign what a system tells, and whose readers pass over what another has written in its name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import unquote

import structlog

from bus.contract import Bus, Delivery, Message, Placed, Producer
from schemas.topics import EVENT_TOPICS, EXTRACTS, FEED_ORDERS, POSITIONS, PUSH_ANSWERS
from services.authority.keys import KeyFiles
from services.authority.rights import Refused
from services.authority.signatures import Signer, Verifier

STATE = frozenset({POSITIONS, EXTRACTS, PUSH_ANSWERS, FEED_ORDERS})
"""Topics by which the ingest of a system goes on, or is held: whoever writes there decides what it leaves out."""
_EVENTS = frozenset(EVENT_TOPICS)
_SOURCE = "ce_source"
log = structlog.get_logger("signing")


class SigningProducer:
    """Signs, and sends."""

    def __init__(self, producer: Producer, signer: Signer) -> None:
        self._producer = producer
        self._signer = signer

    async def send(self, messages: Sequence[Message]) -> Placed:
        """Return when all messages are durable. Raises NoKey, and what a producer raises."""
        return await self._producer.send([self._signed(message) for message in messages])

    async def close(self) -> None:
        """Give up what is held."""
        await self._producer.close()

    def _signed(self, message: Message) -> Message:
        if message.topic in _EVENTS:
            system = next((unquote(name_of(content)) for name, content in message.headers if name == _SOURCE), "")
            return self._signer.signed(message, system)
        if message.topic in STATE and (owner := owner_of(message.key, self._signer.keys)) is not None:
            return self._signer.signed(message, owner)
        return message


class SigningBus:
    """A bus around another one. What is not here is the other's."""

    def __init__(self, bus: Bus, keys: KeyFiles) -> None:
        self._bus = bus
        self._keys = keys

    @property
    def inner(self) -> Bus:
        """The bus around which it stands."""
        return self._bus

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)

    async def producer(self) -> Producer:
        """A new producer, which signs."""
        return SigningProducer(await self._bus.producer(), Signer(self._keys))

    async def read(self, topic: str, start: Mapping[int, int] | None = None) -> AsyncIterator[Delivery]:
        """All that a topic holds now; of what a system goes on by, nothing that another has written."""
        verifier = Verifier(self._keys) if topic in STATE else None
        async for one in self._bus.read(topic, start):
            own = verifier is None or self._own(one, verifier)
            # in its place, so that the reader goes on behind it: a message without a key says nothing there
            yield one if own else one._replace(key=None, value=None)

    def _own(self, one: Delivery, verifier: Verifier) -> bool:
        """Whether a message is its system's own, or of a system that is no concern of this process."""
        owner = owner_of(one.key, self._keys)
        if owner is None:
            return True
        try:
            if verifier.signer_of(one, float("inf")) == owner:
                return True
            why = "signature: by the ingest of another system"
        except Refused as error:
            why = str(error)
        log.error("passed over", topic=one.partition.topic, position=one.position, system=owner, why=why)
        return False


def signing(bus: Bus, keys: KeyFiles) -> Bus:
    """The bus, which signs by these keys."""
    return cast(Bus, SigningBus(bus, keys))


def name_of(source: bytes) -> str:
    """The system that the attribute `source` of an event names, as it is spelt there."""
    return source.decode("ascii", "replace").removeprefix("urn:visabus:system:")


def owner_of(key: bytes | None, keys: KeyFiles) -> str | None:
    """The system, among those with a key here, whose feed a key of the topics of state names."""
    words = (key or b"").decode("utf-8", "replace").split("/")
    names = ("/".join(words[:count]) for count in range(len(words) - 1, 0, -1))  # a system's name may have a slash
    return next((name for name in names if name in keys.by_system), None)
