"""Who reads what: members of a group hold partitions by leases with epochs. Synchronous, in the log's thread.

A member that has not renewed for its lease's length is dead, and its partitions go to others under a higher epoch;
what it still commits under the old one is refused.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

Epochs = dict[int, int]


@dataclass(frozen=True, slots=True)
class Membership:
    """One member of one group, and the partitions (row numbers) that it asks for."""

    group: str
    member: str
    partitions: tuple[int, ...]
    lease: float


@dataclass(frozen=True, slots=True)
class Share:
    """What a member holds after a look at the group, and what it has to do."""

    generation: int
    lost: frozenset[int]
    to_release: frozenset[int]
    gained: Epochs
    waiting: bool
    """A partition is meant for this member that another has not let go of yet."""


def balance(connection: sqlite3.Connection, me: Membership, held: Epochs, now: float) -> Share:
    """Renew the membership, bury the dead and take what is meant for this member."""
    _bury_the_dead(connection, me.group, now)
    _enter(connection, me, now)
    meant = {row for row, member in _targets(connection, me.group).items() if member == me.member}
    leases = {row: (member, epoch) for row, member, epoch in _leases(connection, me.group)}
    mine = {row for row, epoch in held.items() if leases.get(row) == (me.member, epoch)}
    free = {row for row in meant - mine if leases.get(row, (None, 0))[0] in (None, me.member)}
    gained = {row: leases.get(row, (None, 0))[1] + 1 for row in free}
    _take(connection, me, gained)
    return Share(
        generation=generation(connection, me.group),
        lost=frozenset(held.keys() - mine),
        to_release=frozenset(mine - meant),
        gained=gained,
        waiting=bool(meant - mine - free),
    )


def renew(connection: sqlite3.Connection, me: Membership, now: float) -> bool:
    """Say that the member lives; false if others have buried it."""
    result = connection.execute(
        "UPDATE members SET renewed = ? WHERE grp = ? AND member = ?", (now, me.group, me.member)
    )
    return result.rowcount == 1


def release(connection: sqlite3.Connection, me: Membership, held: Epochs) -> None:
    """Let go of partitions, as far as they are still held."""
    _free(connection, [(me.group, row, me.member, epoch) for row, epoch in held.items()])
    _next_generation(connection, me.group)


def leave(connection: sqlite3.Connection, me: Membership) -> None:
    """End the membership, so that others take over at once."""
    _remove(connection, me.group, [me.member])


def commit(connection: sqlite3.Connection, me: Membership, positions: Mapping[int, tuple[int, int]]) -> int:
    """Store (epoch, position) per partition; those under an epoch that has passed are refused and counted."""
    stored = 0
    for row, (epoch, position) in positions.items():
        stored += connection.execute(
            "INSERT INTO committed (grp, partition, position) SELECT grp, partition, ? FROM leases"
            " WHERE grp = ? AND partition = ? AND member = ? AND epoch = ?"
            " ON CONFLICT (grp, partition) DO UPDATE SET position = excluded.position",
            (position, me.group, row, me.member, epoch),
        ).rowcount
    return len(positions) - stored


def generation(connection: sqlite3.Connection, group: str) -> int:
    """A number that changes whenever members should look at the group again."""
    row = connection.execute("SELECT generation FROM groups WHERE name = ?", (group,)).fetchone()
    return int(row[0]) if row else 0


def _bury_the_dead(connection: sqlite3.Connection, group: str, now: float) -> None:
    # abs: after a step of the clock back, or a restart of the machine, a renewal may lie in the future.
    dead = [
        member
        for member, renewed, lease in connection.execute(
            "SELECT member, renewed, lease FROM members WHERE grp = ?", (group,)
        )
        if abs(now - renewed) >= lease
    ]
    _remove(connection, group, dead)


def _remove(connection: sqlite3.Connection, group: str, members: Collection[str]) -> None:
    if not members:
        return
    keys = [(group, member) for member in members]
    connection.executemany("DELETE FROM members WHERE grp = ? AND member = ?", keys)
    connection.executemany("UPDATE leases SET member = NULL WHERE grp = ? AND member = ?", keys)
    _next_generation(connection, group)


def _enter(connection: sqlite3.Connection, me: Membership, now: float) -> None:
    if renew(connection, me, now):
        return
    connection.execute(
        "INSERT INTO members (grp, member, joined, partitions, renewed, lease)"
        " SELECT ?, ?, coalesce(max(joined), 0) + 1, ?, ?, ? FROM members WHERE grp = ?",
        (me.group, me.member, json.dumps(me.partitions), now, me.lease, me.group),
    )
    _next_generation(connection, me.group)


def _targets(connection: sqlite3.Connection, group: str) -> dict[int, str]:
    """Every member works out the same: each partition goes to whoever of those asking has the fewest so far."""
    query = "SELECT member, partitions FROM members WHERE grp = ? ORDER BY joined, member"
    asked = {member: frozenset(json.loads(rows)) for member, rows in connection.execute(query, (group,))}
    load = dict.fromkeys(asked, 0)
    targets: dict[int, str] = {}
    for row in sorted(frozenset().union(*asked.values())):
        member = min((m for m in asked if row in asked[m]), key=load.__getitem__)
        targets[row] = member
        load[member] += 1
    return targets


def _leases(connection: sqlite3.Connection, group: str) -> Iterable[tuple[int, str | None, int]]:
    return connection.execute("SELECT partition, member, epoch FROM leases WHERE grp = ?", (group,))


def _take(connection: sqlite3.Connection, me: Membership, epochs: Epochs) -> None:
    connection.executemany(
        "INSERT INTO leases (grp, partition, member, epoch) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (grp, partition) DO UPDATE SET member = excluded.member, epoch = excluded.epoch",
        [(me.group, row, me.member, epoch) for row, epoch in epochs.items()],
    )


def _free(connection: sqlite3.Connection, leases: Iterable[tuple[str, int, str, int]]) -> None:
    connection.executemany(
        "UPDATE leases SET member = NULL WHERE grp = ? AND partition = ? AND member = ? AND epoch = ?", leases
    )


def _next_generation(connection: sqlite3.Connection, group: str) -> None:
    connection.execute(
        "INSERT INTO groups (name, generation) VALUES (?, 1)"
        " ON CONFLICT (name) DO UPDATE SET generation = generation + 1",
        (group,),
    )
