"""The index of the receipts: a SQLite file on the local disk that follows the topic, and can be made anew."""

from __future__ import annotations

import sqlite3
from base64 import b64decode
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bus.contract import Bus, Delivery
from bus.durable import make_closed
from bus.following import Followed
from schemas.topics import RECEIPTS
from services.keyring import Keyring, ring
from services.receipts.message import KEYS, record_digests
from services.unreadable import UNREADABLE, pass_over

FORMAT = 4
_SCHEMA = """
CREATE TABLE position (bus TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL, tail BLOB);
CREATE TABLE receipt (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, at TEXT NOT NULL, system TEXT NOT NULL, feed TEXT NOT NULL,
    batch TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX receipt_by_time ON receipt (at);
CREATE INDEX receipt_by_batch ON receipt (batch, at);
CREATE INDEX receipt_by_system ON receipt (system, at);
CREATE TABLE record (digest BLOB NOT NULL, receipt INTEGER NOT NULL, PRIMARY KEY (digest, receipt)) WITHOUT ROWID;
CREATE INDEX record_by_receipt ON record (receipt);
"""
_DIGEST_BYTES = 8
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Query:
    """Which receipts are meant. A field that is left out does not matter."""

    system: str | None = None
    batch: str | None = None
    record: str | None = None  # the key of a record; asks for a system
    refused: bool = False  # those with refused records alone
    since: str | None = None  # ISO
    without: Collection[str] = ()  # systems
    among: Collection[str] | None = None  # systems


@dataclass(frozen=True, slots=True)
class Extent:
    """What the receipts of one feed come to. `first` and `last`: when its batches were done, ISO."""

    batches: int
    records: int
    first: str | None
    last: str | None


