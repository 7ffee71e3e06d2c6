"""Where a bus lives, and the processes around it that a test may hurt."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from stopping import wait_until_stopped

from bus.contract import Bus, Consumer, Delivery, Message, Topic
from bus.open import open_bus
from services import kafka_local

CHILD = Path(__file__).with_name("child.py")
PATIENCE = 60.0
"""Seconds until what should come is taken as lost."""


class Place:
    """A bus that can be opened again and again."""

    def __init__(self, kind: str, url: str, options: dict[str, Any]) -> None:
        self.kind = kind
        self.url = url
        self.options = options
        self._open: list[Bus] = []

    async def reopen(self, **options: Any) -> Bus:
        """Close what was opened before, and open: a restart."""
        await self.close()
        return await self.another(**options)

    async def another(self, **options: Any) -> Bus:
        """Open the place beside what is open."""
        bus = await open_bus(self.url, **(self.options | options))
        self._open.append(bus)
        return bus

    async def close(self) -> None:
        """Close all that was opened."""
        while self._open:
            await self._open.pop().close()

    async def topic(self, *, partitions: int = 4, compacted: bool = False) -> str:
        """A new topic."""
        name = f"test.{uuid.uuid4().hex}"
        bus = await open_bus(self.url, **self.options)
        await bus.declare([Topic(name, partitions, compacted)])
        await bus.close()
        return name

    @asynccontextmanager
    async def child(self, *arguments: str) -> AsyncIterator[Child]:
        """A process of its own on this place: see child.py."""
        options = "&".join(f"{name}={value}" for name, value in self.options.items())
        process = await asyncio.create_subprocess_exec(
            sys.executable, CHILD, f"{self.url}?{options}", *arguments, stdout=asyncio.subprocess.PIPE
        )
        child = Child(process)
        try:
            yield child
        finally:
            await child.kill()


class Child:
    """A process that prints one number a line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self) -> str:
        """The next line that it prints."""
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            return (await self._process.stdout.readline()).decode().strip()

    def signal(self, number: signal.Signals) -> None:
        """Stop or continue it."""
        self._process.send_signal(number)

    async def kill(self) -> list[str]:
        """SIGKILL, and the lines that it had still printed."""
        if self._process.returncode is None:
            self._process.kill()
        assert self._process.stdout is not None
        rest = (await self._process.stdout.read()).decode().splitlines()
        await self._process.wait()
        return rest


class Broker:
    """A local Kafka that may be hurt."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.address = ""

    def start(self) -> None:
        """Start it, unless it runs, on the port and the data that it had."""
        self.address = kafka_local.start(self._directory)

    def stop(self) -> None:
        """Stop it in good order."""
        kafka_local.stop(self._directory)

    def kill(self) -> None:
        """SIGKILL."""
        kafka_local.kill(self._directory)

    def freeze(self) -> None:
        """SIGSTOP."""
        os.kill(self._pid(), signal.SIGSTOP)
        wait_until_stopped(self._pid())

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self._pid(), signal.SIGCONT)

    def _pid(self) -> int:
        return int((self._directory / "pid").read_text())


def numbered(topic: str, numbers: Iterable[int], *, keys: int = 10) -> list[Message]:
    """Messages whose value is a number, spread over some keys."""
    return [Message(topic, f"key-{n % keys}".encode(), str(n).encode()) for n in numbers]


def numbers(deliveries: Iterable[Delivery]) -> list[int]:
    """The numbers in the values."""
    return [int(delivery.value or b"") for delivery in deliveries]


async def send(bus: Bus, messages: Sequence[Message]) -> None:
    """Send by a producer of its own."""
    producer = await bus.producer()
    await producer.send(messages)
    await producer.close()


async def drain(consumer: Consumer, count: int) -> list[Delivery]:
    """Poll until that many deliveries are there."""
    results: list[Delivery] = []
    async with asyncio.timeout(PATIENCE):
        while len(results) < count:
            results += await consumer.poll(timeout=0.2)
    return results


async def quiet(consumer: Consumer, *, seconds: float = 0.6) -> list[Delivery]:
    """What comes in a while in which nothing should come."""
    return await consumer.poll(timeout=seconds)


async def commit(consumer: Consumer, deliveries: Iterable[Delivery]) -> None:
    """Commit past the deliveries."""
    await consumer.commit({delivery.partition: delivery.position + 1 for delivery in deliveries})
