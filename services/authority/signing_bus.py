"""A bus whose producers sign what a system tells, and whose readers pass over what another has written in its name.

On a compacted topic a message takes the place of the one before it under its key, whoever has written it. Who may
write there is the affair of the broker's rules (`visabus topics acls`); a signature only tells afterwards. So a reader
says so in a line and a count, says whether the system's own message still stands, and goes on as if that key had none:
a feed without its position is read from its beginning, a push is answered anew, a person is asked again, which does no
harm; what a full extract is compared with is missed by its name, which stops the feed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import unquote

import structlog

from bus.contract import Bus, Delivery, Message, Placed, Producer
from schemas.topics import (
    DEAD_LETTERS,
    EVENT_TOPICS,
    EXTRACTS,
    FEED_ORDERS,
    POSITIONS,
    PUSH_ANSWERS,
    QUESTIONS,
    RECEIPTS,
)
from services.authority.keys import KeyFiles
from services.authority.rights import EXAMINERS, Refused
from services.authority.signatures import Signer, Verifier
from services.metrics.instruments import FORGED

OWNED = frozenset({POSITIONS, EXTRACTS, PUSH_ANSWERS, FEED_ORDERS, RECEIPTS, DEAD_LETTERS, QUESTIONS})
"""Topics by which the ingest of a system goes on or is held, and what it gives account of: whoever writes there decides
what it leaves out, or what an operator believes. What a process of no system writes (dead letters of the correlator,
`BUS/...`) is signed where it has a key of that name."""
_GONE_ON_WITH = frozenset({POSITIONS, EXTRACTS})
"""Compacted topics of few keys, of which a reader says whether the system's own message still stands."""
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
        if message.topic in OWNED and (owner := owner_of(message.topic, message.key, self._signer.keys)) is not None:
            return self._signer.signed(message, owner)
        return message


class SigningBus:
    """A bus around another one. What is not here is the other's."""

    def __init__(self, bus: Bus, keys: KeyFiles) -> None:
        self._bus = bus
        self._keys = keys
        self._own_keys: dict[str, set[bytes]] = {}
        """The keys of which a message of the system itself was met."""
        self._reported: set[tuple[str, int, int]] = set()

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
        """All that a topic holds now; of what a system's ingest alone writes, nothing that another has written."""
        verifier = Verifier(self._keys) if topic in OWNED else None
        async for one in self._bus.read(topic, start):
            own = verifier is None or self._own(one, verifier)
            # in its place, so that the reader goes on behind it: a message without a key says nothing there
            yield one if own else one._replace(key=None, value=None)

    def _own(self, one: Delivery, verifier: Verifier) -> bool:
        """Whether a message is its system's own, or of a system that is no concern of this process."""
        topic, number = one.partition
        owner = owner_of(topic, one.key, self._keys)
        if owner is None:
            return True
        try:
            if verifier.signer_of(one, float("inf")) == owner:
                if topic in _GONE_ON_WITH and one.key is not None:
                    self._own_keys.setdefault(topic, set()).add(one.key)
                return True
            why = "signature: by the ingest of another system"
        except Refused as error:
            why = str(error)
        if (topic, number, one.position) not in self._reported:  # who reads all of a topic again tells nothing anew
            self._reported.add((topic, number, one.position))
            FORGED.labels(topic).inc()
            own = {}
            if topic in _GONE_ON_WITH:
                stands = one.key in self._own_keys.get(topic, ())
                own = {
                    "own": "stands" if stands else "none, or displaced: see who may write here, `visabus topics acls`"
                }
            log.error("passed over", topic=topic, position=one.position, system=owner, why=why, **own)
        return False


def signing(bus: Bus, keys: KeyFiles) -> Bus:
    """The bus, which signs by these keys."""
    return cast(Bus, SigningBus(bus, keys))


def name_of(source: bytes) -> str:
    """The system that the attribute `source` of an event names, as it is spelt there."""
    return source.decode("ascii", "replace").removeprefix("urn:visabus:system:")


def owner_of(topic: str, key: bytes | None, keys: KeyFiles) -> str | None:
    """The system, among those with a key here, that alone writes messages of such a key.

    It is the one whose feed the key names; of a question who decides for persons, for it is their command that asks.
    """
    text = (key or b"").decode("utf-8", "replace")
    if topic == QUESTIONS:
        kind, _, text = text.partition(" ")
        if kind == "question":
            return EXAMINERS if EXAMINERS in keys.by_system else None
    words = text.split("/")
    names = ("/".join(words[:count]) for count in range(len(words) - 1, 0, -1))  # a system's name may have a slash
    return next((name for name in names if name in keys.by_system), None)
