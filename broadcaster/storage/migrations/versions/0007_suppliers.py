"""Receipts of suppliers that name an address instead of our ids; calls say from which angle they tell."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "addressed_receipts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("broadcast_id", sa.Text(), server_default="", nullable=False),
        sa.Column("handle", sa.LargeBinary(), nullable=False),
        sa.Column("reference", sa.Text(), server_default="", nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addressed_receipts")),
    )
    op.create_index(op.f("ix_addressed_receipts_next_try_at"), "addressed_receipts", ["next_try_at"])
    op.alter_column("calls", "changes", new_column_name="angle")
    op.execute("UPDATE calls SET angle = jsonb_build_object('changes', angle) WHERE angle IS NOT NULL")


def downgrade() -> None:
    op.execute("UPDATE calls SET angle = angle -> 'changes' WHERE angle IS NOT NULL")
    op.alter_column("calls", "angle", new_column_name="changes")
    op.drop_table("addressed_receipts")
