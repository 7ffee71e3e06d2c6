"""Worlds for the dataflow, and what it is held to: the correlator's view of the same events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from heapq import nsmallest
from random import Random

from confidential_worlds import worlds_of
from correlation import NOW, Driver, batches
from populations import START, World, bytes_of, encounter, passport, world_of

from bus.contract import Delivery, Partition
from schemas.events import AnyEvent
from schemas.identifiers import Identifier, Scheme
from services.dataflow import local, pairing
from services.dataflow.keying import keyed
from services.dataflow.loading import finish, load, load_coverage, load_cutoffs, prepare
from services.dataflow.pairing import Standing
from services.domain import caps
from services.domain.facts import Fact, fact_of
from services.export import lines
from services.store import Store

PLAN = "a plan"


def world(seed: int, first: int = 0) -> list[bytes]:
    """The events of a world; of every third one some are confidential, of every second one people part and meet."""
    if seed % 3 == 2:
        return [raw for batch in worlds_of(seed, first=first).whole for raw in bytes_of(batch)]
    return bytes_of(world_of(seed, torn=bool(seed % 2), first=first)[0])


def unjudged(one: Delivery) -> Fact:
    """The fact of a message, whoever says it."""
    return fact_of(one.value or b"")


def deliveries(raws: Sequence[bytes], *, topic: str = "visabus.arrival", parts: int = 3) -> list[Delivery]:
    """The events as messages of a bus."""
    return [Delivery(Partition(topic, n % parts), n // parts, None, raw, ()) for n, raw in enumerate(raws)]


async def rebuilt(store: Store, raws: Sequence[bytes], parts: int = 3, fingerprint: str = "") -> None:
    """Rebuild a store in this process."""
    done = local.grouped(keyed(deliveries(raws), unjudged))
    await prepare(store, PLAN)
    coverage = await load_coverage(store, done.coverage)
    await load_cutoffs(store, done.cutoffs, done.others)
    for number, rows in local.resolved(done, coverage, NOW, parts):
        await load(store, number, rows)
    await finish(store, done.ends, fingerprint)


async def streamed(store: Store, raws: Sequence[bytes], rng: Random) -> None:
    """Correlate the events in any order, some of them twice."""
    driver = Driver(store.writer)
    for batch in batches(raws, rng):
        await driver.append(batch)
        if rng.random() < 0.4:
            await driver.compare()
        if rng.random() < 0.4:
            await driver.resolve()
    await driver.finish()


async def exports(store: Store, known: Iterable[int] = ()) -> list[list[bytes]]:
    """All that a store answers: to all and to who has the right, now and as known at some moments."""
    return [
        [line async for line in lines(store.reads, confidential=confidential, known_at=known_at)]
        for confidential in (False, True)
        for known_at in (None, *known)
    ]


def several(seeds: Iterable[int]) -> list[bytes]:
    """The events of several worlds, whose people share names, dates of birth and blocks, and no number."""
    return [raw for seed in seeds for raw in world(seed, seed * 1_000)]


def skewed(crossings: int, claims: int) -> list[bytes]:
    """A commuter who crosses very often, and a number that very many people have."""
    made = World(77)
    commuter = made.person()
    events: list[AnyEvent] = [
        encounter(made, commuter, START + timedelta(hours=9 * at), passport(commuter)) for at in range(crossings)
    ]
    shared = Identifier.of(Scheme.RECEIPT, "SRC0000000003")
    events += [encounter(made, made.person(), START + timedelta(minutes=at), shared) for at in range(claims)]
    return bytes_of(events)


@dataclass(frozen=True)
class Unjudging:
    """Judges nothing, wherever it is asked."""

    def reader(self) -> Callable[[Delivery], Fact]:
        """Return what reads a message."""
        return unjudged


@dataclass(frozen=True)
class Prepared:
    """Gives a task the cap of a test, and a bug."""

    cap: int
    bug: str | None = None

    def __call__(self) -> None:
        """Set them in a process of Spark's, for good: each task sets its own."""
        caps.CAP = self.cap
        pairing.nsmallest = first_come if self.bug == "a cap by arrival" else nsmallest


def first_come(count: int, members: Iterable[Standing], key: object) -> list[Standing]:
    """`nsmallest` that takes those that come first."""
    return list(members)[:count]
