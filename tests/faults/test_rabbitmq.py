"""APIS from a queue of a RabbitMQ that dies and is restarted while messages flow, IDENT through doors that die."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import aio_pika
import pytest
import rabbitmq_local
from aio_pika.exceptions import AMQPError
from killing import Sender, kinds, moved, new_seed, spread, wait_until, watching
from pipeline import Pipeline, counters, stop, wrong_counts

from bus.contract import Bus
from services.simulator.systems.apis.queue import interchanges
from services.simulator.truth.records import Truth

pytestmark = pytest.mark.slow

QUEUE = "apis"
PREFETCH = 60
"""So many messages at most lie in the queue: sender and reader are both under way when the node dies."""


async def publish(address: str, bodies: Sequence[bytes], allowed: Callable[[int], Awaitable[None]]) -> None:
    """A carrier that sends each message until the node has confirmed it."""
    sent = 0
    while sent < len(bodies):
        try:
            async with await aio_pika.connect(address, timeout=10) as connection:
                channel = await connection.channel()
                while sent < len(bodies):
                    await allowed(sent)
                    message = aio_pika.Message(bodies[sent], delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
                    await channel.default_exchange.publish(message, routing_key=QUEUE, timeout=10)
                    sent += 1
        except (AMQPError, OSError, TimeoutError, RuntimeError):
            await asyncio.sleep(0.2)


async def queue_of(node: Path) -> str:
    """The address of a node with an empty queue that outlives a kill."""
    address = await asyncio.to_thread(rabbitmq_local.start, node)
    async with await aio_pika.connect(address) as connection:
        await (await connection.channel()).declare_queue(QUEUE, durable=True)
    await asyncio.to_thread(rabbitmq_local.write_down, node)
    return address


async def taken(bus: Bus) -> int:
    """How many messages of the queue are done."""
    seen = (await counters(bus)).get("APIS/queue")
    return seen.read if seen is not None else 0


@pytest.mark.law(
    2,
    "APIS from a real queue whose node is killed, stopped and killed while carrier and ingest are both "
    "under way, IDENT through doors that are killed: the same digest",
)
async def test_rabbitmq_killed_and_restarted_while_messages_flow(
    node: Path, tmp_path: Path, population: Path, expected: str, tell: Callable[[str], None]
) -> None:
    seed = new_seed()
    address = await queue_of(node)
    pipeline = Pipeline.embedded(tmp_path / "data", population, chunk=20)
    feeds = {name: url for name, url in pipeline.feeds.items() if name != "APIS.files"}
    pipeline = replace(pipeline, feeds=feeds | {"APIS.queue": f"{address}/{QUEUE}"})
    bodies = [body for path in sorted((population / "apis").glob("*.edi")) for body in interchanges(path)]
    written = Truth.read(population / "truth").counts["systems"]
    waits: list[float] = []
    faults = (rabbitmq_local.kill, rabbitmq_local.stop, rabbitmq_local.kill)
    portions = 0  # of the messages: two a fault, so that there is always something left to flow, and one for the end
    async with watching(pipeline) as watch:

        async def allowed(sent: int) -> None:
            async def near() -> bool:
                portion = len(bodies) * portions // (2 * len(faults) + 1)
                return sent < portion and sent - await taken(watch.bus) < PREFETCH

            if sent % 10 == 0:
                await wait_until(near, seconds=240)

        async def read() -> int:
            return await taken(watch.bus)

        async def all_read() -> bool:
            read_now: Counter[str] = Counter()  # a system may have several feeds
            for key, one in (await counters(watch.bus)).items():
                read_now[key.partition("/")[0]] += one.read
            return read_now == Counter({system: lines["read"] for system, lines in written.items()})

        sender = Sender(pipeline)
        *_, door = kinds(pipeline, watch, sender, 0)
        reader = pipeline.start("ingest", "--stamp", "recorded")
        publishing = asyncio.create_task(publish(address, bodies, allowed))
        rng = Random(seed)
        try:
            for fault in faults:
                await door.kill(rng)
                portions += 1
                await moved(read)
                assert not publishing.done()
                began = time.monotonic()
                await asyncio.to_thread(fault, node)
                portions += 1
                await asyncio.to_thread(rabbitmq_local.start, node)
                await moved(read)
                waits.append(time.monotonic() - began)
            portions += 1
            last = pipeline.open_door()
            await publishing
            await sender.task
            await wait_until(all_read)
            await asyncio.gather(stop(last), stop(reader))
        finally:
            for task in (publishing, sender.task):
                task.cancel()
            await asyncio.gather(publishing, sender.task, return_exceptions=True)
            reader.kill()
            reader.wait()
    await asyncio.to_thread(pipeline.correlate)
    lines = spread("from RabbitMQ's death to the next message read, its own start included,", waits)
    tell(f"seed {seed}; {lines}; {door.summary()}")
    assert pipeline.digest() == expected
    assert await wrong_counts(pipeline, population) == []
