"""How long it takes from a record's commit to who follows the changes: `python -m tests.benchmarks.to_subscriber`.

`visabus correlate` runs on an empty PostgreSQL of the benchmark's own and the embedded bus (`--bus` takes another one,
whose topics are to be empty). At each `--rate` so many arrivals a second, each of a person of their own, are published,
twenty times a second; a member of a group of its own reads the topic of changes. Printed are p50, p99 and the longest
time from the instant at which the bus said that an arrival is durable to the one at which its change was read, the rate
that was reached, and the CPU of the correlator and of the database an event.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers import start_postgres, stop_postgres

from bus.contract import Bus, Message
from bus.open import open_bus
from schemas.codec import decode
from schemas.ids import event_id, handle
from schemas.topics import CHANGES, key_of, topic_of
from services import wiring

from .rebuild import Installation
from .store.__main__ import database_cpu, figures
from .store.stream import BIRTHS, letters

TURNS = 20
"""So many times a second something is published."""
PATIENCE = 60.0


def arrivals() -> Iterator[tuple[str, Message]]:
    """Arrivals of ever new persons, each with the id that its person is going to have."""
    number = 0
    while True:
        number += 1
        record = f"{number:011d}"
        revision = {"number": 1, "digest": f"{number:016x}"}
        now = datetime.now(UTC)
        body = {
            "id": str(event_id("I94", record, "", 1, revision["digest"], 1)),
            "schema_version": 2,
            "kind": "arrival",
            "operation": "assert",
            "system": "I94",
            "record": record,
            "place": f"record {number}",
            "revision": revision,
            "mapping_version": 1,
            "batch": "I94.BENCHMARK",
            "published_at": now.isoformat().replace("+00:00", "Z"),
            "occurred_at": {
                "precision": "instant",
                "zone": "America/New_York",
                "at": (now - timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
            },
            "subject": {
                "names": [{"family": _name(number * 7_919), "given": _name(number * 104_729 // 26)}],
                "birth": date.fromordinal(BIRTHS + number * 7_919 % 21_900).isoformat(),
                "sex": "FM"[number % 2],
                "citizenship": ["MEX"],
                "identifiers": [
                    {"scheme": "i94", "issuer": "CBP", "value": record},
                    {"scheme": "passport", "issuer": "MEX", "value": f"P{number:08d}"},
                ],
            },
            "port": "JFK",
            "mode": "air",
            "inspection": "admitted",
            "class_of_admission": "B2",
            "admitted_until": (now + timedelta(days=180)).date().isoformat(),
        }
        raw = json.dumps(body).encode()
        event = decode(raw)
        yield handle("I94", record).hex(), Message(topic_of(event), key_of(event), raw)


def _name(number: int) -> str:
    """A name of its own, whose first letter is any."""
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[number % 26] + letters(f"{number % 99_991:05d}")


class Subscriber:
    """Reads the topic of changes, and notes when each person was first seen."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.seen: dict[str, float] = {}
        self._news = asyncio.Event()

    async def follow(self) -> None:
        """Read until cancelled."""
        consumer = await self._bus.consumer("visabus.subscriber.benchmark", [CHANGES])
        try:
            while True:
                deliveries = await consumer.poll(timeout=0.2)
                now = time.perf_counter()
                for one in deliveries:
                    self.seen.setdefault(json.loads(one.value or b"{}")["person"], now)
                self._news.set()
        finally:
            await consumer.close()

    async def all_of(self, persons: set[str]) -> bool:
        """Wait until all were seen; whether they were, in time."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not persons <= self.seen.keys():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True


async def published(bus: Bus, source: Iterator[tuple[str, Message]], rate: int, seconds: float) -> dict[str, float]:
    """Publish so many a second for so long; by person when the arrival was durable."""
    producer = await bus.producer()
    durable: dict[str, float] = {}
    begin = time.perf_counter()
    try:
        for turn in range(max(1, int(seconds * TURNS))):
            await asyncio.sleep(max(0.0, begin + turn / TURNS - time.perf_counter()))
            some = [next(source) for _ in range(max(1, rate // TURNS))]
            await producer.send([message for _, message in some])
            now = time.perf_counter()
            durable.update((person, now) for person, _ in some)
    finally:
        await producer.close()
    return durable


def correlator_cpu(directory: Path) -> float:
    """Seconds of CPU of the processes of a directory of data that run now."""
    ticks = 0
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            if str(directory).encode() in words and b"correlate" in words:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        except OSError:
            continue
    return ticks / 100


async def measure(url: str, given: argparse.Namespace, directory: Path) -> bool:
    """Measure at each rate and print; whether all was seen."""
    address = given.bus or f"embedded://{directory / 'bus.db'}"
    _, _, postmaster, _ = await figures(url)
    bus = await open_bus(address)
    await bus.declare(wiring.topics())
    subscriber, source, whole = Subscriber(bus), arrivals(), True
    following = asyncio.create_task(subscriber.follow())
    try:
        async with Installation(directory, url, address).running("correlate"):
            if not await subscriber.all_of(set(await published(bus, source, 20, 0.1))):
                raise SystemExit(f"the correlator told nothing in {PATIENCE:.0f} s: {directory}/correlate.log")
            for rate in given.rate:
                client, database, began = correlator_cpu(directory), database_cpu(postmaster), time.perf_counter()
                durable = await published(bus, source, rate, given.seconds)
                reached = len(durable) / (time.perf_counter() - began)
                complete = await subscriber.all_of(set(durable))
                whole = whole and complete
                waits = sorted(subscriber.seen[one] - at for one, at in durable.items() if one in subscriber.seen)
                client, database = correlator_cpu(directory) - client, database_cpu(postmaster) - database
                p50, p99 = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
                print(
                    f"{rate} a second ({reached:,.0f} reached), {len(durable):,} arrivals,"
                    f" {len(durable) - len(waits)} not seen: p50 {1000 * p50:.0f} ms, p99 {1000 * p99:.0f} ms,"
                    f" longest {1000 * waits[-1]:.0f} ms; correlator {client / len(durable) * 1e6:.0f}"
                    f" + database {database / len(durable) * 1e6:.0f} us CPU an event",
                    flush=True,
                )
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await bus.close()
    return whole


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, nargs="+", default=[200, 1_000])
    parser.add_argument("--seconds", type=float, default=30.0, help="at each rate")
    parser.add_argument("--bus", help="the address of a bus with empty topics; the embedded one unless given")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="visabus-to-subscriber-") as name:
        directory = Path(name)
        (directory / "postgres").mkdir()
        url = start_postgres(directory / "postgres").replace("postgresql+asyncpg", "postgresql")
        try:
            whole = asyncio.run(measure(url, given, directory))
        finally:
            stop_postgres(directory / "postgres")
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()
