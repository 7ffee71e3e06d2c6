"""A store may be rebuilt beside the live one: its home knows which edition is live."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table of editions; what stands is the first, and live. Only the table of the home is ever read."""
    edition = op.create_table(
        "edition",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text),
        sa.Column("begun", sa.BigInteger),
        sa.Column("switched", sa.BigInteger),
        sa.Column("noted", sa.Text),
    )
    op.bulk_insert(edition, [{"number": 1, "state": "live"}])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("edition")
