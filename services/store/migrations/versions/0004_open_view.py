"""A view of its own for who lacks the right to confidential records, of the pools that hold some."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ORDERS = (("next", "next_change_at"), ("awaits", "awaits"))


def upgrade() -> None:
    """Create its tables. Of the pools that stand nothing is open until they are resolved by the present rules.

    Which of them hold what is confidential is seen only by reading them, and a store that stands was made under another
    configuration: it is rebuilt.
    """
    op.create_table(
        "open_pool",
        sa.Column("pool", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("blob", sa.LargeBinary),
    )
    op.execute("INSERT INTO open_pool (pool) SELECT pool FROM pool")
    op.create_table(
        "open_person",
        sa.Column("person", sa.LargeBinary, primary_key=True),
        sa.Column("pool", sa.BigInteger, autoincrement=False, nullable=False),
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
    op.create_index("open_person_pool", "open_person", ["pool"])
    for name, column in _ORDERS:
        op.drop_index(f"person_{name}", "person")
        _index("person", name, column)
        _index("open_person", name, column)
    op.add_column("position", sa.Column("open_known", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("change", sa.Column("confidential", sa.Boolean, nullable=False, server_default=sa.false()))


def _index(table: str, name: str, column: str) -> None:
    op.create_index(f"{table}_{name}", table, [column, "person"], postgresql_where=sa.text(f"{column} IS NOT NULL"))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("change", "confidential")
    op.drop_column("position", "open_known")
    for name, column in _ORDERS:
        op.drop_index(f"person_{name}", "person")
        op.create_index(f"person_{name}", "person", [column], postgresql_where=sa.text(f"{column} IS NOT NULL"))
    op.drop_table("open_person")
    op.drop_table("open_pool")
