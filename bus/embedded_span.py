"""Part of an embedded bus, read in one thread: for a process that reads it and does nothing else meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bus import log_tables
from bus.contract import BusDown, Delivery, Partition, UnknownTopic
from bus.limits import DEADLINE

_BATCH = 1_000


class EmbeddedSpans:
    """The messages of a file that holds an embedded bus. It is opened for each span, and nothing is written."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, topic: str, part: int, begin: int, end: int) -> Iterator[Delivery]:
        """Return the messages of a partition from one position up to another. Raises BusDown, UnknownTopic."""
        if not self._path.exists():
            raise BusDown(f"{self._path} is gone")
        try:
            with closing(sqlite3.connect(self._path, timeout=DEADLINE, isolation_level=None)) as connection:
                connection.execute("PRAGMA query_only=ON")
                yield from _between(connection, Partition(topic, part), begin, end)
        except sqlite3.DatabaseError as error:
            raise BusDown(f"{self._path}: {error}") from error


def _between(connection: sqlite3.Connection, partition: Partition, begin: int, end: int) -> Iterator[Delivery]:
    stored = log_tables.stored(connection).get(partition.topic)
    if stored is None or partition.number >= len(stored.partitions):
        raise UnknownTopic(partition.topic)
    row = stored.partitions[partition.number]
    position = begin
    while position < end:
        batch = log_tables.fetch(connection, row, partition, position, min(_BATCH, end - position))
        for one in batch:
            if one.position >= end:
                return
            yield one
        if not batch:
            return
        position = batch[-1].position + 1
