"""The keyed work by Quix Streams: a stateful function by key, and its own sink of PostgreSQL."""

from __future__ import annotations

import os
import sys
from urllib.parse import urlsplit

from quixstreams import Application
from quixstreams.sinks.community.postgresql import PostgreSQLSink


def first_and_last(event: dict, key: bytes, _timestamp: int, _headers: object, state) -> dict:
    """The row of a key behind one more event."""
    row = state.get("row") or {"key": key.decode(), "events": 0, "first_at": "9", "last_at": ""}
    at = event["published_at"]
    row["events"] += 1
    row["first_at"], row["last_at"] = min(row["first_at"], at), max(row["last_at"], at)
    state.set("row", row)
    return row


def main() -> None:
    """Run until it is ended."""
    brokers, topic, url, directory = sys.argv[1:5]
    at = urlsplit(url)
    app = Application(
        broker_address=brokers,
        consumer_group="quix",
        auto_offset_reset="earliest",
        state_dir=os.path.join(directory, "state"),
        loglevel="WARNING",
    )
    sink = PostgreSQLSink(
        host=at.hostname,
        port=at.port,
        dbname=at.path[1:],
        user=at.username,
        password=at.password or "",
        table_name="keyed",
        primary_key_columns="key",
        upsert_on_primary_key=True,
        include_metadata=False,
    )
    events = app.dataframe(app.topic(topic, value_deserializer="json", key_deserializer="bytes"))
    events.apply(first_and_last, stateful=True, metadata=True).sink(sink)
    app.run()


if __name__ == "__main__":
    main()
