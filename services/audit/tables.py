"""The table of the log, and the triggers that refuse to change it; what differs from these is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing

from sqlalchemy import BigInteger, Column, MetaData, Table, Text
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from services.audit.rows import COLUMNS

METADATA = MetaData()
AUDIT = Table(
    "audit",
    METADATA,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    *(Column(name, Text, nullable=False) for name in COLUMNS if name not in ("sequence", "previous", "hash")),
    Column("previous", Text, nullable=False, unique=True),
    Column("hash", Text, nullable=False, unique=True),
)
ELSEWHERE = "keep it as it is, and name another audit_url for the log that goes on"

_SQLITE_TRIGGERS = (
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit"
    " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit"
    " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    # INSERT OR REPLACE would delete without asking the trigger above
    "CREATE TRIGGER audit_only_next BEFORE INSERT ON audit"
    " WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM audit)"
    " OR EXISTS (SELECT 1 FROM audit WHERE hash = NEW.hash OR previous = NEW.previous)"
    " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
)
SQLITE: tuple[str, ...] = (str(CreateTable(AUDIT).compile(dialect=sqlite.dialect())), *_SQLITE_TRIGGERS)
"""What makes the table and its triggers."""

_BODY = " BEGIN RAISE EXCEPTION 'the audit log is append-only'; END "
POSTGRESQL: tuple[str, ...] = (
    f"CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $${_BODY}$$",
    "CREATE OR REPLACE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit"
    " FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
)
"""What makes the triggers."""
_ROW, _BEFORE, _DELETE, _UPDATE, _TRUNCATE = 1, 2, 8, 16, 32
"""Bits of pg_trigger.tgtype (src/include/catalog/pg_trigger.h)."""
POSTGRESQL_TRIGGERS = {
    name: (kind, "audit_refuse", "plpgsql", _BODY, False)
    for name, kind in (
        ("audit_no_change", _ROW | _BEFORE | _DELETE | _UPDATE),
        ("audit_no_truncate", _BEFORE | _TRUNCATE),
    )
}
POSTGRESQL_IS = (
    "SELECT t.tgname, t.tgtype, p.proname, l.lanname, p.prosrc,"
    # a condition, columns, a function with settings of its own, or not asked in every session
    " t.tgqual IS NOT NULL OR t.tgattr::text <> '' OR p.proconfig IS NOT NULL OR t.tgenabled NOT IN ('O', 'A')"
    " FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang"
    " WHERE t.tgrelid = to_regclass('audit') AND NOT t.tgisinternal"
)
"""The triggers that there are, each as those above are told."""
POSTGRESQL_KIND = (
    "SELECT relkind::text, relhasrules, relrowsecurity,"
    " (SELECT count(*) FROM pg_inherits WHERE inhparent = pg_class.oid OR inhrelid = pg_class.oid)"
    " FROM pg_class WHERE oid = to_regclass('audit')"
)
POSTGRESQL_COLUMNS = (
    "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('audit') AND attnum > 0 AND NOT attisdropped"
    " ORDER BY attnum"
)
SQLITE_IS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"


def sqlite_wrong(connection: sqlite3.Connection) -> list[str]:
    """What of the table and its triggers is not as made here, in words; a table that is not there is told as well."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        for statement in SQLITE:
            fresh.execute(statement)
        wanted = (dict(fresh.execute(SQLITE_IS)), _shape(fresh))
    present = (dict(connection.execute(SQLITE_IS)), _shape(connection))
    if not present[1]:
        return ["there is no table of the log"]
    shape = [] if wanted[1] == present[1] else ["the table is not as this program makes it"]
    return [*shape, *_differences(wanted[0], present[0])]


def _shape(connection: sqlite3.Connection) -> list[object]:
    """The columns of the table, its keys and its kind."""
    (kind,) = connection.execute("SELECT type FROM sqlite_master WHERE name = 'audit'").fetchone() or ("",)
    if not kind:
        return []
    unique = [
        [kind, *(row[2] for row in connection.execute(f"PRAGMA index_info({name})"))]
        for _, name, is_unique, kind, _ in connection.execute("PRAGMA index_list(audit)")
        if is_unique
    ]
    return [kind, *connection.execute("PRAGMA table_info(audit)"), *sorted(unique)]


def postgresql_wrong(kind: tuple[object, ...] | None, triggers: Iterable[tuple[object, ...]]) -> list[str]:
    """The same for PostgreSQL, of what the catalogue says (`POSTGRESQL_KIND`, `POSTGRESQL_IS`)."""
    if kind is None:
        return ["there is no table of the log"]
    shape = [] if kind == ("r", False, False, 0) else ["the table is not as this program makes it"]
    return [*shape, *_differences(POSTGRESQL_TRIGGERS, {str(name): tuple(rest) for name, *rest in triggers})]


def _differences(wanted: Mapping[str, object], present: Mapping[str, object]) -> list[str]:
    missing = [f"the trigger {name} is missing" for name in sorted(wanted.keys() - present.keys())]
    strange = [f"there is a trigger {name} that this program does not make" for name in sorted(present.keys() - wanted)]
    other = [
        f"the trigger {name} says something else than this program makes it say"
        for name in sorted(wanted.keys() & present.keys())
        if wanted[name] != present[name]
    ]
    return [*missing, *other, *strange]
