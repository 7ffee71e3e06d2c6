"""A claim has a fifth block: initials, month of birth and citizenship."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_BLOCK = "block_initials_month"


def upgrade() -> None:
    """Add the column, empty: a store that stands was made under another configuration, and is rebuilt."""
    op.add_column("claim", sa.Column(_BLOCK, sa.BigInteger, autoincrement=False, nullable=False, server_default="0"))
    some = sa.text(f"{_BLOCK} <> 0")
    op.create_index(f"claim_{_BLOCK}", "claim", [_BLOCK], postgresql_where=some, sqlite_where=some)


def downgrade() -> None:
    """Drop it."""
    op.drop_index(f"claim_{_BLOCK}", "claim")
    op.drop_column("claim", _BLOCK)
