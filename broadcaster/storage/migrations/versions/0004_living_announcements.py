"""Living announcements: facts of revisions, corrections for whoever holds something untrue, and how many those are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("announcements", sa.Column("revised_at", sa.DateTime(timezone=True)))
    op.add_column("revisions", sa.Column("facts", postgresql.JSONB(), server_default="{}", nullable=False))
    op.add_column("revisions", sa.Column("base", sa.Integer()))
    op.add_column("broadcasts", sa.Column("among", sa.Text(), server_default="", nullable=False))
    op.add_column("calls", sa.Column("changes", postgresql.JSONB()))
    op.create_table(
        "staleness",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("stale", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("uncorrected", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reasons", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("took", sa.Double(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["slug"], ["announcements.slug"], name=op.f("fk_staleness_slug_announcements")),
        sa.PrimaryKeyConstraint("slug", "channel", name=op.f("pk_staleness")),
    )


def downgrade() -> None:
    op.drop_table("staleness")
    op.drop_column("calls", "changes")
    op.drop_column("broadcasts", "among")
    op.drop_column("revisions", "base")
    op.drop_column("revisions", "facts")
    op.drop_column("announcements", "revised_at")
