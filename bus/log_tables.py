"""The embedded log's tables, and what appends to and reads them. Synchronous: it runs in the log's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from bus.contract import BusError, Delivery, Message, Partition, Topic, UnknownTopic
from bus.limits import partition_of

FORMAT = 1

# A message's row number is its partition and its position in one integer: a partition's messages lie side by side, and
# the table needs no other index.
POSITION_BITS = 40
_POSITION_MASK = (1 << POSITION_BITS) - 1
_FETCH_BYTES = 32 * 1024 * 1024

_SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INTEGER NOT NULL, compacted INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS partitions (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, number INTEGER NOT NULL, next INTEGER NOT NULL DEFAULT 0,
    UNIQUE (topic, number));
CREATE TABLE IF NOT EXISTS messages (place INTEGER PRIMARY KEY, key BLOB, value BLOB, headers BLOB);
CREATE TABLE IF NOT EXISTS latest (
    partition INTEGER NOT NULL, key BLOB NOT NULL, place INTEGER NOT NULL,
    PRIMARY KEY (partition, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS groups (name TEXT PRIMARY KEY, generation INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members (
    grp TEXT NOT NULL, member TEXT NOT NULL, joined INTEGER NOT NULL, partitions TEXT NOT NULL,
    renewed REAL NOT NULL, lease REAL NOT NULL, PRIMARY KEY (grp, member)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS leases (
    grp TEXT NOT NULL, partition INTEGER NOT NULL, member TEXT, epoch INTEGER NOT NULL,
    PRIMARY KEY (grp, partition)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS committed (
    grp TEXT NOT NULL, partition INTEGER NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY (grp, partition)) WITHOUT ROWID;
"""

Headers = tuple[tuple[str, bytes], ...]
Row = tuple[bytes | None, bytes | None, bytes | None]
Placed = tuple[int, bytes | None, bytes | None, bytes | None]
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Headers).decode


@dataclass(frozen=True, slots=True)
class Stored:
    """A topic as the file has it: the row numbers of its partitions."""

    name: str
    partitions: tuple[int, ...]
    compacted: bool