class Index:
    """The receipts of one bus, found by system, batch and record."""

    def __init__(self, path: Path, keys: Keyring | None = None) -> None:
        """`keys` are those by which records are named, by default the file beside the index. Raises UnsafeKey."""
        self._path = path
        self._keys = keys if keys is not None else ring(path.with_name(KEYS))

    async def follow(self, bus: Bus, name: str) -> None:
        """Take in what the topic holds beyond the index. `name` tells one bus from another. Raises BusDown."""
        with closing(self._open()) as connection:
            followed = _followed(connection, name)
            some: list[Delivery] = []

            def take(delivery: Delivery) -> None:
                some.append(delivery)
                if len(some) == _PAGE:
                    _take(connection, some)
                    some.clear()

            def forget() -> None:
                some.clear()
                _clear(connection)

            if not followed.next:  # of another bus, or of none yet
                forget()
            await followed.follow(bus, take, forget)
            _take(connection, some)
            with connection:
                connection.execute("DELETE FROM position")
                connection.executemany(
                    "INSERT INTO position (bus, partition, next, tail) VALUES (?, ?, ?, ?)",
                    [(name, number, at, followed.tails.get(number)) for number, at in followed.next.items()],
                )

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_closed(self._path)
        connection = sqlite3.connect(self._path, timeout=30)
        try:
            known = connection.execute("PRAGMA user_version").fetchone()[0]
            if known != FORMAT:
                with connection:
                    for table in ("position", "receipt", "record"):
                        connection.execute(f"DROP TABLE IF EXISTS {table}")
                    connection.executescript(_SCHEMA)
                    connection.execute(f"PRAGMA user_version={FORMAT}")
        except BaseException:
            connection.close()
            raise
        return connection

    def find(self, query: Query, *, limit: int | None = None, offset: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the receipts selected, the newest first."""
        where, values = _conditions(query, self._keys)
        statement = f"SELECT body FROM receipt{where} ORDER BY at DESC, id DESC LIMIT ? OFFSET ?"  # noqa: S608
        with closing(self._open()) as connection:
            for (body,) in connection.execute(statement, (*values, -1 if limit is None else limit, offset)):
                receipt: dict[str, Any] = orjson.loads(body)
                yield receipt

    def rule_of(self, receipt: dict[str, Any], record: str) -> str | None:
        """Return the rule that left a record out of the batch of a receipt; None if none did."""
        known = set(record_digests(self._keys, receipt["system"], record))
        for rule, digests in receipt["left_out"].items():
            some = b64decode(digests)
            if any(some[at : at + _DIGEST_BYTES] in known for at in range(0, len(some), _DIGEST_BYTES)):
                return str(rule)
        return None

    def count(self, query: Query) -> int:
        """Return how many receipts are selected."""
        where, values = _conditions(query, self._keys)
        with closing(self._open()) as connection:
            statement = f"SELECT count(*) FROM receipt{where}"  # noqa: S608 - conditions of this module
            return int(connection.execute(statement, values).fetchone()[0])

    def extent(self, system: str, feed: str, since: str | None = None) -> Extent:
        """Return what the receipts of a feed come to. `since`: a batch; those that were done before it do not count."""
        statement = (
            "SELECT count(DISTINCT batch), coalesce(sum(json_extract(body, '$.read')), 0), min(at), max(at) "
            "FROM receipt WHERE system = ? AND feed = ?"
        )
        values: tuple[str, ...] = (system, feed)
        if since is not None:
            statement += " AND at >= (SELECT min(at) FROM receipt WHERE system = ? AND feed = ? AND batch = ?)"
            values += (system, feed, since)
        with closing(self._open()) as connection:
            batches, records, first, last = connection.execute(statement, values).fetchone()
        return Extent(int(batches), int(records), first, last)


def _followed(connection: sqlite3.Connection, name: str) -> Followed:
    """How far the index has the topic of that bus."""
    followed = Followed(RECEIPTS)
    rows = connection.execute("SELECT partition, next, tail FROM position WHERE bus = ?", (name,))
    for number, following, tail in rows:
        followed.next[number] = following
        if tail is not None:
            followed.tails[number] = tail
    return followed


def _clear(connection: sqlite3.Connection) -> None:
    with connection:
        for table in ("position", "receipt", "record"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names stand in this line's loop


def _conditions(query: Query, keys: Keyring) -> tuple[str, list[object]]:
    conditions: list[str] = []
    values: list[object] = []
    for condition, value in (
        ("system = ?", query.system),
        ("batch = ?", query.batch),
        ("at >= ?", query.since),
        ("json_extract(body, '$.dead_lettered') > 0 AND ? = 1", 1 if query.refused else None),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if query.without:
        conditions.append(f"system NOT IN ({', '.join('?' for _ in query.without)})")
        values += query.without
    if query.among is not None:
        conditions.append(f"system IN ({', '.join('?' for _ in query.among)})")
        values += query.among
    if query.record is not None:
        digests = _digests(query, keys)
        marks = ", ".join("?" for _ in digests)
        conditions.append(f"id IN (SELECT receipt FROM record WHERE digest IN ({marks}))")  # noqa: S608 - of marks
        values += digests
    return (" WHERE " + " AND ".join(conditions) if conditions else "", values)


def _digests(query: Query, keys: Keyring) -> list[bytes]:
    if query.system is None or query.record is None:
        raise ValueError("a record is found by its key and its system")
    return record_digests(keys, query.system, query.record)


def _take(connection: sqlite3.Connection, deliveries: list[Delivery]) -> None:
    with connection:
        for delivery in deliveries:
            _forget(connection, delivery.key)
            if delivery.value is None:
                continue
            try:
                receipt = orjson.loads(delivery.value)
                digests = b64decode(receipt.pop("records"))
                columns = [str(receipt[name]) for name in ("at", "system", "feed", "batch")]
            except UNREADABLE as error:
                pass_over(delivery, error)
                continue
            number = connection.execute(
                "INSERT INTO receipt (key, at, system, feed, batch, body) VALUES (?, ?, ?, ?, ?, ?)",
                (delivery.key, *columns, orjson.dumps(receipt).decode()),
            ).lastrowid
            connection.executemany(
                "INSERT OR IGNORE INTO record (digest, receipt) VALUES (?, ?)",
                [(digests[at : at + _DIGEST_BYTES], number) for at in range(0, len(digests), _DIGEST_BYTES)],
            )


def _forget(connection: sqlite3.Connection, key: bytes | None) -> None:
    for (number,) in connection.execute("SELECT id FROM receipt WHERE key = ?", (key,)).fetchall():
        connection.execute("DELETE FROM record WHERE receipt = ?", (number,))
        connection.execute("DELETE FROM receipt WHERE id = ?", (number,))
