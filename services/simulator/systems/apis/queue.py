"""The carriers' side of the queue, from the interface document alone: each interchange is a message."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel

_HEAD = b"UNA:+.? '"


class QueueDown(Exception):
    """The broker did not take the interchanges."""


def interchanges(path: Path) -> Iterator[bytes]:
    """Yield the interchanges of a file, one after another."""
    for part in path.read_bytes().split(_HEAD)[1:]:
        yield _HEAD + part


async def send(url: str, directory: Path) -> int:
    """Put all interchanges of a directory into a durable queue, made if need be; how many. Raises QueueDown."""
    import aio_pika
    from aio_pika.exceptions import AMQPError

    parts = urlsplit(url)
    virtual_host, _, name = unquote(parts.path.removeprefix("/")).rpartition("/")
    server = parts._replace(path=f"/{virtual_host.replace('/', '%2F')}").geturl()
    try:
        async with await aio_pika.connect(server, timeout=10) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(name, durable=True)
            if queue.declaration_result.message_count:
                raise QueueDown("the queue holds messages already; give an empty one")
            return await _publish(channel, name, directory)
    except (AMQPError, OSError, TimeoutError) as error:
        raise QueueDown(type(error).__name__) from None


async def _publish(channel: AbstractChannel, name: str, directory: Path) -> int:
    """Each message is known to be on disk before the next one goes."""
    from aio_pika import DeliveryMode, Message

    sent = 0
    for path in await asyncio.to_thread(lambda: sorted(directory.glob("*.edi"))):
        for number, body in enumerate(interchanges(path), start=1):
            named = f"{path.stem}.{number:04}"
            message = Message(body, delivery_mode=DeliveryMode.PERSISTENT, message_id=named)
            await channel.default_exchange.publish(message, routing_key=name)
            sent += 1
    return sent
