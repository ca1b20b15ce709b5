"""The one definition of the tables. Migrations are held to it by a test.

Times of the campaign (`due_at`, `hold_until`, …) are campaign time; times of the machinery (`lease_until`,
`next_attempt_at`, …) are machine time and set by the database's own clock.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
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
    Column("number", Integer, Identity(), nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("approved_revision", Integer),
    _instant("starts_at"),
    _instant("ends_at"),
    _instant("created_at", required=True),
    _instant("approved_at"),
    _instant("revised_at"),
    _instant("started_at"),
    _instant("finished_at"),
    _instant("cancelled_at"),
    _instant("concluded_at"),
    _instant("purged_at"),
)
"""One row an announcement: its state, when each step really happened, and when an operator said that it was over.

`approved_at` is when its first revision was approved, `revised_at` when the present one was, or it was reinstated.

`number` names its partition of the ledger, which is gone when `purged_at` is set; counters and events stay."""

revisions = Table(
    "revisions",
    metadata,
    Column("slug", Text, ForeignKey("announcements.slug"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("facts", JSONB, nullable=False, server_default="{}"),
    Column("base", Integer),
    _instant("created_at", required=True),
    _instant("approved_at"),
)
"""Immutable contents; only `state` and `approved_at` ever change.

`facts` are what its messages tell: written once, so that a later version of the product cannot change what people were
told. `base` is the revision that was approved when it was proposed."""

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
    _words("among"),
    _instant("due_at", required=True),
    _instant("expires_at", required=True),
    Column("state", Text, nullable=False),
    _words("reason"),
    _words("note"),
    _instant("opened_at"),
    _instant("closed_at"),
    Column("version", Integer),
    Column("cut_to", BigInteger, nullable=False, server_default="0"),
    Column("cut", Boolean, nullable=False, server_default="false"),
    _words("canary"),
    _words("retries"),
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
    Index("ix_broadcasts_open", "id", postgresql_where=text("state = 'open'")),
    Index("ix_broadcasts_retries", "retries", postgresql_where=text("retries <> ''")),
)
"""The plan, and kept counters of what came of it: nothing on a hot path counts the ledger.

Opening freezes the audience's `version`. Batches are cut from it as they are wanted: `cut_to` is the last recipient id
that has one, `cut` says that all have. `canary` is empty, `sending` or `passed`. `retries` is the broadcast whose
failures this one tries again.

Outcomes of undone batches are not in the counters yet. A receipt that settles a doubt moves one from `unknown` to
`accepted` here at once, so that `unknown` may be below zero until its batch is done; their sum is right at any time."""

staleness = Table(
    "staleness",
    metadata,
    Column("slug", Text, ForeignKey("announcements.slug"), primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("mark", Text, nullable=False),
    _count("stale"),
    _count("uncorrected"),
    Column("reasons", JSONB, nullable=False, server_default="[]"),
    Column("counted_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("took", Double, nullable=False, server_default="0"),
)
"""How many recipients hold something untrue, counted from the ledger when that has changed: looked at, not recounted.

`mark` is a digest of what was counted (what is true, and the counters of the broadcasts); `uncorrected` are those whom
no message with the truth was meant for yet; `reasons` says of the stale ones why they still are. `took` is in
seconds."""

audience_versions = Table(
    "audience_versions",
    metadata,
    Column("pool", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _instant("at", required=True),
    _words("source"),
    _count("recipients"),
    _count("added"),
    _count("changed"),
    _count("removed"),
)
"""What each import (or change of the site) made of a pool. A version's membership never changes afterwards."""

