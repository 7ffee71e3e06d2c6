"""Changes of a database captured by a real Debezium, as a feed reads them from the topic."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from connect_local import Connect
from sqlalchemy.engine import make_url

from adapters.core import Read, Record
from adapters.formats.debezium import DebeziumFormat
from adapters.transports.kafka_topic import KafkaTopic

PATIENCE = 60.0
"""Seconds until what was written has to be in the topic."""
ONE_TOPIC = {
    "transforms": "one",
    "transforms.one.type": "org.apache.kafka.connect.transforms.RegexRouter",
    "transforms.one.regex": r"(.*)\..*\..*",
    "transforms.one.replacement": "$1",
    "topic.creation.default.replication.factor": 1,
    "topic.creation.default.partitions": 1,
    "poll.interval.ms": 50,
}


def of_postgres(url: str, tables: str, **more: Any) -> dict[str, Any]:
    """The configuration of a connector as the interface page asks for it: a publication of these tables alone."""
    at, name = make_url(url), f"t{uuid.uuid4().hex[:12]}"
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "plugin.name": "pgoutput",
        "database.hostname": at.host,
        "database.port": at.port,
        "database.user": at.username,
        "database.password": "unused",
        "database.dbname": at.database,
        "topic.prefix": name,
        "slot.name": name,
        "slot.drop.on.stop": "true",
        "publication.name": name,
        "publication.autocreate.mode": "filtered",
        "skipped.operations": "none",
        "table.include.list": tables,
        **ONE_TOPIC,
        **{key.replace("_", "."): value for key, value in more.items()},
    }


def of_mariadb(url: str, broker: str, **more: Any) -> dict[str, Any]:
    """The same for all tables of a MariaDB database."""
    at, name = make_url(url), f"t{uuid.uuid4().hex[:12]}"
    return {
        "connector.class": "io.debezium.connector.mariadb.MariaDbConnector",
        "database.hostname": at.host,
        "database.port": at.port,
        "database.user": at.username,
        "database.password": at.password,
        "database.server.id": uuid.uuid4().int % 10**6 + 100,
        "database.include.list": at.database,
        "topic.prefix": name,
        "enable.time.adjuster": "false",
        "include.schema.changes": "false",
        "skipped.operations": "none",
        "schema.history.internal.kafka.bootstrap.servers": broker,
        "schema.history.internal.kafka.topic": f"{name}-history",
        "schema.history.internal.store.only.captured.databases.ddl": "true",
        **ONE_TOPIC,
        **{key.replace("_", "."): value for key, value in more.items()},
    }


@dataclass
class Capture:
    """A topic of a connector, read with a format from its beginning; `reads` has all that was read."""

    broker: str
    topic: str
    format: DebeziumFormat
    reads: list[Read] = field(default_factory=list)
    _position: Any = None

    @property
    def url(self) -> str:
        """The address of a feed."""
        return f"kafka://{self.broker}/{self.topic}"

    def until(self, enough: Callable[[list[Record]], bool]) -> list[Record]:
        """All records, once they are enough."""
        end = time.monotonic() + PATIENCE
        while not enough(self.records):
            assert time.monotonic() < end, [read.fields for read in self.records]
            asyncio.run(self._poll())
            time.sleep(0.05)
        return self.records

    @property
    def records(self) -> list[Record]:
        """Those among what was read."""
        return [read for read in self.reads if isinstance(read, Record)]

    async def _poll(self) -> None:
        from adapters.core import SourceDown

        consumer = KafkaTopic(timeout=15).open(self.url, self.format)
        try:
            async with aclosing(consumer.batches(self._position)) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    self.reads += [read async for read in batch.records()]
                    self._position = batch.after
        except SourceDown:  # the topic is made with its first message
            pass
        finally:
            await consumer.close()


@contextmanager
def captured(
    connect: Connect, broker: str, config: Mapping[str, Any], format: DebeziumFormat, *, runs: bool = True
) -> Iterator[Capture]:
    """The changes of a database, for as long as the connector is there."""
    name = config["topic.prefix"]
    with connect.connector(name, config, runs=runs):
        yield Capture(broker, name, format)
