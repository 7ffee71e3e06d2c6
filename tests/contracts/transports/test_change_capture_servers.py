"""The servers of change capture start: a MariaDB with a binary log, a Connect that knows both connectors."""

from __future__ import annotations

import httpx
from connect_local import Connect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


async def test_mariadb_logs_whole_rows(mariadb: str) -> None:
    engine = create_async_engine(mariadb)
    async with engine.connect() as connection:
        row = (await connection.execute(text("SELECT @@log_bin, @@binlog_format, @@binlog_row_image"))).one()
    await engine.dispose()
    assert tuple(row) == (1, "ROW", "FULL")


def test_connect_knows_both_connectors(connect: Connect) -> None:
    classes = {each["class"].rpartition(".")[2] for each in httpx.get(f"{connect.url}/connector-plugins").json()}
    assert {"PostgresConnector", "MariaDbConnector"} <= classes
