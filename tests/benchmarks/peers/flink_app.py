"""The keyed work by Flink SQL: one INSERT of a GROUP BY, with its connectors of Kafka and JDBC."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

from pyflink.table import EnvironmentSettings, TableEnvironment


def main() -> None:
    """Run until it is ended."""
    brokers, topic, url, directory, jars = sys.argv[1:6]
    at = urlsplit(url)
    flink = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    settings = {
        "pipeline.jars": jars,
        "parallelism.default": "2",
        "execution.checkpointing.interval": "5 s",
        "execution.checkpointing.dir": f"file://{directory}/checkpoints",
        "table.exec.mini-batch.enabled": "true",  # as its tuning guide advises for aggregates
        "table.exec.mini-batch.allow-latency": "1 s",
        "table.exec.mini-batch.size": "5000",
    }
    for name, value in settings.items():
        flink.get_config().set(name, value)
    flink.execute_sql(
        f"""CREATE TABLE events (`key` STRING, published_at STRING) WITH (
        'connector' = 'kafka', 'topic' = '{topic}', 'properties.bootstrap.servers' = '{brokers}',
        'properties.group.id' = 'flink', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json')"""
    )
    flink.execute_sql(
        f"""CREATE TABLE keyed (`key` STRING, events BIGINT, first_at STRING, last_at STRING,
        PRIMARY KEY (`key`) NOT ENFORCED) WITH (
        'connector' = 'jdbc', 'url' = 'jdbc:postgresql://{at.hostname}:{at.port}{at.path}', 'table-name' = 'keyed',
        'username' = '{at.username}', 'password' = '{at.password or ""}')"""
    )
    flink.execute_sql(
        """INSERT INTO keyed SELECT `key`, COUNT(*), MIN(published_at), MAX(published_at) FROM events GROUP BY `key`"""
    ).wait()


if __name__ == "__main__":
    main()
