"""Pools that could not be settled are named."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """There were none: one stopped the correlator."""
    op.create_table(
        "aside",
        sa.Column("pool", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """A correlator of before stops at such a pool again."""
    op.drop_table("aside")
