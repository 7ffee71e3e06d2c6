"""From a rename to the view: python tests/benchmarks/rename_to_view.py [FILES]

`visabus ingest` and `visabus correlate` run as they do by default, on the embedded bus and store. Each file (of FALCON,
which has no total that tells its end) is written under a temporary name and renamed into the directory that ingest
reads. It counts as seen once its events are taken in, resolved and told: median and 95th percentile in seconds.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parents[1]))

from pipeline import VISABUS, stop

from bus.contract import Bus
from bus.open import open_bus
from schemas.topics import EVENT_TOPICS
from services.correlator.process import caught_up
from services.simulator import simulate, sources
from services.store import Store, open_store
from services.wiring import topics

LINES = 10
"""Records in a file."""
MOST_SECONDS = 120.0


async def sent(bus: Bus) -> int:
    """How many events stand on the bus."""
    return sum((await bus.ends(EVENT_TOPICS)).values())


async def seen(bus: Bus, store: Store, before: int) -> None:
    """Return once more events stand on the bus than before, and all are in the view."""
    async with asyncio.timeout(MOST_SECONDS):
        while True:
            if await sent(bus) > before and await caught_up(bus, store):
                return
            await asyncio.sleep(0.01)


async def measure(drop: Path, lines: list[bytes], files: int, bus: Bus, store: Store) -> list[float]:
    """Seconds for each file, but the first, with which the processes start."""
    rng, results = Random(1), []
    for number in range(files + 1):
        before, name = await sent(bus), f"FALCON.{number:04}.jsonl.gz"
        part = drop / f"{name}.part"
        part.write_bytes(gzip.compress(b"".join(lines[number * LINES : (number + 1) * LINES])))
        await asyncio.sleep(rng.uniform(0.5, 6.0))  # at any point of a pause between two polls
        part.rename(drop / name)
        began = time.monotonic()
        await seen(bus, store, before)
        if number:
            results.append(time.monotonic() - began)
    return results


def prepare(place: Path, files: int) -> list[bytes]:
    """Directories for the data and the files, and the lines that come."""
    (place / "data").mkdir(mode=0o700)
    (place / "drop").mkdir()
    simulate(place / "population", persons=1_500, seed=5, years=2, systems=sources())
    lines: list[bytes] = []
    for file in sorted((place / "population" / "falcon").iterdir()):
        lines += gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    assert len(lines) >= LINES * (files + 1), "a larger population is needed"
    return lines


def start(place: Path) -> list[subprocess.Popen[bytes]]:
    """An ingest and a correlator with all settings as they are by default."""
    commands = (("ingest", "--feed", f"FALCON.loads={(place / 'drop').as_uri()}"), ("correlate",))
    environment = {**os.environ, "VISABUS_DATA_DIR": str(place / "data")}
    with (place / "log").open("wb") as log:
        return [subprocess.Popen([VISABUS, *each], env=environment, stdout=log, stderr=log) for each in commands]


async def main(files: int) -> None:
    """Print both figures."""
    with tempfile.TemporaryDirectory(prefix="visabus-rename-") as name:
        place = Path(name)
        lines = prepare(place, files)
        bus = await open_bus(f"embedded://{place}/data/bus.db")
        await bus.declare(topics())
        store = await open_store(f"sqlite+aiosqlite:///{place}/data/store.db")
        running = start(place)
        try:
            results = await measure(place / "drop", lines, files, bus, store)
        finally:
            for each in running:
                await stop(each)
            await store.close()
            await bus.close()
        late = quantiles(results, n=20)[-1]
        print(f"{files} files of {LINES} records: median {median(results):.2f} s, 95th percentile {late:.2f} s")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
