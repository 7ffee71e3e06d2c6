"""Coverage in the store: joined by system and scope as it is appended, in any order, and exact for the past too."""

from __future__ import annotations

import asyncio
from random import Random

import asyncpg
import pytest
from correlation import again
from msgspec.structs import replace

from schemas.ids import digest, handle
from services.correlator.append import Batch, append
from services.correlator.key_cache import KeyCache
from services.domain.coverage import complete, coverage_of_joined
from services.domain.facts import MICRO, Fact
from services.store import Store, open_store
from services.store.postgres import PostgresTransaction
from services.store.reads import SqlReads
from services.store.sqlite import SqliteTransaction
from services.store.tables import COVERAGE, COVERAGE_EVENT

SYSTEMS = ("I94", "IDENT", "SEVIS")
SCOPES = ("departure:air", "departure:sea", "status")
SEEDS = range(25)


def coverage_fact(
    record: str,
    since: int,
    through: int,
    *,
    system: str = "I94",
    scope: str = "departure:air",
    known: int = 1,
    number: int = 1,
    mapping: int = 1,
    part: str = "",
    retract: bool = False,
) -> Fact:
    """A coverage fact; its id is that of its version."""
    version = f"{system}/{record}/{part}/{number}/{mapping}/{scope}/{since}/{through}/{retract}"
    return Fact(
        handle("TEST", version),
        "coverage",
        retract,
        system,
        record,
        part,
        number,
        digest(version.encode()),
        mapping,
        known,
        f"b\n{known}",
        0,
        0,
        False,
        "UTC",
        None,
        (),
        None,
        (),
        {"scope": scope, "since": since * MICRO + 1 - since % 2, "through": through * MICRO},
    )


def world(seed: int) -> list[Fact]:
    """Stretches of several systems: gaps, records revised, taken back or of several parts, copies with other stamps."""
    rng = Random(seed)
    facts: list[Fact] = []
    for number in range(rng.randint(1, 40)):
        since = rng.randint(0, 60)
        fact = coverage_fact(
            f"R{rng.randint(0, 25) if rng.random() < 0.5 else 100 + number}",
            since,
            since + rng.randint(0, 9),
            system=rng.choice(SYSTEMS),
            scope=rng.choice(SCOPES),
            known=rng.randint(1, 50),
            number=rng.randint(1, 3),
            mapping=rng.randint(1, 2),
            part=rng.choice(("", "a")),
            retract=rng.random() < 0.15,
        )
        facts.append(fact)
        if rng.random() < 0.3:
            facts.append(replace(fact, known=rng.randint(1, 50)))
    rng.shuffle(facts)
    return facts


async def cover(store: Store, facts: list[Fact]) -> None:
    """Append coverage in one batch."""

    async def step() -> None:
        async with store.writer.begin() as tx:
            await append(tx, Batch([], [], facts), KeyCache())

    await again(step)


def batches(facts: list[Fact], rng: Random) -> list[list[Fact]]:
    """The facts in batches of any size."""
    parts, rest = [], [*facts]
    while rest:
        size = rng.choice((1, 2, 5, 20))
        parts.append(rest[:size])
        rest = rest[size:]
    return parts


async def joined_is_what_the_events_say(store: Store, seed: int) -> None:
    """The law: joined rows, present reads and reads of the past are what all events say together."""
    facts, rng = world(seed), Random(seed)
    # appended by several at once, so that transactions meet
    await asyncio.gather(*(cover(store, batch) for batch in batches(facts, rng)))
    whole = complete(facts)
    assert await store.reads.coverage() == whole
    async with store.writer.begin() as tx:
        assert coverage_of_joined(await tx.coverage()) == whole
        for system in SYSTEMS:
            mine = [fact for fact in facts if fact.system == system]
            assert coverage_of_joined(await tx.join_coverage(system)) == complete(mine)
    for moment in range(0, 52, 3):
        # each event is known since the first of its copies
        assert await store.reads.coverage(moment) == complete(_least_known(facts), moment)


def _least_known(facts: list[Fact]) -> list[Fact]:
    copies: dict[bytes, Fact] = {}
    for fact in sorted(facts, key=lambda fact: fact.known):
        copies.setdefault(fact.id, fact)
    return list(copies.values())


async def emptied(store: Store) -> None:
    """Forget all coverage."""
    async with store.engine.begin() as connection:
        for table in (COVERAGE, COVERAGE_EVENT):
            await connection.execute(table.delete())


async def holds(store: Store) -> None:
    """The law, over many worlds."""
    for seed in SEEDS:
        await joined_is_what_the_events_say(store, seed)
        await emptied(store)


@pytest.mark.law(
    1,
    "coverage joined as it is appended by several at once, revised and taken back: what all events say "
    "together, today and by what was known then",
)
async def test_joined_coverage_is_what_the_events_say(store: Store) -> None:
    await holds(store)


async def test_a_record_taken_back_leaves_a_gap_again(store: Store) -> None:
    await cover(store, [coverage_fact("R1", 1, 11), coverage_fact("R2", 11, 21), coverage_fact("R3", 21, 31)])
    assert (await store.reads.coverage()).scopes == {"departure:air": {"I94": ((1, 31),)}}
    await cover(store, [coverage_fact("R2", 11, 21, number=2, retract=True, known=9)])
    assert (await store.reads.coverage()).scopes == {"departure:air": {"I94": ((1, 11), (21, 31))}}
    assert (await store.reads.coverage(8)).scopes == {"departure:air": {"I94": ((1, 31),)}}


async def test_present_reads_touch_no_event(store: Store) -> None:
    """What they cost does not grow with the events: they stand on the joined rows alone."""
    await cover(store, [coverage_fact(f"R{day}", day, day + 2) for day in range(1, 51, 2)])
    async with store.engine.begin() as connection:
        await connection.execute(COVERAGE_EVENT.delete())
    assert (await store.reads.coverage()).scopes == {"departure:air": {"I94": ((1, 51),)}}


async def unlocked(_tx: object) -> None:
    """`lock_coverage` that waits for no other transaction."""


async def none_revised(_tx: object, _records: object) -> set[bytes]:
    """`revised_coverage` that takes every record for one told for the first time."""
    return set()


@pytest.mark.law(8, planted="a revised coverage record that goes on to vouch; two who join coverage at once")
async def test_two_who_join_at_once_without_the_lock_are_caught(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: each reads the joined rows before the other has written his."""
    store = await open_store(postgres)
    monkeypatch.setattr(PostgresTransaction, "lock_coverage", unlocked)
    try:
        with pytest.raises((AssertionError, asyncpg.UniqueViolationError)):
            await holds(store)
    finally:
        await store.close()


@pytest.mark.law(8, planted="a revised coverage record that goes on to vouch; two who join coverage at once")
async def test_a_revision_that_only_adds_is_caught(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: what a record said before its revision goes on to vouch."""
    for transaction in (PostgresTransaction, SqliteTransaction):
        monkeypatch.setattr(transaction, "revised_coverage", none_revised)
    with pytest.raises(AssertionError):
        await holds(store)


@pytest.mark.law(5, planted="coverage of later in an answer of the past")
async def test_coverage_known_later_is_caught(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: reads of the past answer with what is known today."""
    present = SqlReads.coverage
    monkeypatch.setattr(SqlReads, "coverage", lambda reads, _known_at=None: present(reads))
    with pytest.raises(AssertionError):
        await holds(store)
