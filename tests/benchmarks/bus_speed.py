"""Messages a second, sent and polled, on both buses: 500 bytes, without and with ten headers, medians of 3.

Run: python tests/benchmarks/bus_speed.py [--messages N] [--kafka HOST:PORT]
Without an address a local Kafka is started.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from bus.contract import Bus, Message, Topic
from bus.open import open_bus
from services import kafka_local

RUNS = 3
BATCH = 1_000
HEADERS = tuple((f"header-{number}", b"0123456789abcdef0123") for number in range(10))


def batches(topic: str, messages: int, headers: tuple[tuple[str, bytes], ...]) -> list[list[Message]]:
    """The messages of one run, made before the clock starts."""
    value = os.urandom(500)
    made = [Message(topic, b"system/%d" % number, value, headers) for number in range(messages)]
    return [made[at : at + BATCH] for at in range(0, messages, BATCH)]


async def send(bus: Bus, work: Sequence[Sequence[Message]]) -> float:
    """Messages a second, one batch after the other."""
    producer = await bus.producer()
    await producer.send(work[0][:1])
    began = time.perf_counter()
    for batch in work:
        await producer.send(batch)
    took = time.perf_counter() - began
    await producer.close()
    return sum(map(len, work)) / took


async def poll(bus: Bus, topic: str, messages: int) -> float:
    """Messages a second, committing after each poll."""
    consumer = await bus.consumer(uuid.uuid4().hex, [topic])
    began, seen = time.perf_counter(), 0
    while seen < messages:
        deliveries = await consumer.poll()
        seen += len(deliveries)
        await consumer.commit({delivery.partition: delivery.position + 1 for delivery in deliveries})
    took = time.perf_counter() - began
    await consumer.close()
    return seen / took


async def measure(name: str, url: str, messages: int) -> None:
    """Print one line per kind of message."""
    bus = await open_bus(url)
    try:
        for headers in ((), HEADERS):
            sent, polled = [], []
            for _ in range(RUNS):
                topic = f"bench.{uuid.uuid4().hex}"
                await bus.declare([Topic(topic, 4)])
                sent.append(await send(bus, batches(topic, messages, headers)))
                polled.append(await poll(bus, topic, messages))
            middle = statistics.median
            print(f"{name:9} {len(headers):2} headers: send {middle(sent):9,.0f} /s  poll {middle(polled):9,.0f} /s")
    finally:
        await bus.close()


def main() -> None:
    """Measure both buses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--kafka", default="", help="address of a Kafka that runs already")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(measure("embedded", f"embedded://{directory}/bus.db", arguments.messages))
        data = Path(directory) / "kafka"
        kafka = arguments.kafka or kafka_local.start(data)
        try:
            asyncio.run(measure("kafka", f"kafka://{kafka}", arguments.messages))
        finally:
            if not arguments.kafka:
                kafka_local.stop(data)


if __name__ == "__main__":
    main()
