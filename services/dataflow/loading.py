"""Loading: rows go into a new store, each partition in one transaction, once, whatever is killed in between.

Until everything stands the store says that it is half filled, so that no correlator takes it for a whole one. That a
partition stands is written in its transaction as a position under a topic that no bus has; who was presumed dead and
comes back finds it moved on, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Index, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateIndex

from bus.tails import Extent
from services.dataflow.keying import End
from services.dataflow.resolving import Rows
from services.domain.caps import OpenCutoffs, Rank
from services.domain.coverage import Coverage, coverage_of_joined
from services.domain.facts import Fact
from services.store import Store
from services.store.coverage import CoverageRow
from services.store.tables import CONFIG, EDITION, METADATA, POSITION
from services.store.writer import Move

MARK = "half filled: "
"""Begins what stands for the fingerprint until the store is whole."""
PARTS = "visabus.rebuild"
"""Instead of a topic: its partitions are those of the dataflow."""
INDEX_SECONDS = 3_600.0
"""An index of a large view may take so long."""
_CHUNK = 5_000
_FROM_THE_BEGINNING: Mapping[tuple[str, int], int] = {}


class Standing(Exception):
    """The store is the live one and holds a view: nothing is rebuilt into it."""


async def prepare(store: Store, plan: str) -> bool:
    """Make the store ready for the rows of a plan; whether some may stand in it already.

    What another plan or another engine left in an edition that is built is taken away. Raises Standing, and
    services.store.writer.Superseded where the edition is not built any more.
    """
    async with store.writer.begin() as tx:  # is refused where the edition may not be written
        await tx.cutoffs()
    async with store.engine.connect() as connection:
        stands = (await connection.execute(select(CONFIG.c.fingerprint, CONFIG.c.name))).first()
        if stands is not None and stands[0] == MARK + plan:
            return True
        if stands is not None and await store.home.live() == store.edition:
            raise Standing("the store holds a view: it is rebuilt beside it, or into an empty one")
        for table in METADATA.sorted_tables:
            if table is not EDITION:  # of the home, not of this store
                await connection.execute(delete(table))
        name = uuid4().hex if stands is None else stands[1]
        await connection.execute(insert(CONFIG).values(fingerprint=MARK + plan, name=name))
        await connection.run_sync(_drop_indexes)
        await connection.commit()
    return False


def _drop_indexes(connection: Connection) -> None:
    """Take away the indexes of what is loaded: to sort once in the end is quicker than to keep them up row by row.

    Keys stay: they refuse a pool that comes in two pieces. Who was killed in between left a store that says that it is
    half filled.
    """
    for index in _indexes():
        index.drop(connection, checkfirst=True)


async def _make_indexes(connection: AsyncConnection) -> None:
    """Make them. Those of a large view take longer than any other statement may."""
    if connection.dialect.name != "postgresql":
        await connection.run_sync(_make_each)
        return
    raw: Any = (await connection.get_raw_connection()).driver_connection
    for index in _indexes():
        statement = str(CreateIndex(index, if_not_exists=True).compile(dialect=connection.dialect))
        await raw.execute(statement, timeout=INDEX_SECONDS)


def _make_each(connection: Connection) -> None:
    for index in _indexes():
        index.create(connection, checkfirst=True)


def _indexes() -> Iterator[Index]:
    for name in ("claim", "open_person", "person"):
        yield from sorted(METADATA.tables[name].indexes, key=lambda index: str(index.name))


async def load_coverage(store: Store, facts: Iterable[Fact]) -> Coverage:
    """Write coverage events, have the database join them, and return what they vouch for. Twice is as once."""
    systems: set[str] = set()
    events = iter(facts)
    while some := [CoverageRow.of(fact) for fact in islice(events, _CHUNK)]:
        systems.update(row.system for row in some)
        async with store.writer.begin() as tx:
            await tx.add_coverage_events(sorted(some))
    async with store.writer.begin() as tx:
        await tx.lock_coverage()
        for system in sorted(systems):
            await tx.replace_coverage(system, await tx.join_coverage(system))
        return coverage_of_joined(await tx.coverage())


async def load_cutoffs(store: Store, cutoffs: Mapping[int, Rank], others: OpenCutoffs) -> None:
    """Write the cutoffs. Twice is as once."""
    async with store.writer.begin() as tx:
        await tx.lock_resolving()
        await tx.replace_open_cutoffs([], sorted(others.items()))
        await tx.lower_cutoffs(sorted((key, *rank) for key, rank in cutoffs.items()))


async def stands(store: Store, part: int) -> bool:
    """Whether the rows of a partition stand."""
    return (await store.reads.positions()).get((PARTS, part), 0) > 0


async def load(store: Store, part: int, rows: Rows) -> None:
    """Write the rows of a partition, unless they stand. Raises services.store.writer.Fenced."""
    async with store.writer.begin() as tx:
        following, epoch = await tx.claim_position(PARTS, part)
        if following > 0:
            return
        await tx.insert_keys(sorted(rows.keys))
        await tx.insert_claims(sorted(rows.claims))
        await tx.replace_pools((), sorted(rows.pools))
        await tx.replace_persons((), sorted(rows.persons, key=lambda row: row.person))
        if rows.open_pools:
            await tx.replace_open_pools((), rows.open_pools)
            await tx.replace_persons((), sorted(rows.open_persons, key=lambda row: row.person), "open_person")
        if rows.refused:
            await tx.add_refused(sorted(rows.refused))
        if rows.quarantined:
            await tx.replace_quarantined((), sorted(rows.quarantined))
        await tx.advance([Move(PARTS, part, following, 1, epoch, 0)])


async def finish(
    store: Store, ends: Sequence[End], fingerprint: str, begins: Mapping[tuple[str, int], int] = _FROM_THE_BEGINNING
) -> None:
    """Write the positions behind what was read, and that the store is whole.

    `begins`: of partitions that were not read from their beginning, for there was less: from where.
    """
    async with store.writer.begin() as tx:
        for end in sorted(ends, key=lambda end: (end.topic, end.part)):
            following, epoch = await tx.claim_position(end.topic, end.part)
            if following <= end.position:
                read = Extent(end.tail, begins.get((end.topic, end.part), 0)).kept()
                stamps = end.known, read, end.open_known
                await tx.advance([Move(end.topic, end.part, following, end.position + 1, epoch, *stamps)])
    async with store.engine.connect() as connection:
        await _make_indexes(connection)
        await connection.execute(delete(POSITION).where(POSITION.c.topic == PARTS))
        await connection.execute(update(CONFIG).values(fingerprint=fingerprint))
        await connection.commit()
