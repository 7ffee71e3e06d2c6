"""Work may be sorted by shard: several correlators resolve at the same time, each another shard."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column; work that waits is not sorted yet."""
    op.add_column("work", sa.Column("shard", sa.Integer))


def downgrade() -> None:
    """Drop it: work is taken by the row, whatever shard it was sorted into."""
    op.drop_column("work", "shard")
