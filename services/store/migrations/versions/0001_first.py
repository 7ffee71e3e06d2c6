"""The first layout."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


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
    """Create all tables; packed blobs are compressed already, so PostgreSQL need not try again."""
    op.create_table("key", _hash("key", primary=True), _hash("pool"))
    op.create_table(
        "claim",
        _hash("claim", primary=True),
        _hash("pool"),
        sa.Column("known", sa.BigInteger, nullable=False),
        _hash("b1"),
        sa.Column("feat", sa.LargeBinary, nullable=False),
    )
    some = sa.text("b1 <> 0")
    op.create_index("claim_b1", "claim", ["b1"], postgresql_where=some, sqlite_where=some)
    op.create_table("alias", _hash("loser", primary=True), _hash("winner"))
    op.create_table("pool", _hash("pool", primary=True), sa.Column("blob", sa.LargeBinary, nullable=False))
    op.create_table(
        "person",
        sa.Column("person", sa.LargeBinary, primary_key=True),
        _hash("pool"),
        sa.Column("class", sa.Text),
        sa.Column("citizenship", sa.Text),
        sa.Column("port", sa.Text),
        sa.Column("code", sa.Text),
        sa.Column("until", sa.Text),
        sa.Column("told", sa.Text),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("next_change_at", sa.BigInteger),
        sa.Column("awaits_from", sa.BigInteger),
        sa.Column("awaits", sa.BigInteger),
        sa.Column("doc", sa.LargeBinary),
    )
    op.create_index("person_pool", "person", ["pool"])
    for name, column in (("person_next", "next_change_at"), ("person_awaits", "awaits")):
        op.create_index(name, "person", [column], postgresql_where=sa.text(f"{column} IS NOT NULL"))
    _queue("segment")
    _queue("work", sa.Column("looked", sa.Boolean, nullable=False, server_default=sa.false()))
    _queue("change")
    op.create_table(
        "coverage",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("known", sa.BigInteger, nullable=False),
        sa.Column("blob", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "position",
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("next", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("known", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("topic", "part"),
    )
    op.create_table(
        "config", sa.Column("fingerprint", sa.Text, primary_key=True), sa.Column("name", sa.Text, nullable=False)
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in ("segment", "work", "change"):
            op.execute(f"ALTER TABLE {table} ALTER COLUMN blob SET STORAGE EXTERNAL")


def downgrade() -> None:
    """Drop all tables: the bus still holds every event, a store is rebuilt from it."""
    tables = ("config", "position", "coverage", "change", "work", "segment", "person", "pool", "alias", "claim", "key")
    for table in tables:
        op.drop_table(table)
