"""The delivery engine: sealed recipients in versions, a ledger in partitions, holds, quotas, tallies."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from broadcaster.errors import StateError
from broadcaster.vault import Vault

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_AT_ONCE = 5000


def upgrade() -> None:
    _create_tables()
    _change_broadcasts()
    _divide_the_ledger()
    _seal_recipients()
    _bundle_receipts()
    _count_beats()


def downgrade() -> None:
    if op.get_bind().execute(sa.text("SELECT EXISTS (SELECT 1 FROM recipients WHERE pool = '')")).scalar():
        raise StateError("sealed recipients cannot be taken back to the tables of an older version")
    op.execute("DELETE FROM heartbeats WHERE name = 'installed'")
    op.drop_column("heartbeats", "beats")
    _unbundle_receipts()
    _restore_recipients()
    _unite_the_ledger()
    _restore_broadcasts()
    for table in reversed(_NEW):
        op.drop_table(table)


_NEW = (
    *("audience_versions", "audience_counts", "tag_sets", "suppressions", "holds"),
    *("quotas", "recipient_quotas", "tallies", "vault_checks"),
)


def _create_tables() -> None:
    op.create_table(
        "audience_versions",
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        *_counts("recipients", "added", "changed", "removed"),
        sa.PrimaryKeyConstraint("pool", "number", name=op.f("pk_audience_versions")),
    )
    op.create_table(
        "audience_counts",
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("tag_set", sa.Integer(), autoincrement=False, nullable=False),
        *_counts("recipients"),
        sa.PrimaryKeyConstraint("pool", "version", "language", "tag_set", name=op.f("pk_audience_counts")),
    )
    op.create_table(
        "tag_sets",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag_sets")),
        sa.UniqueConstraint("tags", name=op.f("uq_tag_sets_tags")),
    )
    op.create_table(
        "suppressions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("handle", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressions")),
        sa.UniqueConstraint("handle", "channel", name=op.f("uq_suppressions_handle_channel")),
    )
    op.create_table(
        "holds",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("halted", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "target", name=op.f("pk_holds")),
    )
    op.create_table(
        "quotas",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        *_counts("used"),
        sa.PrimaryKeyConstraint("channel", "provider", "period", "starts", name=op.f("pk_quotas")),
    )
    op.create_table(
        "recipient_quotas",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), autoincrement=False, nullable=False),
        *_counts("used"),
        sa.PrimaryKeyConstraint("channel", "provider", "day", "recipient_id", name=op.f("pk_recipient_quotas")),
    )
    op.create_table(
        "tallies",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", "label", name=op.f("pk_tallies")),
    )
    op.create_table(
        "vault_checks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_vault_checks")),
    )


def _counts(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), server_default="0", nullable=False) for name in names]


def _change_broadcasts() -> None:
    op.execute(
        """
        INSERT INTO holds (scope, target, actor, at)
        SELECT 'announcement', slug, 'migration', now() FROM announcements WHERE paused
        """
    )
    op.drop_column("announcements", "paused")
    op.add_column("announcements", sa.Column("number", sa.Integer(), sa.Identity(always=False), nullable=False))
    op.add_column("announcements", sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True))
    op.create_unique_constraint(op.f("uq_announcements_number"), "announcements", ["number"])
    for name in ("starts_at", "ends_at"):
        op.add_column("announcements", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.execute(
        """
        UPDATE announcements a
        SET starts_at = (r.content #>> '{announcement,window,start}')::timestamptz,
            ends_at = (r.content #>> '{announcement,window,end}')::timestamptz
        FROM revisions r WHERE (r.slug, r.number) = (a.slug, a.approved_revision)
        """
    )
    for column in _counts("accepted", "rejected", "unknown", "skipped"):
        op.add_column("batches", column)
    op.add_column("broadcasts", sa.Column("version", sa.Integer(), nullable=True))
    op.add_column("broadcasts", sa.Column("cut_to", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("broadcasts", sa.Column("cut", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("broadcasts", sa.Column("canary", sa.Text(), server_default="", nullable=False))
    op.add_column("broadcasts", sa.Column("retries", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_broadcasts_open", "broadcasts", ["id"], postgresql_where=sa.text("state = 'open'"))
    op.create_index("ix_broadcasts_retries", "broadcasts", ["retries"], postgresql_where=sa.text("retries <> ''"))
    # What was opened before has its batches, over recipients who all become the first version of their pool.
    op.execute("UPDATE broadcasts SET version = 1, cut = true WHERE opened_at IS NOT NULL")
    op.execute("DELETE FROM calls WHERE settled")
    op.drop_index("ix_calls_unsettled", table_name="calls")
    op.drop_column("calls", "settled")
    op.drop_column("calls", "in_doubt")
    op.add_column("calls", sa.Column("made_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE calls SET made_at = written_at")
    op.create_index(op.f("ix_calls_batch_id"), "calls", ["batch_id"])


def _divide_the_ledger() -> None:
    op.rename_table("deliveries", "deliveries_before")
    op.execute("ALTER INDEX pk_deliveries RENAME TO pk_deliveries_before")
    op.create_table(
        "deliveries",
        sa.Column("announcement", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("broadcast_id", sa.Text(), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), autoincrement=False, nullable=False),
        *_delivery_columns(),
        sa.Column("provider", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("announcement", "broadcast_id", "recipient_id", name=op.f("pk_deliveries")),
        postgresql_partition_by="LIST (announcement)",
    )
    for (number,) in op.get_bind().execute(sa.text("SELECT number FROM announcements")).all():
        part = f"CREATE TABLE deliveries_{number} PARTITION OF deliveries FOR VALUES IN ({number})"
        op.execute(f"{part} WITH (fillfactor = 65)")
    names = ", ".join(column.name for column in _delivery_columns())
    op.execute(
        f"""
        INSERT INTO deliveries (announcement, broadcast_id, recipient_id, {names})
        SELECT a.number, d.broadcast_id, d.recipient_id, {", ".join(f"d.{name}" for name in names.split(", "))}
        FROM deliveries_before d
        JOIN broadcasts b ON b.id = d.broadcast_id JOIN announcements a ON a.slug = b.slug
        """  # noqa: S608 - names of columns
    )
    op.drop_table("deliveries_before")
    # Broadcasts under way count per batch from now on; their own counters hold what was recorded before.


def _delivery_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("reference", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("receipt", sa.Text(), server_default="", nullable=False),
        sa.Column("receipt_at", sa.DateTime(timezone=True), nullable=True),
    ]


def _seal_recipients() -> None:
    op.rename_table("recipients", "recipients_before")
    op.execute("ALTER INDEX pk_recipients RENAME TO pk_recipients_before")
    op.create_table(
        "recipients",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("since", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("until", sa.Integer(), nullable=True),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("handle", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("tag_set", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", "since", name=op.f("pk_recipients")),
    )
    _copy_sealed()
    op.create_index(
        "uq_recipients_current", "recipients", ["handle"], unique=True, postgresql_where=sa.text("until IS NULL")
    )
    op.create_index("ix_recipients_former", "recipients", ["handle"], postgresql_where=sa.text("until IS NOT NULL"))
    op.create_index("ix_recipients_pool", "recipients", ["pool", "id"], postgresql_where=sa.text("pool <> ''"))
    op.drop_table("recipients_before")


def _copy_sealed() -> None:
    """Every recipient becomes a member of its pool's first version; whoever had left keeps the id and is in none."""
    connection = op.get_bind()
    numbers: dict[tuple[str, ...], int] = {}
    with connection.execute(_BEFORE, execution_options={"yield_per": _AT_ONCE}) as rows:
        for some in rows.partitions(_AT_ONCE):
            connection.execute(_INSERT, [_sealed(_vault(), row, numbers) for row in some])
    if numbers:
        stored = [{"id": number, "tags": list(tags)} for tags, number in numbers.items()]
        connection.execute(sa.text("INSERT INTO tag_sets (id, tags) VALUES (:id, :tags)"), stored)
    for table in ("recipients", "tag_sets"):
        highest = f"(SELECT coalesce(max(id), 0) + 1 FROM {table})"  # noqa: S608 - a table's name
        connection.execute(sa.text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {highest}, false)"))
    connection.execute(sa.text(_FIRST_COUNTS))
    connection.execute(sa.text(_FIRST_VERSIONS))


def _vault() -> Vault:
    vault: Vault | None = context.config.attributes.get("vault")
    if vault is None:
        raise StateError("recipients must be sealed by this migration", hint="run it by `broadcaster migrate`")
    return vault


def _sealed(vault: Vault, row: Any, numbers: dict[tuple[str, ...], int]) -> dict[str, Any]:
    handle = vault.handle(row.channel, row.address)
    return {
        "id": row.id,
        "until": None if row.inactive_since is None else 1,
        "pool": row.channel,
        "handle": handle,
        "fingerprint": vault.fingerprint(handle, row.name),
        "sealed": vault.seal(handle, row.address, row.name),
        "language": row.language,
        "tag_set": numbers.setdefault(tuple(sorted(set(row.tags))), len(numbers) + 1),
    }


_BEFORE = sa.text(
    "SELECT id, channel, address, name, language, tags, inactive_since FROM recipients_before ORDER BY id"
)

_INSERT = sa.text(
    """
    INSERT INTO recipients (id, since, until, pool, handle, fingerprint, sealed, language, tag_set)
    VALUES (:id, 1, :until, :pool, :handle, :fingerprint, :sealed, :language, :tag_set)
    """
)

_FIRST_COUNTS = """
INSERT INTO audience_counts (pool, version, language, tag_set, recipients)
SELECT pool, 1, language, tag_set, count(*) FROM recipients WHERE until IS NULL GROUP BY pool, language, tag_set
"""

_FIRST_VERSIONS = """
INSERT INTO audience_versions (pool, number, at, source, recipients, added)
SELECT pool, 1, now(), 'migration', count(*) FILTER (WHERE until IS NULL), count(*) FILTER (WHERE until IS NULL)
FROM recipients GROUP BY pool
"""


def _bundle_receipts() -> None:
    op.rename_table("receipts", "receipts_before")
    op.execute("ALTER INDEX pk_receipts RENAME TO pk_receipts_before")
    op.drop_index("ix_receipts_unmerged", table_name="receipts_before")
    op.create_table(
        "receipts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("broadcast_id", sa.Text(), nullable=False),
        sa.Column("recipients", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("failed", postgresql.ARRAY(sa.Boolean()), nullable=False),
        sa.Column("at", postgresql.ARRAY(sa.DateTime(timezone=True)), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("merged", sa.Boolean(), server_default="false", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
    )
    op.create_index(op.f("ix_receipts_broadcast_id"), "receipts", ["broadcast_id"])
    op.create_index("ix_receipts_unmerged", "receipts", ["id"], postgresql_where=sa.text("NOT merged"))
    op.create_table(
        "waiting_receipts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("broadcast_id", sa.Text(), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_receipts")),
        sa.UniqueConstraint(
            *("broadcast_id", "recipient_id", "channel", "provider"),
            name=op.f("uq_waiting_receipts_broadcast_id_recipient_id_channel_provider"),
        ),
    )
    op.create_index(op.f("ix_waiting_receipts_next_try_at"), "waiting_receipts", ["next_try_at"])
    op.execute(_BUNDLE)
    op.drop_table("receipts_before")


_BUNDLE = """
INSERT INTO receipts (channel, provider, broadcast_id, recipients, failed, at, number, merged)
SELECT channel, provider, broadcast_id, array_agg(recipient_id ORDER BY id), array_agg(status = 'failed' ORDER BY id),
       array_agg(at ORDER BY id), count(*), merged
FROM (
    SELECT *, (row_number() OVER (PARTITION BY channel, provider, broadcast_id, merged ORDER BY id) - 1) / 1000 AS part
    FROM receipts_before
) numbered
GROUP BY channel, provider, broadcast_id, merged, part ORDER BY min(id)
"""

_UNBUNDLE = """
INSERT INTO receipts (channel, provider, broadcast_id, recipient_id, status, at, merged)
SELECT channel, provider, broadcast_id, w.recipient_id, CASE WHEN w.failed THEN 'failed' ELSE 'delivered' END, w.at,
       merged
FROM receipts_after r
CROSS JOIN LATERAL unnest(r.recipients, r.failed, r.at) WITH ORDINALITY w (recipient_id, failed, at, place)
ORDER BY r.id, w.place
"""


def _unbundle_receipts() -> None:
    op.rename_table("receipts", "receipts_after")
    op.execute("ALTER INDEX pk_receipts RENAME TO pk_receipts_after")
    op.drop_index("ix_receipts_unmerged", table_name="receipts_after")
    op.create_table(
        "receipts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("broadcast_id", sa.Text(), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged", sa.Boolean(), server_default="false", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
    )
    op.create_index("ix_receipts_unmerged", "receipts", ["id"], postgresql_where=sa.text("NOT merged"))
    op.execute(_UNBUNDLE)
    # What waited for its delivery counts as not joined again.
    op.execute(
        """
        INSERT INTO receipts (channel, provider, broadcast_id, recipient_id, status, at)
        SELECT channel, provider, broadcast_id, recipient_id, CASE WHEN failed THEN 'failed' ELSE 'delivered' END, at
        FROM waiting_receipts ORDER BY id
        """
    )
    op.drop_table("receipts_after")
    op.drop_table("waiting_receipts")


def _count_beats() -> None:
    op.add_column("heartbeats", *_counts("beats"))
    op.execute("INSERT INTO heartbeats (name) VALUES ('installed')")


def _restore_recipients() -> None:
    op.drop_table("recipients")
    op.create_table(
        "recipients",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("inactive_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("listed_since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipients")),
        sa.UniqueConstraint("kind", "channel", "address", name=op.f("uq_recipients_kind_channel_address")),
    )


def _unite_the_ledger() -> None:
    columns = _delivery_columns()
    names = ", ".join(["broadcast_id", "recipient_id", *(column.name for column in columns)])
    op.rename_table("deliveries", "deliveries_after")
    op.execute("ALTER INDEX pk_deliveries RENAME TO pk_deliveries_after")
    op.create_table(
        "deliveries",
        sa.Column("broadcast_id", sa.Text(), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("broadcast_id", "recipient_id", name=op.f("pk_deliveries")),
    )
    op.execute(f"INSERT INTO deliveries ({names}) SELECT {names} FROM deliveries_after")  # noqa: S608 - names of columns
    op.drop_table("deliveries_after")


def _restore_broadcasts() -> None:
    op.drop_index(op.f("ix_calls_batch_id"), table_name="calls")
    op.drop_column("calls", "made_at")
    op.add_column("calls", sa.Column("settled", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("calls", sa.Column("in_doubt", sa.Boolean(), server_default="true", nullable=False))
    op.create_index("ix_calls_unsettled", "calls", ["batch_id"], postgresql_where=sa.text("NOT settled"))
    op.drop_index("ix_broadcasts_retries", table_name="broadcasts", postgresql_where=sa.text("retries <> ''"))
    op.drop_index("ix_broadcasts_open", table_name="broadcasts", postgresql_where=sa.text("state = 'open'"))
    for name in ("retries", "canary", "cut", "cut_to", "version"):
        op.drop_column("broadcasts", name)
    for name in ("skipped", "unknown", "rejected", "accepted"):
        op.drop_column("batches", name)
    op.drop_constraint(op.f("uq_announcements_number"), "announcements", type_="unique")
    op.drop_column("announcements", "purged_at")
    for name in ("ends_at", "starts_at", "number"):
        op.drop_column("announcements", name)
    op.add_column("announcements", sa.Column("paused", sa.Boolean(), server_default="false", nullable=False))
    op.execute("UPDATE announcements SET paused = true WHERE slug IN (SELECT target FROM holds)")
