"""The keyed work by Pathway: grouped by key, written to PostgreSQL as a snapshot."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

import pathway as pw


class Event(pw.Schema):
    """What the work needs of an event."""

    key: str
    published_at: str


def main() -> None:
    """Run until it is ended."""
    brokers, topic, url, _ = sys.argv[1:5]
    at = urlsplit(url)
    events = pw.io.kafka.read(
        {"bootstrap.servers": brokers, "group.id": "pathway", "auto.offset.reset": "earliest"},
        topic=topic,
        format="json",
        schema=Event,
    )
    rows = events.groupby(pw.this.key).reduce(
        pw.this.key,
        events=pw.reducers.count(),
        first_at=pw.reducers.min(pw.this.published_at),
        last_at=pw.reducers.max(pw.this.published_at),
    )
    pw.io.postgres.write(
        rows,
        {
            "host": at.hostname,
            "port": at.port,
            "dbname": at.path[1:],
            "user": at.username,
            "password": at.password or "",
        },
        "keyed",
        output_table_type="snapshot",
        primary_key=[rows.key],
    )
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)


if __name__ == "__main__":
    main()
