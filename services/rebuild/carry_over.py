"""What subscribers were told last goes over from the live edition to the new one, so that numbers go on without a gap.

A person's row holds what was told last: outcome (`code`), digest of the answer (`announced`), number of changes
(`sequence`). The new edition has worked them out from its own beginning; here they become those of the live one. A
person whose answer is another one in the new edition then stands there as one who was not told it yet, and is told in
the ordinary way, once: at the switch where that is asked for, else with whatever next happens to that person.

What may be told to all and what needs a right are numbered apart: of a pool with confidential records `open_person`
has the former and `person` the latter, of any other pool `person` has the former.
"""

# ruff: noqa: S608 - statements are put together from tables and numbers of our own
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.correlator.merge import aliases_of, root_of
from services.correlator.work import Work
from services.domain.facts import handle_key
from services.store.writer import PersonRow, Transaction, View

_PAGE = 5_000
POOLS = 1_000
"""Pools in one row of work."""


class Carrier(Protocol):
    """Runs statements on the new edition, in a transaction, where the live one can be read as well."""

    live: str
    """Stands before a table of the live edition; nothing stands before one of the new edition."""
    differs: str
    """The operator of two values that are not the same, where NULL is a value."""
    tx: Transaction

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return what a query gives."""

    async def run(self, statement: str) -> int:
        """Return how many rows a statement changed."""


@dataclass(slots=True)
class Carried:
    """The pools of persons who are told something else by the new edition than they were told last."""

    held: set[int] = field(default_factory=set)  # because it answers otherwise
    due: set[int] = field(default_factory=set)  # because time or coverage has changed the answer meanwhile


def _to_all(edition: str) -> str:
    """The rows that number what may be told to all."""
    columns = "person, pool, code, announced, sequence, next_change_at, awaits"
    return (
        f"SELECT {columns} FROM {edition}open_person UNION ALL SELECT {columns} FROM {edition}person AS p"
        f" WHERE NOT EXISTS (SELECT 1 FROM {edition}open_pool AS o WHERE o.pool = p.pool)"
    )


def _to_entitled(edition: str) -> str:
    """The rows that number what needs a right."""
    columns = "person, pool, code, announced, sequence, next_change_at, awaits"
    return (
        f"SELECT {columns} FROM {edition}person AS p"
        f" WHERE EXISTS (SELECT 1 FROM {edition}open_pool AS o WHERE o.pool = p.pool)"
    )


_VEILED = "EXISTS (SELECT 1 FROM open_pool AS o WHERE o.pool = n.pool)"


_Stream = tuple[View, str, str]
"""Table of the new edition, which of its rows, and the rows of the live edition that they go on from."""


async def _streams(carrier: Carrier) -> list[_Stream]:
    """What is to be carried over: most editions have few pools with confidential records, or none."""
    live = carrier.live
    streams: list[_Stream] = [("person", f"NOT {_VEILED}", _to_all(live))]
    if await carrier.rows("SELECT 1 FROM open_person LIMIT 1"):
        streams.append(("open_person", "1 = 1", _to_all(live)))
    if await carrier.rows("SELECT 1 FROM open_pool LIMIT 1"):
        streams.append(("person", _VEILED, _to_entitled(live)))
    return streams


async def number_alike(carrier: Carrier) -> int:
    """Have changes numbered as in the live edition; how many rows that were.

    Most of the writing is done by it, while nothing waits for its end.
    """
    count = 0
    for table, which, live in await _streams(carrier):
        count += await carrier.run(
            f"UPDATE {table} AS n SET sequence = l.sequence FROM ({live}) AS l"
            f" WHERE l.person = n.person AND l.sequence <> n.sequence AND {which}"
        )
    return count


async def carry_over(carrier: Carrier, now: int) -> Carried:
    """Have everybody told last, in the new edition, what the live one told them last.

    Nobody else writes either edition, both are at one point of the bus, and nothing is left to be resolved. `now` in
    seconds. What the outbox of the live edition still holds is put into that of the new one.
    """
    carried = Carried()
    for table, which, live in await _streams(carrier):
        other = f"n.announced {carrier.differs} l.announced"
        both = f"{table} AS n JOIN ({live}) AS l ON l.person = n.person"
        due = f"(l.next_change_at <= {now} OR (l.awaits IS NOT NULL AND n.awaits IS NULL))"
        for pool, is_due in await carrier.rows(
            f"SELECT DISTINCT n.pool, CASE WHEN {due} THEN 1 ELSE 0 END FROM {both} WHERE {which} AND {other}"
        ):
            (carried.due if is_due else carried.held).add(pool)
        await carrier.run(
            f"UPDATE {table} AS n SET code = l.code, announced = l.announced, sequence = l.sequence FROM ({live}) AS l"
            f" WHERE l.person = n.person AND {which} AND ({other} OR l.sequence <> n.sequence)"
        )
        alone = f"{which} AND NOT EXISTS (SELECT 1 FROM ({live}) AS l WHERE l.person = n.person)"
        carried.held |= {
            row[0]
            for row in await carrier.rows(f"SELECT DISTINCT n.pool FROM {table} AS n WHERE {alone} AND doc IS NOT NULL")
        }
        await carrier.run(
            f"UPDATE {table} AS n SET code = NULL, announced = NULL, sequence = 0"
            f" WHERE {alone} AND (announced IS NOT NULL OR sequence <> 0)"
        )
    await _missing(carrier, carried)
    await carrier.run("DELETE FROM change")
    await carrier.run(
        f"INSERT INTO change (confidential, blob) SELECT confidential, blob FROM {carrier.live}change ORDER BY id"
    )
    carried.held -= carried.due
    return carried


async def _missing(carrier: Carrier, carried: Carried) -> None:
    """Give the new edition the rows of persons whom only the live one has: they end there, or ended long ago."""
    everybody = await _absent(carrier, _to_all(carrier.live), _to_all(""))
    entitled = await _absent(carrier, _to_entitled(carrier.live), _to_entitled(""))
    for rows, confidential in ((everybody, False), (entitled, True)):
        for first in range(0, len(rows), _PAGE):
            await _insert(carrier.tx, rows[first : first + _PAGE], carried, confidential=confidential)


async def _absent(carrier: Carrier, live: str, new: str) -> list[tuple[Any, ...]]:
    return await carrier.rows(
        f"SELECT l.person, l.pool, l.code, l.announced, l.sequence FROM ({live}) AS l"
        f" WHERE NOT EXISTS (SELECT 1 FROM ({new}) AS n WHERE n.person = l.person) ORDER BY l.person"
    )


async def _insert(tx: Transaction, rows: Sequence[tuple[Any, ...]], carried: Carried, *, confidential: bool) -> None:
    keys = {bytes(row[0]): handle_key(bytes(row[0])) for row in rows}
    stands = await tx.keys(sorted(set(keys.values())))
    steps = await aliases_of(tx, set(stands.values()))
    roots = {person: root_of(stands[key], steps) for person, key in keys.items() if key in stands}
    veiled = (await tx.open_pools(sorted(set(roots.values())))).keys()
    added: dict[View, list[PersonRow]] = {"person": [], "open_person": []}
    for person, pool, code, announced, sequence in rows:
        root = roots.get(bytes(person), pool)
        if confidential and root not in veiled:
            continue  # nothing of it is confidential any more, and all of it is told to all
        table: View = "open_person" if root in veiled and not confidential else "person"
        nothing = (None, None, None)
        row = PersonRow(bytes(person), root, *nothing, code, None, announced, sequence, *nothing, None)
        added[table].append(row)
        if announced is not None:
            carried.held.add(root)
    for view, some in added.items():
        if some:
            await tx.replace_persons([], sorted(some, key=lambda row: row.person), view)


def work_of(pools: Iterable[int]) -> list[bytes]:
    """Return rows of work that have pools resolved again, and so their persons told what they were not."""
    every = sorted(pools)
    return [Work(again=every[first : first + POOLS]).pack() for first in range(0, len(every), POOLS)]
