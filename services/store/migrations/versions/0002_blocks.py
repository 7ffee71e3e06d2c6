"""Claims are compared in three blocks, and keys that very many claims share have a horizon."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Claims of before stand in no new block: the fingerprint has changed too, so such a store is rebuilt anyway."""
    for name in ("b2", "b3"):
        op.add_column("claim", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
        some = sa.text(f"{name} <> 0")
        op.create_index(f"claim_{name}", "claim", [name], postgresql_where=some, sqlite_where=some)
    op.create_table(
        "hot",
        sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("hk", sa.BigInteger, nullable=False),
        sa.Column("hc", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Back to one block."""
    op.drop_table("hot")
    for name in ("b3", "b2"):
        op.drop_index(f"claim_{name}", "claim")
        op.drop_column("claim", name)
