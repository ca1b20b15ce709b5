"""Screens: which document each of them fetched, what surfaces showed when read back, what became of earlier posts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Four tables, empty: screens are put down when the site is next read, the rest as it happens."""
    op.create_table(
        "screens",
        *_screen(),
        _instant("since", required=True),
        _instant("gone_at"),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        _instant("fetched_at"),
        _instant("fetched_machine_at"),
        sa.PrimaryKeyConstraint("channel", "name", name=op.f("pk_screens")),
    )
    op.create_table(
        "screen_fetches",
        *_screen(),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        _instant("at", required=True),
        _instant("machine_at", required=True),
        sa.PrimaryKeyConstraint("channel", "name", "seq", name=op.f("pk_screen_fetches")),
    )
    op.create_table(
        "readbacks",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("result", sa.Text(), server_default="", nullable=False),
        sa.Column("differences", postgresql.JSONB(), server_default="[]", nullable=False),
        _instant("at"),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        _instant("next_at"),
        sa.PrimaryKeyConstraint("channel", "endpoint", name=op.f("pk_readbacks")),
    )
    op.create_table(
        "replacements",
        sa.Column("broadcast_id", sa.Text(), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("successor_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        _instant("at", required=True),
        sa.PrimaryKeyConstraint("broadcast_id", "recipient_id", "successor_id", name=op.f("pk_replacements")),
    )


def downgrade() -> None:
    """What is known of screens and posts is lost."""
    for table in ("replacements", "readbacks", "screen_fetches", "screens"):
        op.drop_table(table)


def _screen() -> tuple[sa.Column[str], sa.Column[str]]:
    return sa.Column("channel", sa.Text(), nullable=False), sa.Column("name", sa.Text(), nullable=False)


def _instant(name: str, *, required: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not required)