def create(connection: sqlite3.Connection) -> None:
    """Make the tables, or check that the file is one of ours."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, FORMAT):
        raise BusError(f"the log has format {version}; this version reads {FORMAT}")
    if version == 0:
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={FORMAT}")


def declare(connection: sqlite3.Connection, topics: Sequence[Topic]) -> None:
    """Create the topics that are missing."""
    standing = stored(connection)
    for topic in topics:
        old = standing.get(topic.name)
        if old is None:
            _create_topic(connection, topic)
        elif len(old.partitions) != topic.partitions or old.compacted != topic.compacted:
            raise BusError(f"{topic} stands with {len(old.partitions)} partitions, compacted={old.compacted}")


def _create_topic(connection: sqlite3.Connection, topic: Topic) -> None:
    connection.execute(
        "INSERT INTO topics (name, partitions, compacted) VALUES (?, ?, ?)",
        (topic.name, topic.partitions, topic.compacted),
    )
    connection.executemany(
        "INSERT INTO partitions (topic, number) VALUES (?, ?)",
        [(topic.name, number) for number in range(topic.partitions)],
    )


def stored(connection: sqlite3.Connection) -> dict[str, Stored]:
    """Every topic of the file."""
    numbers: dict[str, list[int]] = {}
    for topic, row in connection.execute("SELECT topic, id FROM partitions ORDER BY topic, number"):
        numbers.setdefault(topic, []).append(row)
    compacted = dict(connection.execute("SELECT name, compacted FROM topics"))
    return {name: Stored(name, tuple(rows), bool(compacted[name])) for name, rows in numbers.items()}


def rows_of(messages: Iterable[Message], topics: Mapping[str, Stored], spread: int) -> dict[int, list[Row]]:
    """The messages as rows, per partition. Those without a key go to the partition that `spread` points to."""
    rows: dict[int, list[Row]] = {}
    for topic, key, value, headers in ((m.topic, m.key, m.value, m.headers) for m in messages):
        partitions = topics[topic].partitions
        count = len(partitions)
        number = spread % count if key is None else partition_of(key, count)
        rows.setdefault(partitions[number], []).append((key, value, _pack(headers) if headers else None))
    return rows


def delivery_of(partition: Partition, position: int, row: Row) -> Delivery:
    """A row as it is delivered."""
    key, value, headers = row
    return Delivery(partition, position, key, value, _unpack(headers) if headers else ())


def append(
    connection: sqlite3.Connection, rows: Mapping[int, Sequence[Row]], compacted: frozenset[int]
) -> dict[int, int]:
    """Write the rows at the end of their partitions. Return the position of the last row of each.

    Raises UnknownTopic where another file stands at the path, which has not the partitions that the former had.
    """
    last: dict[int, int] = {}
    for partition, new in rows.items():
        moved = connection.execute(
            "UPDATE partitions SET next = next + ? WHERE id = ? RETURNING next", (len(new), partition)
        ).fetchone()
        if moved is None:
            raise UnknownTopic("the log was made anew, and its topics are not declared yet")
        (after,) = moved
        last[partition] = after - 1
        first = (partition << POSITION_BITS) + after - len(new)
        placed = [(first + index, *row) for index, row in enumerate(new)]
        if partition in compacted:
            placed = _superseding(connection, partition, placed)
        connection.executemany("INSERT INTO messages (place, key, value, headers) VALUES (?, ?, ?, ?)", placed)
    return last


def _superseding(connection: sqlite3.Connection, partition: int, placed: list[Placed]) -> list[Placed]:
    """The last row of each key, once the one that it replaces is gone."""
    last = {row[1]: row for row in placed}
    connection.executemany(
        "DELETE FROM messages WHERE place = (SELECT place FROM latest WHERE partition = ? AND key = ?)",
        [(partition, key) for key in last],
    )
    connection.executemany(
        "INSERT INTO latest (partition, key, place) VALUES (?, ?, ?)"
        " ON CONFLICT (partition, key) DO UPDATE SET place = excluded.place",
        [(partition, key, row[0]) for key, row in last.items()],
    )
    return list(last.values())


def fetch(connection: sqlite3.Connection, row: int, partition: Partition, start: int, limit: int) -> list[Delivery]:
    """Up to `limit` messages of a partition from a position on, and no more than memory should hold."""
    return list(_fetched(connection, row, partition, start, limit))


def _fetched(
    connection: sqlite3.Connection, row: int, partition: Partition, start: int, limit: int
) -> Iterator[Delivery]:
    first = row << POSITION_BITS
    cursor = connection.execute(
        "SELECT place, key, value, headers FROM messages WHERE place >= ? AND place < ? ORDER BY place LIMIT ?",
        (first + start, (row + 1) << POSITION_BITS, limit),
    )
    size = 0
    for place, key, value, headers in cursor:
        yield delivery_of(partition, place & _POSITION_MASK, (key, value, headers))
        size += len(value or b"")
        if size > _FETCH_BYTES:
            return


def ends(connection: sqlite3.Connection, topics: Sequence[Stored]) -> dict[Partition, int]:
    """The next position of each partition."""
    ends: dict[Partition, int] = {}
    for topic in topics:
        query = "SELECT number, next FROM partitions WHERE topic = ?"
        ends |= {Partition(topic.name, n): end for n, end in connection.execute(query, (topic.name,))}
    return ends


def begins(connection: sqlite3.Connection, topics: Sequence[Stored]) -> dict[Partition, int]:
    """The position of the first message of each partition, or its end."""
    begins = ends(connection, topics)
    for topic in topics:
        for number, row in enumerate(topic.partitions):
            query = "SELECT min(place) FROM messages WHERE place >= ? AND place < ?"
            (place,) = connection.execute(query, (row << POSITION_BITS, (row + 1) << POSITION_BITS)).fetchone()
            if place is not None:
                begins[Partition(topic.name, number)] = place & _POSITION_MASK
    return begins


def committed(connection: sqlite3.Connection, group: str, rows: Mapping[int, Partition]) -> dict[Partition, int]:
    """What a group has committed, for the partitions that it has committed."""
    query = "SELECT partition, position FROM committed WHERE grp = ?"
    return {rows[row]: position for row, position in connection.execute(query, (group,)) if row in rows}
