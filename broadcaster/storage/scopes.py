"""Scopes: whom an opened broadcast is for, worked out the same way when its batches are cut and when one is claimed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row

from broadcaster.announcement.facts import Facts
from broadcaster.planning.broadcast import Among
from broadcaster.planning.tellings import true_in
from broadcaster.storage import announcements, audiences, tellings
from broadcaster.storage.announcements import Standing
from broadcaster.storage.believers import Beliefs
from broadcaster.storage.newcomers import untold
from broadcaster.storage.recipients import Scope


def scope_of(connection: Connection, pool: str, row: Row[Any]) -> Scope:
    """The scope of a broadcast's row (`slug`, `channel`, `among`, `audience`, `version`, `retries`, `announcement`)."""
    if row.among == Among.STALE:
        beliefs = replace(believed(connection, row.slug, row.channel, pool), retries=row.retries)
        return Scope(pool, row.version, announcement=row.announcement, beliefs=beliefs, anyone=True)
    kinds = audiences.kinds(connection, pool, row.version, row.audience)
    untold_by = untold(connection, pool, row) if row.among == Among.NEWCOMERS and not row.retries else None
    return Scope(pool, row.version, kinds, row.retries, row.announcement, untold_by)


def believed(connection: Connection, slug: str, channel: str, pool: str) -> Beliefs:
    """What a channel's broadcasts told, against what is true of the announcement now."""
    standing = announcements.find(connection, slug)
    assert standing is not None  # noqa: S101 - a foreign fact: it has broadcasts
    planned = tellings.facts_of(connection, slug)
    told = tellings.of_channel(connection, slug, channel, planned, standing.finished_at)
    return tellings.beliefs(connection, standing.number, pool, told, _true(standing, planned))


def truth(connection: Connection, standing: Standing) -> Facts:
    """What is true of an announcement in the state in which it stands; nothing before it was ever approved."""
    return _true(standing, tellings.facts_of(connection, standing.slug))


def _true(standing: Standing, planned: Mapping[int, Facts]) -> Facts:
    if standing.approved_revision is None:
        return {}
    return true_in(standing.state, planned[standing.approved_revision], standing.finished_at)