audience_counts = Table(
    "audience_counts",
    metadata,
    Column("pool", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("language", Text, primary_key=True),
    Column("tag_set", Integer, primary_key=True, autoincrement=False),
    _count("recipients"),
)
"""How many recipients of a version have a language and exactly these tags: segments are counted without counting."""

tag_sets = Table(
    "tag_sets",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("tags", ARRAY(Text), nullable=False, unique=True),
)
"""Each distinct set of tags, sorted."""

recipients = Table(
    "recipients",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("since", Integer, primary_key=True, autoincrement=False),
    Column("until", Integer),
    Column("pool", Text, nullable=False),
    Column("handle", LargeBinary, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("language", Text, nullable=False),
    Column("tag_set", Integer, nullable=False),
    Index("uq_recipients_current", "handle", unique=True, postgresql_where=text("until IS NULL")),
    Index("ix_recipients_former", "handle", postgresql_where=text("until IS NOT NULL")),
    Index("ix_recipients_pool", "pool", "id", postgresql_where=text("pool <> ''")),
)
"""Everyone and everything a push can reach, in one id space. `pool` is empty for people with a phone, else the slug of
the channel whose own they are.

A row holds in the versions of its pool from `since` to before `until`; a person keeps the id through every change.
`handle` is the blind index of the address, `sealed` the encrypted address and name, `fingerprint` a keyed digest of
what was imported, by which a later import knows what changed."""

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("handle", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("channel", Text, nullable=False, server_default=""),
    _words("reason"),
    Column("actor", Text, nullable=False),
    _instant("at", required=True),
    UniqueConstraint("handle", "channel"),
)
"""People who must not be written to: on one channel, or on all when `channel` is empty. Asked before every call.

`sealed` is the encrypted address: whoever is suppressed need not be in the audience, and a new index key needs it. Of
which pool it is, the channel says; without one, it is a phone."""

holds = Table(
    "holds",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("halted", Boolean, nullable=False, server_default="false"),
    _words("reason"),
    Column("actor", Text, nullable=False),
    _instant("at", required=True),
)
"""What must not be sent now: `everything`, one `announcement` (by slug) or one `broadcast` (by id), until resumed.

`halted` marks a hold that somebody must look into, such as a canary's."""

batches = Table(
    "batches",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("broadcast_id", Text, ForeignKey("broadcasts.id"), nullable=False),
    Column("first_id", BigInteger, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    Column("recipients", Integer, nullable=False),
    _count("accepted"),
    _count("rejected"),
    _count("unknown"),
    _count("skipped"),
    Column("done", Boolean, nullable=False, server_default="false"),
    Column("token", BigInteger, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    _instant("lease_until"),
    _instant("next_attempt_at"),
    _instant("hold_until"),
    _instant("enqueued_at"),
    Index("ix_batches_undone", "broadcast_id", postgresql_where=text("NOT done")),
)
"""A range of recipient ids of one broadcast. `token` rises with every claim and fences off a worker that lost it.

Its counters are added to the broadcast's when it is done, so that workers do not queue for the broadcast's row."""

calls = Table(
    "calls",
    metadata,
    Column("key", Text, primary_key=True),
    Column("batch_id", BigInteger, ForeignKey("batches.id"), nullable=False),
    Column("broadcast_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("provider", Text, nullable=False),
    Column("angle", JSONB),
    Column("members", ARRAY(BigInteger), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    _instant("prepared_at", required=True),
    Column("written_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    _instant("made_at"),
    Index(None, "batch_id"),
)
"""A provider request, written down before it is made, so that a retry is the same request under the same key.

Its row goes when its outcomes are recorded: what stands here is open. `made_at` is when it was last made. `angle`
says from which side its words tell, where that is not the whole of it: `changes` (path, old, new) since the members
were told, and the `rows` of impacts that concern them."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("announcement", Integer, primary_key=True, autoincrement=False),
    Column("broadcast_id", Text, primary_key=True),
    Column("recipient_id", BigInteger, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    _words("reason"),
    _words("reference"),
    _words("provider"),
    _instant("at", required=True),
    _words("receipt"),
    _instant("receipt_at"),
    postgresql_partition_by="LIST (announcement)",
)
"""The ledger: one row a recipient and broadcast, written once; a receipt may complete it.

A partition an announcement (by its number), so that a purge drops a table instead of deleting rows."""

receipts = Table(
    "receipts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("broadcast_id", Text, nullable=False),
    Column("recipients", ARRAY(BigInteger), nullable=False),
    Column("failed", ARRAY(Boolean), nullable=False),
    Column("at", ARRAY(DateTime(timezone=True)), nullable=False),
    Column("number", Integer, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("merged", Boolean, nullable=False, server_default="false"),
    Index(None, "broadcast_id"),
    Index("ix_receipts_unmerged", "id", postgresql_where=text("NOT merged")),
)
"""What providers said afterwards, as it came in: one row a callback and broadcast, `number` words long.

Append-only but for `merged`: each of its words is joined to the ledger, or stands in `waiting_receipts`."""

waiting_receipts = Table(
    "waiting_receipts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("broadcast_id", Text, nullable=False),
    Column("recipient_id", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("failed", Boolean, nullable=False),
    _instant("at", required=True),
    Column("since", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("next_try_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    UniqueConstraint("broadcast_id", "recipient_id", "channel", "provider"),
    Index(None, "next_try_at"),
)
"""The first word of a provider on each delivery that is not in the ledger yet; tried again at ever longer intervals."""

addressed_receipts = Table(
    "addressed_receipts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("provider", Text, nullable=False),
    _words("broadcast_id"),
    Column("handle", LargeBinary, nullable=False),
    _words("reference"),
    Column("failed", Boolean, nullable=False),
    _instant("at", required=True),
    Column("since", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("next_try_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Index(None, "next_try_at"),
)
"""Receipts whose provider names an address (kept as its blind index) and its own `reference`, until it is known which
delivery they are about. `broadcast_id` is empty where the provider could not be given it."""

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

screens = Table(
    "screens",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    _instant("since", required=True),
    _instant("gone_at"),
    Column("seq", BigInteger, nullable=False, server_default="0"),
    _instant("fetched_at"),
    _instant("fetched_machine_at"),
)
"""The endpoints of the site's surfaces, and the newest document that each fetched under its name, by its `seq`.

A note is written when the document is new or the last note a minute old. `gone_at`: no longer in the configuration."""

screen_fetches = Table(
    "screen_fetches",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _instant("at", required=True),
    _instant("machine_at", required=True),
)
"""When a screen first fetched the document of a `seq`: from when on it stated what that says.

Of the documents between two changes the first that it fetched stands here: the others state the same."""

readbacks = Table(
    "readbacks",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False, server_default="0"),
    _words("result"),
    Column("differences", JSONB, nullable=False, server_default="[]"),
    _instant("at"),
    Column("tries", Integer, nullable=False, server_default="0"),
    _instant("next_at"),
)
"""What a surface showed when it was last read back, at the public address (`endpoint` is empty) or an endpoint's own.

`seq` is that of the document with which it was compared, `tries` how often it was read since it was last confirmed.
`next_at`, machine time, is when it is read again."""

replacements = Table(
    "replacements",
    metadata,
    Column("broadcast_id", Text, primary_key=True),
    Column("recipient_id", BigInteger, primary_key=True, autoincrement=False),
    Column("successor_id", Text, primary_key=True),
    Column("action", Text, nullable=False),
    _words("reason"),
    _instant("at", required=True),
)
"""What an account did with its earlier post when a successor came whose facts supersede it: `deleted`, `linked` to the
successor, or `left` as it was."""

operator_events = Table(
    "operator_events",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("operator", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    _instant("at", required=True),
    Column("state", Text, nullable=False, server_default="waiting"),
    _instant("ended_at"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    _words("trouble"),
    Index(None, "slug"),
    Index("ix_operator_events_waiting", "next_attempt_at", postgresql_where=text("state = 'waiting'")),
)
"""What an operator's webhook is told, such as a question to the owner: one row each, written before it is called.

`state` is `waiting`, `accepted`, or `no longer needed` when it stopped being true before anybody accepted it. `data` is
frozen, so that a retry is the same request under the same `key`. A row is never deleted: nothing is asked twice."""

endpoints = Table(
    "endpoints",
    metadata,
    Column("name", Text, primary_key=True),
    _words("label"),
    Column("url", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("events", ARRAY(Text), nullable=False, server_default="{}"),
    Column("mark", LargeBinary, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("previous", LargeBinary),
    _instant("previous_until"),
    Column("actor", Text, nullable=False),
    _instant("created_at", required=True),
    _instant("rotated_at"),
    _instant("disabled_at"),
    _words("disabled_by"),
    _words("disabled_for"),
    _instant("failing_since"),
    _instant("failed_at"),
    _words("trouble"),
    _instant("accepted_at"),
)
"""Partners' endpoints, each a recipient of its channel while it is not disabled. `events` are the types that it takes
of those that can be left out; empty: all of them.

`secret` and `previous` are sealed, with the random `mark` as associated data; the previous one counts until
`previous_until`. That, `failing_since`, `failed_at` and `accepted_at` are machine time. `disabled_by` is empty when
nobody but the product itself disabled it."""

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", Text, primary_key=True),
    Column("beat_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    _count("beats"),
)
"""When a periodic task last ran (machine time), and how often: a silent beat is the first thing to hear of.

The row `installed` says when this database was made; it never beats again, and a copy of the database has the same."""

quotas = Table(
    "quotas",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("starts", Date, primary_key=True),
    _count("used"),
)
"""How many messages a provider took in a `day` or `month`: here, so that a flushed Redis resets nothing."""

recipient_quotas = Table(
    "recipient_quotas",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("recipient_id", BigInteger, primary_key=True, autoincrement=False),
    _count("used"),
)
"""How many messages a recipient got through a provider in a day; only where the site limits that."""

tallies = Table(
    "tallies",
    metadata,
    Column("name", Text, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("value", Double, nullable=False, server_default="0"),
)
"""Running sums that the metrics show, such as outcomes by provider: raised with the batch that they belong to."""

vault_checks = Table(
    "vault_checks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
)
"""Digests by which a process knows that its keys are those that this database was written with."""
