"""Messages put into an AMQP queue by their sender: each is known to be on disk before the next one goes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from urllib.parse import unquote, urlsplit

from services.simulator.source import Feeds, Served, SourceUnavailable

TIMEOUT = 30.0
"""Seconds that the broker may take for one message: a publish may wait without end."""


class QueueDown(Exception):
    """The broker did not take the messages."""


async def fill(url: str, messages: Iterable[tuple[str, bytes]]) -> int:
    """Put messages, each with its name, into a durable queue, made if need be; how many. Raises QueueDown.

    Their headers have nothing in them: numbers there change on the way. After an error nothing more is sent over the
    same channel, on which a later confirmation could be credited to another message.
    """
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
            sent = 0
            for named, body in messages:
                message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT, message_id=named)
                await channel.default_exchange.publish(message, routing_key=name, timeout=TIMEOUT)
                sent += 1
            return sent
    except (AMQPError, OSError, TimeoutError) as error:
        raise QueueDown(type(error).__name__) from None


@asynccontextmanager
async def queued(url: str, feed: str, messages: Iterable[tuple[str, bytes]], files: Feeds) -> AsyncIterator[Served]:
    """Serve messages by a feed that reads a queue; where there is none, by the feeds of files.

    Raises SourceUnavailable.
    """
    if not url:
        yield Served(files)
        return
    if not url.startswith(("amqp://", "amqps://")):
        raise SourceUnavailable("the queue cannot be filled: amqp://user@host/queue expected")
    try:
        await fill(url, messages)
    except QueueDown as error:
        raise SourceUnavailable(f"the queue cannot be filled: {error}") from None
    yield Served({feed: {"url": url}})
