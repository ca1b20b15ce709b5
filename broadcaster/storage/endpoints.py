"""Partners' endpoints in the database: the registry, its secrets, and the recipients that follow from it."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, text, update

from broadcaster import clock
from broadcaster.channels.provider import PREVIOUS, Provider
from broadcaster.channels.webhook.events import CAN_BE_LEFT_OUT, type_of
from broadcaster.planning.phase import Phase
from broadcaster.storage import audiences, vaults
from broadcaster.storage.tables import endpoints as table
from broadcaster.vault import Vault

_LOCK = 720_712_108
_MARK_BYTES = 16


@dataclass(frozen=True, slots=True)
class Registration:
    """What is registered of an endpoint; `events` are the types that it takes of those that can be left out."""

    name: str
    url: str
    label: str
    language: str
    events: tuple[str, ...] = ()


def own(connection: Connection) -> None:
    """Let nobody else change the registry until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def add(connection: Connection, vault: Vault, row: Registration, secret: str, actor: str, at: datetime) -> None:
    """Write an endpoint with its secret, sealed."""
    vaults.share(connection, vault)
    mark = os.urandom(_MARK_BYTES)
    connection.execute(
        insert(table).values(
            name=row.name,
            url=row.url,
            label=row.label,
            language=row.language,
            events=list(row.events),
            mark=mark,
            secret=vault.seal(mark, secret),
            actor=actor,
            created_at=at,
        )
    )


def find(connection: Connection, name: str) -> Row[Any] | None:
    """An endpoint by name; None when there is none."""
    return connection.execute(select(table).where(table.c.name == name)).one_or_none()


def everyone(connection: Connection) -> list[Row[Any]]:
    """Every endpoint, by name."""
    return list(connection.execute(select(table).order_by(table.c.name)))


def provider_of(row: Row[Any], vault: Vault, timeout: float) -> Provider:
    """An endpoint as the transport calls it, with the secrets that count now; `timeout` is in seconds.

    Raises StateError when its secret does not open.
    """
    secret, _ = vault.open(row.mark, row.secret)
    previous = {PREVIOUS: vault.open(row.mark, row.previous)[0]} if has_previous(row) else {}
    return Provider(
        row.name,
        row.url,
        secret,
        label=row.label,
        language=row.language,
        timeout=timeout,
        secrets=previous,
        phases=_phases(row.events),
        falters=row.failing_since is not None,
    )


def has_previous(row: Row[Any]) -> bool:
    """Whether the secret before the present one still counts."""
    return row.previous is not None and row.previous_until > clock.machine_now()


def _phases(types: Sequence[str]) -> frozenset[Phase] | None:
    """The phases of which an endpoint is told, by the types that it chose; None: all of them."""
    chosen = {phase for phase in Phase if type_of(phase) in types}
    return frozenset(chosen) | (frozenset(Phase) - frozenset(CAN_BE_LEFT_OUT)) if chosen else None


def rotate(connection: Connection, vault: Vault, row: Row[Any], secret: str, until: datetime, at: datetime) -> None:
    """Give an endpoint another secret; the present one counts on `until`, machine time."""
    vaults.share(connection, vault)
    values = {
        "secret": vault.seal(row.mark, secret),
        "previous": row.secret,
        "previous_until": until,
        "rotated_at": at,
    }
    connection.execute(update(table).where(table.c.name == row.name).values(**values))


def move(connection: Connection, name: str, url: str) -> None:
    """Give an endpoint another address."""
    connection.execute(update(table).where(table.c.name == name).values(url=url))


def disable(connection: Connection, name: str, actor: str, reason: str, at: datetime) -> None:
    """Let an endpoint be no recipient any more. `actor` is empty when nobody but the product itself does it."""
    values = {"disabled_at": at, "disabled_by": actor, "disabled_for": reason}
    connection.execute(update(table).where(table.c.name == name).values(**values))


def enable(connection: Connection, name: str) -> None:
    """Let an endpoint be a recipient again, as if it had never failed."""
    nothing = {"disabled_at": None, "failing_since": None, "failed_at": None}
    values = {**nothing, "disabled_by": "", "disabled_for": "", "trouble": ""}
    connection.execute(update(table).where(table.c.name == name).values(**values))


def note_acceptance(connection: Connection, names: Collection[str], at: datetime) -> None:
    """These took an event at `at`, machine time."""
    values = {"accepted_at": at, "failing_since": None, "failed_at": None, "trouble": ""}
    connection.execute(update(table).where(table.c.name.in_(names)).values(**values))


def note_failure(connection: Connection, name: str, since: datetime, at: datetime, trouble: str) -> None:
    """This one failed at `at`, and has since `since`, both machine time."""
    values = {"failing_since": since, "failed_at": at, "trouble": trouble}
    connection.execute(update(table).where(table.c.name == name).values(**values))


def given_up(connection: Connection) -> list[Row[Any]]:
    """The endpoints that the product itself disabled, and nobody has looked after since."""
    wanted = table.c.disabled_at.is_not(None) & (table.c.disabled_by == "")
    return list(connection.execute(select(table).where(wanted).order_by(table.c.name)))


def make_recipients(connection: Connection, pool: str, vault: Vault, at: datetime) -> None:
    """Make the endpoints that are not disabled the newest version of their pool."""
    rows = [(row.name, row.label, row.language, ()) for row in everyone(connection) if row.disabled_at is None]
    audiences.stage(connection, pool, vault, rows)
    audiences.merge(connection, pool, "registry", at, keep_others=False)


def reseal(connection: Connection, vault: Vault) -> int:
    """Seal with the current key what older keys sealed; gives how many endpoints that were."""
    renewed = 0
    for row in everyone(connection):
        sealed = {name: getattr(row, name) for name in ("secret", "previous") if getattr(row, name) is not None}
        old = {name: vault.reseal(row.mark, value) for name, value in sealed.items() if value[0] != vault.current}
        if old:
            connection.execute(update(table).where(table.c.name == row.name).values(**old))
            renewed += 1
    return renewed
