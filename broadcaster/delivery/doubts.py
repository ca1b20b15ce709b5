"""Doubts: what to do with the calls that an earlier claim of a batch left open."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from broadcaster.channels.base import Delivery, Idempotency, Outcome
from broadcaster.delivery.messages import Press
from broadcaster.delivery.routing import Run, Step, repeat
from broadcaster.planning.phase import Phase
from broadcaster.storage import batches, recipients


def left_open(connection: Connection, run: Run, press: Press) -> tuple[list[Step], list[Delivery]]:
    """The calls to repeat, and the recipients whose outcome stays unknown; these calls are settled here.

    A call that was surely not seen, and whose provider is gone, is dropped: its members are routed anew.
    """
    repeats: list[Step] = []
    doubtful: list[Delivery] = []
    for row in batches.unsettled_calls(connection, run.batch.id):
        reason = _why_unknown(run, row)
        if reason:
            doubtful += [Delivery(id_, Outcome.UNKNOWN, reason) for id_ in row.members]
            batches.settle_call(connection, row.key)
        elif row.provider not in run.providers:
            batches.settle_call(connection, row.key)
        else:
            repeats.append(_repeated(connection, run, press, row))
    return repeats, doubtful


def _why_unknown(run: Run, row: Row[Any]) -> str | None:
    """Why a call in doubt cannot be made again; None when it can, or when it is not in doubt."""
    if not row.in_doubt:
        return None
    if run.channel.adapter.idempotency is not Idempotency.IDEMPOTENT:
        return "a worker stopped during the call"
    if row.provider not in run.providers:
        return "its provider is no longer configured"
    if row.age > run.channel.adapter.dedupes_for:
        return "in doubt for longer than its provider remembers calls"
    return None


def _repeated(connection: Connection, run: Run, press: Press, row: Row[Any]) -> Step:
    edition = run.edition
    if row.revision != run.batch.revision:
        # The same key must carry the same words, although the broadcast has moved on to a newer revision.
        edition = press.edition(connection, run.batch.slug, row.revision, run.channel, Phase(run.batch.phase))
    return repeat(run, edition, row, recipients.by_ids(connection, row.members))
