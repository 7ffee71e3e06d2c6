"""The chain at an address."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine

from links.reasons import Unusable
from links.sqlite import sqlite
from services.audit import limits
from services.audit.chain import Chain, Known, Sealed
from services.audit.postgresql import PostgresqlChain
from services.audit.rows import AuditDown
from services.audit.sqlite import SqliteChain
from services.engines import open_engine


def chain_at(url: str, known: Known, sealed: Sealed, *, reading: bool = False) -> Chain:
    """The chain at an SQLAlchemy URL; nothing is made or reached yet. Raises AuditDown for an address that is none."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is not None and parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise AuditDown("the audit log: a file is needed, sqlite+aiosqlite:////absolute/path")
        try:
            sqlite(parsed)
        except Unusable as error:
            raise AuditDown(f"the audit log: {error}") from None
        return SqliteChain(Path(parsed.database), known, sealed, reading=reading)
    return PostgresqlChain(_engine(url, reading=reading), known, sealed)


def _engine(url: str, *, reading: bool) -> AsyncEngine:
    durable = {"application_name": "visabus-audit", "synchronous_commit": "on"}
    alone = {"default_transaction_read_only": "on"} if reading else {}
    try:
        return open_engine(
            url,
            "the audit log",
            server_settings=durable | alone,
            connect_seconds=limits.DEADLINE,
            # a reader goes through all of it
            command_seconds=600 if reading else limits.DEADLINE,
            busy_seconds=limits.DEADLINE * limits.BUSY_SHARE,
        )
    except ValueError as error:
        raise AuditDown(str(error)) from None
