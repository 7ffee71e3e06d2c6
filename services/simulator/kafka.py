"""Messages written to a topic of a system's own Kafka, as its owner writes them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from urllib.parse import urlsplit

Keyed = tuple[bytes, bytes]
"""Key and value."""
PARTITIONS = 3
TIMEOUT = 30.0
_BATCH = 256 * 1024
"""Bytes of a batch, below what any broker takes: it judges a batch as one."""


class KafkaDown(Exception):
    """The broker did not take the messages."""


async def write(url: str, messages: Iterable[Keyed]) -> int:
    """Write messages to the topic of a URL (`kafka://host:port/topic`), which is made anew; how many. Raises KafkaDown.

    Times are left to the client's clock: a broker refuses a batch with one of an hour to come. A batch that is refused
    goes again message by message, for one bad message fails its good neighbours.
    """
    from aiokafka import AIOKafkaProducer
    from aiokafka.errors import KafkaError

    parts = urlsplit(url)
    topic = parts.path.removeprefix("/")
    sent = 0
    try:
        async with asyncio.timeout(TIMEOUT):
            await _make(parts.netloc, topic)
        # not idempotent: behind a batch that the broker refused such a producer has a gap in its numbers for good
        producer = AIOKafkaProducer(bootstrap_servers=parts.netloc, max_batch_size=_BATCH, acks="all")
        async with producer:
            waiting = []
            for key, value in messages:
                waiting.append((key, value, await producer.send(topic, value, key=key)))
                sent += 1
                if len(waiting) >= 1_000:
                    await _confirmed(producer, topic, waiting)
                    waiting.clear()
            await _confirmed(producer, topic, waiting)
    except (KafkaError, OSError, TimeoutError) as error:
        raise KafkaDown(type(error).__name__) from None
    return sent


async def _confirmed(producer: object, topic: str, waiting: list[tuple[bytes, bytes, asyncio.Future[object]]]) -> None:
    """Wait until all are durable; what was refused in a batch goes again alone. Raises KafkaError."""
    from aiokafka.errors import KafkaError

    results = await asyncio.gather(*(future for _, _, future in waiting), return_exceptions=True)
    failure: KafkaError | None = None
    for (key, value, _), result in zip(waiting, results, strict=True):
        if isinstance(result, BaseException) and not isinstance(result, KafkaError):
            raise result
        if isinstance(result, KafkaError):
            try:
                await producer.send_and_wait(topic, value, key=key)  # type: ignore[attr-defined]  # the library's
            except KafkaError as error:  # this one is bad; those behind it may be good
                failure = error
    if failure is not None:
        raise failure


async def _make(server: str, topic: str) -> None:
    """Make the topic, and wait until it has leaders. Raises KafkaError, which the library does not for a refusal."""
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic
    from aiokafka.errors import for_code

    admin = AIOKafkaAdminClient(bootstrap_servers=server)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
        for _, code, *_ in answer.topic_errors:
            if code:
                raise for_code(code)(topic)
        ready = 0
        while ready < PARTITIONS:
            (described,) = await admin.describe_topics([topic])
            ready = sum(each["leader"] >= 0 for each in described["partitions"])
            await asyncio.sleep(0.05)
    finally:
        await admin.close()
