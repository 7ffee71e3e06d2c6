"""The first layout: `services.store.tables` says what one row of each table is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BLOCKS = ("block_family_birth", "block_name_year", "block_given_birth", "block_name_day")


def _hash(name: str, *, primary: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=primary, autoincrement=False, nullable=False)


def _queue(name: str, *columns: sa.Column[bool]) -> None:
    op.create_table(
        name,
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True),
        *columns,
        sa.Column("blob", sa.LargeBinary, nullable=False),
    )


def upgrade() -> None:
    """Create all tables. Packed blobs are compressed already, so PostgreSQL does not compress them again."""
    op.create_table("key", _hash("key", primary=True), _hash("pool"))
    op.create_table(
        "claim",
        _hash("claim", primary=True),
        _hash("pool"),
        sa.Column("known", sa.BigInteger, nullable=False),
        *(_hash(name) for name in _BLOCKS),
        sa.Column("features", sa.LargeBinary, nullable=False),
    )
    for name in _BLOCKS:
        some = sa.text(f"{name} <> 0")
        op.create_index(f"claim_{name}", "claim", [name], postgresql_where=some, sqlite_where=some)
    op.create_table(
        "capped_key",
        _hash("key", primary=True),
        sa.Column("cutoff_known", sa.BigInteger, nullable=False),
        _hash("cutoff_claim"),
    )
    op.create_table("alias", _hash("loser", primary=True), _hash("winner"))
    op.create_table("pool", _hash("pool", primary=True), sa.Column("blob", sa.LargeBinary, nullable=False))
    op.create_table("quarantine", _hash("pool", primary=True), sa.Column("why", sa.Text, nullable=False))
    op.create_table(
        "person",
        sa.Column("person", sa.LargeBinary, primary_key=True),
        _hash("pool"),
        sa.Column("class", sa.Text),
        sa.Column("citizenship", sa.Text),
        sa.Column("port", sa.Text),
        sa.Column("code", sa.Text),
        sa.Column("period_end", sa.Text),
        sa.Column("announced", sa.Text),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("next_change_at", sa.BigInteger),
        sa.Column("awaits_from", sa.BigInteger),
        sa.Column("awaits", sa.BigInteger),
        sa.Column("doc", sa.LargeBinary),
    )
    op.create_index("person_pool", "person", ["pool"])
    for name, column in (("person_next", "next_change_at"), ("person_awaits", "awaits")):
        op.create_index(name, "person", [column], postgresql_where=sa.text(f"{column} IS NOT NULL"))
    _queue("work", sa.Column("compared", sa.Boolean, nullable=False, server_default=sa.false()))
    _queue("change")
    op.create_table(
        "coverage_event",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("mapping", sa.Integer, nullable=False),
        sa.Column("known", sa.BigInteger, nullable=False),
        sa.Column("retract", sa.Integer, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("through", sa.BigInteger, nullable=False),
    )
    op.create_index("coverage_event_record", "coverage_event", ["record"])
    op.create_index("coverage_event_system", "coverage_event", ["system", "known"])
    op.create_table(
        "coverage",
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("stretches", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("system", "scope"),
    )
    op.create_table(
        "position",
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("next", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("known", sa.BigInteger, nullable=False),
        sa.Column("tail", sa.LargeBinary),
        sa.PrimaryKeyConstraint("topic", "part"),
    )
    op.create_table(
        "config", sa.Column("fingerprint", sa.Text, primary_key=True), sa.Column("name", sa.Text, nullable=False)
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in ("work", "change"):
            op.execute(f"ALTER TABLE {table} ALTER COLUMN blob SET STORAGE EXTERNAL")


def downgrade() -> None:
    """Drop all tables: the bus still holds every event, so a store can be rebuilt from it."""
    for table in (
        "config",
        "position",
        "coverage",
        "coverage_event",
        "change",
        "work",
        "person",
        "quarantine",
        "pool",
        "alias",
        "capped_key",
        "claim",
        "key",
    ):
        op.drop_table(table)
