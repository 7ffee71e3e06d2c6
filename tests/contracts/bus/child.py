"""A process on a bus, to be killed or frozen: child.py URL VERB ARGUMENT...

VERB is send TOPIC, hold GROUP TOPIC, commit GROUP TOPIC, or lock FILE.
"""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import sys

from bus.contract import Bus, Message
from bus.open import open_bus


async def send(bus: Bus, topic: str) -> None:
    """Send for ever, and print each number once it is acknowledged."""
    producer = await bus.producer()
    for number in itertools.count():
        value = str(number).encode()
        await producer.send([Message(topic, value, value)])
        print(number, flush=True)


async def hold(bus: Bus, group: str, topic: str) -> None:
    """Join, print how many partitions are held, and commit nothing."""
    consumer = await bus.consumer(group, [topic])
    while True:
        await consumer.poll(timeout=0.1)
        print(len(consumer.assignment()), flush=True)


async def commit(bus: Bus, group: str, topic: str) -> None:
    """Join, read, wait to be woken by a line, and commit what was read before."""
    consumer = await bus.consumer(group, [topic])
    deliveries = []
    while not deliveries:
        deliveries = await consumer.poll(timeout=0.1)
    print(len(deliveries), flush=True)
    await asyncio.sleep(0.5)
    await consumer.commit({delivery.partition: delivery.position + 1 for delivery in deliveries})
    print("committed", flush=True)
    await asyncio.sleep(60)


async def lock(bus: Bus, file: str) -> None:
    """Hold the embedded bus's file, with a message half written, and say so."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE partitions SET next = next + 1")
    print("locked", flush=True)
    await asyncio.sleep(60)


async def main(url: str, verb: str, *arguments: str) -> None:
    """Do it until killed."""
    bus = await open_bus(url)
    await {"send": send, "hold": hold, "commit": commit, "lock": lock}[verb](bus, *arguments)


asyncio.run(main(*sys.argv[1:]))
