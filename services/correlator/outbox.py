"""The outbox: changes go to the bus, at least once, in the order in which they were resolved."""

from __future__ import annotations

import orjson

from bus.contract import Message, Producer
from schemas.cloudevents import headers_of_change
from schemas.topics import CHANGES, CHANGES_LATEST, CONFIDENTIAL_CHANGES, CONFIDENTIAL_CHANGES_LATEST
from services.correlator.changes import unpack_changes
from services.store.writer import Transaction
from services.tracing import Tracing

_TOPICS = {False: (CHANGES, CHANGES_LATEST), True: (CONFIDENTIAL_CHANGES, CONFIDENTIAL_CHANGES_LATEST)}
ROWS = 50
"""Rows of the outbox in one go."""


async def deliver(tx: Transaction, producer: Producer, tracing: Tracing | None = None) -> int:
    """Send the oldest rows and delete them once they are durable; how many changes that were. Raises BusDown.

    One correlator at a time: two would put an older change behind a newer one on the compacted topic.
    """
    if not await tx.lock_outbox():
        return 0
    rows = await tx.changes(ROWS)
    if not rows:
        return 0
    bodies = [(body, _TOPICS[confidential]) for _, blob, confidential in rows for body in unpack_changes(blob)]
    messages = []
    for body, topics in bodies:
        change = orjson.loads(body)
        context = tracing.changed(change, topics[0]) if tracing is not None else None
        key, headers = change["person"].encode(), headers_of_change(change["id"], change["at"], context)
        messages += [Message(topic, key, body, headers) for topic in topics]
    await producer.send(messages)
    await tx.delete_changes([row[0] for row in rows])
    return len(bodies)
