"""A correlator process for one installation after the other: `python -m converging`, an order a line on its input.

What an order starts is what `visabus correlate` starts; it runs until the word `stop`. A process takes a second to
start and a world a fraction of one to correlate, so the process stays. It tells on its output, a JSON object a line:
`holds`, the partitions that are its own, whenever they change; `appended`, how many batches it took, once it is done.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable
from random import Random
from unittest.mock import patch

import msgspec
from planted import planting

from bus.contract import Partition
from services import failpoints
from services.correlator import correlator, process
from services.correlator.correlator import Correlator
from services.domain import caps
from services.logs import configure
from services.settings import load

STOP = b"stop\n"
IDLE_SECONDS = 0.1
"""Instead of the fifth of a second that a correlator rests otherwise: worlds are many and small."""


class Order(msgspec.Struct):
    """How to correlate, and where: `environment` holds the settings."""

    environment: dict[str, str]
    seed: int = 0
    cap: int = caps.CAP
    poll: int = process.POLL_MESSAGES
    shared: int = correlator.SHARED_BYTES  # bytes of work above which correlators resolve it by shards
    rests: dict[str, tuple[float, float]] = {}  # point -> least and most seconds
    bug: str | None = None


class Message(msgspec.Struct, omit_defaults=True):
    """What the process says."""

    holds: list[Partition] | None = None
    appended: int | None = None


def tell(message: Message) -> None:
    """Say it at once."""
    sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
    sys.stdout.buffer.flush()


class Telling(Correlator):
    """Says what it holds."""

    async def assigned(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        taken = await super().assigned(partitions)
        tell(Message(holds=sorted(self._positions)))
        return taken

    async def revoked(self, partitions: Iterable[Partition]) -> None:
        await super().revoked(partitions)
        tell(Message(holds=sorted(self._positions)))


def resting(order: Order, passed: Counter[str]) -> failpoints.Action:
    """Rests at the points of the order, so long as its seed has it."""
    rng = Random(order.seed)

    async def rest(point: str) -> None:
        passed[point] += 1
        if point in order.rests:
            await asyncio.sleep(rng.uniform(*order.rests[point]))

    return rest


async def follow(order: Order, orders: asyncio.StreamReader) -> None:
    """Correlate until told to stop."""
    stop = asyncio.Event()
    passed: Counter[str] = Counter()
    settings = load(environment=order.environment)
    with (
        planting(order.bug),
        patch.object(caps, "CAP", order.cap),
        patch.object(process, "POLL_MESSAGES", order.poll),
        patch.object(correlator, "SHARED_BYTES", order.shared),
        patch.object(correlator, "RESOLVE_BYTES", order.shared),
    ):
        async with asyncio.TaskGroup() as tasks:
            with failpoints.armed(resting(order, passed)):
                tasks.create_task(process.run(settings, once=False, stop=stop))
            assert await orders.readline() == STOP
            stop.set()
    tell(Message(appended=passed["append.committed"]))


async def main() -> None:
    """Follow orders until there are no more."""
    orders = asyncio.StreamReader(limit=2**20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        await follow(msgspec.json.decode(line, type=Order), orders)


if __name__ == "__main__":
    configure("warning", "console")
    with patch.object(process, "Correlator", Telling), patch.object(process, "IDLE_SECONDS", IDLE_SECONDS):
        asyncio.run(main())
