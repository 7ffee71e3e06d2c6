"""The correlator's transactions over a store without a bus, one step at a time; and what should come out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from random import Random

from services.correlator.append import Batch, append
from services.correlator.compare import compare
from services.correlator.key_cache import KeyCache
from services.correlator.resolve import resolve, resolve_shard
from services.correlator.sharding import sort
from services.domain.coverage import coverage_of_joined
from services.domain.facts import fact_of
from services.domain.history import canonical
from services.domain.pools import Pool
from services.domain.resolve import persons
from services.store import Store
from services.store.writer import Conflict, Writer

NOW = 1_790_000_000
"""Later than anything the populations hold."""
Step = Callable[[], Awaitable[object]]


async def again(step: Step) -> object:
    """A step, until no other transaction is in its way."""
    while True:
        try:
            return await step()
        except Conflict:
            continue


class Driver:
    """One correlator's steps."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.keys = KeyCache()
        self.now = NOW

    async def append(self, raws: Sequence[bytes]) -> None:
        """Append events in one batch."""
        facts = [fact_of(raw) for raw in raws]
        batch = Batch(
            [fact for fact in facts if fact.kind != "coverage"],
            [],
            [fact for fact in facts if fact.kind == "coverage"],
        )

        async def step() -> None:
            async with self.writer.begin() as tx:
                done = await append(tx, batch, self.keys)
            self.keys.remember(done)

        await again(step)

    async def compare(self) -> None:
        """Look at everything that waits."""

        async def step() -> int:
            async with self.writer.begin() as tx:
                return await compare(tx, 5)

        while await again(step):
            pass

    async def resolve(self, limit: int = 3) -> bool:
        """Resolve once; whether there was anything."""

        async def step() -> bool:
            async with self.writer.begin() as tx:
                return (await resolve(tx, limit, self.now, coverage_of_joined(await tx.coverage()))).rows > 0

        return bool(await again(step))

    async def resolve_sorted(self) -> bool:
        """Sort what waits, and resolve a shard; whether there was anything."""

        async def sorting() -> int:
            async with self.writer.begin() as tx:
                return await sort(tx)

        async def step() -> bool:
            async with self.writer.begin() as tx:
                return (await resolve_shard(tx, self.now, coverage_of_joined(await tx.coverage()))).rows > 0

        return bool(await again(sorting)) | bool(await again(step))

    async def finish(self) -> None:
        """Look and resolve until nothing is left."""
        await self.compare()
        while await self.resolve(50):
            await self.compare()


async def export(store: Store) -> list[bytes]:
    """The view as it stands."""
    return [history async for history in store.reads.histories(confidential=True)]


def reference(raws: Iterable[bytes], known_at: int | None = None) -> list[bytes]:
    """The view as it must be: all events as if they were one pool."""
    pool = Pool(fact for fact in map(fact_of, raws) if fact.kind != "coverage")
    return [canonical(history) for history in persons(pool.facts.values(), known_at)]


def batches(raws: Sequence[bytes], rng: Random) -> list[list[bytes]]:
    """The events in another order, some twice, in batches of any size."""
    shuffled = [*raws, *rng.sample(list(raws), len(raws) // 5)]
    rng.shuffle(shuffled)
    parts = []
    while shuffled:
        size = rng.choice((1, 2, 5, 20, 100))
        parts.append(shuffled[:size])
        shuffled = shuffled[size:]
    return parts


def known_of(raws: Iterable[bytes]) -> list[int]:
    """The publication stamps, sorted."""
    return sorted(fact.known for fact in map(fact_of, raws))


def facts_known_by(raws: Iterable[bytes], known_at: int) -> list[bytes]:
    """Only what was known by then."""
    return [raw for raw in raws if fact_of(raw).known <= known_at]
