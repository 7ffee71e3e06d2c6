"""Caps of their own for who lacks the right to confidential records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create their tables. A store that stands was made under another configuration: it is rebuilt."""
    op.add_column("claim", sa.Column("open_known", sa.BigInteger))
    op.create_table(
        "open_capped_key",
        sa.Column("key", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("cutoff_known", sa.BigInteger),
        sa.Column("cutoff_claim", sa.BigInteger),
    )
    op.create_table(
        "refused",
        sa.Column("key", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("claim", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("known", sa.BigInteger, nullable=False),
        sa.Column("pool", sa.BigInteger, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "claim"),
    )
    op.create_index("refused_rank", "refused", ["key", "known", "claim"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("refused")
    op.drop_table("open_capped_key")
    op.drop_column("claim", "open_known")
