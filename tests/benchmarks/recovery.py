"""How soon a killed process is at work again and has caught up: python tests/benchmarks/recovery.py [PERSONS] [KILLS]

On the embedded bus and store, one kind of process at a time. Each time a share of the records comes, a process begins
on it, is killed at its first progress and started again: seconds from that start to its first progress, and to the end
of all that there is. For brokers and databases see what `make test` prints.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from subprocess import Popen

sys.path.insert(0, str(Path(__file__).parents[1]))

from killing import Sender, Watch, changed, spread, wait_until, watching
from pipeline import Pipeline, events_of

from services.correlator.process import caught_up
from services.simulator import push, simulate, sources

DROPPED = ("i94", "apis", "sevis")
Waits = tuple[float, float]


def rates(paths: list[Path], parts: int) -> Iterator[list[Path]]:
    """Files in so many parts, in the order of their names."""
    for part in range(parts):
        yield paths[len(paths) * part // parts : len(paths) * (part + 1) // parts]


async def kill(process: Popen[bytes], begun: Callable[[Popen[bytes]], Awaitable[None]]) -> None:
    """At its first progress."""
    await begun(process)
    process.kill()
    process.wait()


async def ingest(pipeline: Pipeline, watch: Watch, population: Path, drop: Path, kills: int) -> list[Waits]:
    """Files come in parts; the last `ingest --once` ends when all are read."""
    results = []
    begun = changed(watch.read)
    for part in zip(*(rates(sorted((population / name).iterdir()), kills) for name in DROPPED), strict=True):
        for name, files in zip(DROPPED, part, strict=True):
            for file in files:
                shutil.copy2(file, drop / name)
        arguments = ("ingest", "--once", "--take-over", "--stamp", "recorded")
        await kill(pipeline.start(*arguments), begun)
        began = time.monotonic()
        again = pipeline.start(*arguments)
        await begun(again)
        first = time.monotonic() - began
        await asyncio.to_thread(again.wait)
        results.append((first, time.monotonic() - began))
    return results


async def door(pipeline: Pipeline, population: Path, drop: Path, kills: int) -> list[Waits]:
    """Messages come in parts; the sender repeats what was not answered."""
    results = []
    for part in rates(sorted((population / "ident").iterdir()), kills):
        shutil.rmtree(drop / "ident")
        (drop / "ident").mkdir()
        for file in part:
            shutil.copy2(file, drop / "ident")
        sender = Sender(pipeline)
        running = pipeline.open_door()
        await pipeline.ready(running)
        running.kill()
        running.wait()
        before, began = sender.answered, time.monotonic()
        again = pipeline.open_door()

        async def answered(sender: Sender = sender, before: int = before) -> bool:
            return sender.answered > before or sender.task.done()

        await wait_until(answered, every=0.005)
        first = time.monotonic() - began
        await sender.task
        results.append((first, time.monotonic() - began))
        again.kill()
        again.wait()
    return results


async def correlate(pipeline: Pipeline, watch: Watch, source: Pipeline, kills: int) -> list[Waits]:
    """Events come in parts; the correlator has caught up when all are resolved and told."""
    results = []
    begun = changed(watch.correlated)
    async with watching(source) as other:
        messages = await events_of(other.bus)
    producer = await watch.bus.producer()

    async def done() -> bool:
        return await caught_up(watch.bus, watch.store)

    for part in range(kills):
        share = messages[len(messages) * part // kills : len(messages) * (part + 1) // kills]
        await producer.send(share[: len(share) // 2])
        await kill(pipeline.start("correlate"), begun)
        await producer.send(
            share[len(share) // 2 :]
        )  # so that there is something to do, however far the killed one got
        began = time.monotonic()
        again = pipeline.start("correlate")
        await begun(again)
        first = time.monotonic() - began
        await wait_until(done)
        results.append((first, time.monotonic() - began))
        again.kill()
        again.wait()
    await producer.close()
    return results


def tell(kind: str, waits: list[Waits]) -> None:
    """A line for one kind."""
    first, end = zip(*waits, strict=True)
    print(f"{kind}: {len(waits)} kills, {spread('first progress', list(first))}, {spread('caught up', list(end))}")


async def main(persons: int, kills: int) -> None:
    """All kinds."""
    push._jitter = lambda _state: 0.05  # type: ignore[assignment]
    with tempfile.TemporaryDirectory(prefix="visabus-recovery-") as name:
        population, drop = Path(name, "population"), Path(name, "drop")
        simulate(population, persons=persons, seed=5, years=1, systems=sources())
        for each in (*DROPPED, "ident"):
            (drop / each).mkdir(parents=True)
        shutil.copy2(population / "claims3.db", drop)
        pipeline = Pipeline.embedded(Path(name, "read"), drop)
        async with watching(pipeline) as watch:
            tell("ingest", await ingest(pipeline, watch, population, drop, kills))
        tell("door", await door(pipeline, population, drop, kills))
        apart = Pipeline.embedded(Path(name, "correlated"), population)
        async with watching(apart) as watch:
            tell("correlate", await correlate(apart, watch, pipeline, kills))


if __name__ == "__main__":
    asyncio.run(main(*(int(text) for text in (sys.argv[1:] + ["300", "10"][len(sys.argv) - 1 :]))))
