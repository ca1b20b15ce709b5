"""The one definition of the tables. Migrations are held to it by a test.

Times of the campaign (`due_at`, `hold_until`, …) are campaign time; times of the machinery (`lease_until`,
`next_attempt_at`, …) are machine time and set by the database's own clock.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _instant(name: str, *, required: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=not required)


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _words(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


announcements = Table(
    "announcements",
    metadata,
    Column("slug", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("approved_revision", Integer),
    Column("paused", Boolean, nullable=False, server_default="false"),
    _instant("created_at", required=True),
    _instant("approved_at"),
    _instant("started_at"),
    _instant("finished_at"),
    _instant("cancelled_at"),
    _instant("concluded_at"),
)
"""One row an announcement: its state, when each step really happened, and when an operator said that it was over."""

revisions = Table(
    "revisions",
    metadata,
    Column("slug", Text, ForeignKey("announcements.slug"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    _instant("created_at", required=True),
    _instant("approved_at"),
)
"""Immutable contents; only `state` and `approved_at` ever change."""

broadcasts = Table(
    "broadcasts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("slug", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("occurrence", Text, nullable=False),
    Column("audience", Text, nullable=False),
    _instant("due_at", required=True),
    _instant("expires_at", required=True),
    Column("state", Text, nullable=False),
    _words("reason"),
    _words("note"),
    _instant("opened_at"),
    _instant("closed_at"),
    _count("recipients"),
    _count("accepted"),
    _count("rejected"),
    _count("unknown"),
    _count("skipped"),
    _count("delivered"),
    _count("failed"),
    ForeignKeyConstraint(["slug", "revision"], ["revisions.slug", "revisions.number"]),
    Index(None, "slug"),
    Index("ix_broadcasts_due", "due_at", postgresql_where=text("state = 'planned'")),
)
"""The plan, and kept counters of what came of it: nothing on a hot path counts the ledger."""

recipients = Table(
    "recipients",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False, server_default=""),
    Column("address", Text, nullable=False),
    _words("name"),
    Column("language", Text, nullable=False),
    Column("tags", ARRAY(Text), nullable=False, server_default="{}"),
    _instant("inactive_since"),
    _instant("listed_since", required=True),
    UniqueConstraint("kind", "channel", "address"),
)
"""Everyone and everything a push can reach, in one id space. `channel` is empty for people.

A broadcast reaches those who were listed when it was opened; `listed_since` starts anew for one who comes back."""

batches = Table(
    "batches",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("broadcast_id", Text, ForeignKey("broadcasts.id"), nullable=False),
    Column("first_id", BigInteger, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    Column("recipients", Integer, nullable=False),
    Column("done", Boolean, nullable=False, server_default="false"),
    Column("token", BigInteger, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    _instant("lease_until"),
    _instant("next_attempt_at"),
    _instant("hold_until"),
    _instant("enqueued_at"),
    Index("ix_batches_undone", "broadcast_id", postgresql_where=text("NOT done")),
)
"""A range of recipient ids of one broadcast. `token` rises with every claim and fences off a worker that lost it."""

calls = Table(
    "calls",
    metadata,
    Column("key", Text, primary_key=True),
    Column("batch_id", BigInteger, ForeignKey("batches.id"), nullable=False),
    Column("broadcast_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("provider", Text, nullable=False),
    Column("members", ARRAY(BigInteger), nullable=False),
    Column("settled", Boolean, nullable=False, server_default="false"),
    Column("in_doubt", Boolean, nullable=False, server_default="true"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    _instant("prepared_at", required=True),
    Column("written_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Index("ix_calls_unsettled", "batch_id", postgresql_where=text("NOT settled")),
)
"""A provider request, written down before it is made, so that a retry is the same request under the same key."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("broadcast_id", Text, primary_key=True),
    Column("recipient_id", BigInteger, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    _words("reason"),
    _words("reference"),
    _instant("at", required=True),
    _words("receipt"),
    _instant("receipt_at"),
)
"""The ledger: one row a recipient and broadcast, written once; a receipt may complete it."""

receipts = Table(
    "receipts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("broadcast_id", Text, nullable=False),
    Column("recipient_id", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    _instant("at", required=True),
    Column("merged", Boolean, nullable=False, server_default="false"),
    Index("ix_receipts_unmerged", "id", postgresql_where=text("NOT merged")),
)
"""What providers said afterwards, as it came in; joined into the ledger in bulk."""

events = Table(
    "events",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _instant("at", required=True),
    Column("machine_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("actor", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("slug", Text, nullable=False, server_default=""),
    Column("details", JSONB, nullable=False, server_default="{}"),
    Index(None, "slug"),
)
"""Who did what when. Append-only: a trigger refuses changes and deletions."""

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", Text, primary_key=True),
    Column("beat_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
)
"""When a periodic task last ran (machine time): a silent beat is the first thing to hear of."""
