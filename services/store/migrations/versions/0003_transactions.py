"""Heartbeats tell which partitions a correlator holds, and when it last committed events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add both columns; a heartbeat that stands is replaced within seconds."""
    op.add_column("heartbeat", sa.Column("partitions", sa.Text, nullable=False, server_default=""))
    op.add_column("heartbeat", sa.Column("committed", sa.BigInteger))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("heartbeat", "committed")
    op.drop_column("heartbeat", "partitions")
