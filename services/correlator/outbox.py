"""The outbox: changes go to the bus, at least once, in the order in which they were resolved."""

from __future__ import annotations

import orjson

from bus.contract import Message, Producer
from schemas.cloudevents import headers_of_change
from schemas.topics import CHANGES, CHANGES_LATEST
from services.correlator.changes import unpack_changes
from services.store.writer import Transaction

ROWS = 50
"""Rows of the outbox in one go."""


async def deliver(tx: Transaction, producer: Producer) -> int:
    """Send the oldest rows and delete them once they are durable; how many changes that were. Raises BusDown.

    One correlator at a time: two would put an older change behind a newer one on the compacted topic.
    """
    if not await tx.lock_outbox():
        return 0
    rows = await tx.changes(ROWS)
    if not rows:
        return 0
    bodies = [body for _, blob in rows for body in unpack_changes(blob)]
    messages = []
    for body in bodies:
        change = orjson.loads(body)
        key, headers = change["person"].encode(), headers_of_change(change["id"], change["at"])
        messages += [Message(CHANGES, key, body, headers), Message(CHANGES_LATEST, key, body, headers)]
    await producer.send(messages)
    await tx.delete_changes([number for number, _ in rows])
    return len(bodies)
