"""The worker side of the per-recipient arm: `celery -A bench.peer worker`.

Shaped after the best-known government notifier, GOV.UK Notify: a row in `notifications` for each recipient, its id on a
queue, and a task that reads the row and its template, commits, renders, posts to the provider, and writes the row back.
Where that one does more (a second task to save the row, a service and a provider to be looked up, statistics), this one
does less, so that nobody can say it was made slow.

Source: github.com/alphagov/notifications-api, app/celery/provider_tasks.py and app/delivery/send_to_providers.py.
"""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import requests
from celery import Celery
from sqlalchemy import BigInteger, DateTime, Engine, ForeignKey, LargeBinary, Text, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from bench.signed import Caller, member
from bench.sink import SECRET_VARIABLE
from broadcaster.vault import Vault, open_vault

QUEUE = "send-sms"
DATABASE_VARIABLE = "BENCH_DATABASE_URL"
BROKER_VARIABLE = "BENCH_BROKER_URL"
KEYS_VARIABLE = "BENCH_KEYS"
SINK_VARIABLE = "BENCH_SINK_URL"

app = Celery("peer", broker=os.environ.get(BROKER_VARIABLE))
app.conf.update(
    accept_content=["json"], enable_utc=True, task_default_queue=QUEUE, task_ignore_result=True, timezone="UTC"
)
"""Everything else, prefetching and acknowledging too, as Celery has it."""


class Base(DeclarativeBase):
    """The tables of the arm."""


class Template(Base):
    """What is said, by language."""

    __tablename__ = "peer_templates"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    content: Mapped[str] = mapped_column(Text)


class Notification(Base):
    """One message to one recipient; who that is stays sealed."""

    __tablename__ = "peer_notifications"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    template_id: Mapped[str] = mapped_column(ForeignKey("peer_templates.id"))
    recipient_id: Mapped[int] = mapped_column(BigInteger)
    handle: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[str] = mapped_column(Text)
    sent_by: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    template: Mapped[Template] = relationship()


@app.task(name="deliver-sms", bind=True, max_retries=48, default_retry_delay=300)
def deliver_sms(self: Any, notification_id: str) -> None:
    """Send one notification."""
    with Session(engine()) as session:
        notification = session.get_one(Notification, uuid.UUID(notification_id))
        if notification.status != "created":
            return
        phone, name = vault().open(notification.handle, notification.sealed)
        text = notification.template.content.replace("((name))", name)
        language, recipient_id = notification.template_id, notification.recipient_id
        # No transaction stays open while the provider is called.
        session.commit()
        try:
            caller().post(notification_id, "peer", [member(recipient_id, phone, language, text)])
        except requests.RequestException as error:
            raise self.retry(exc=error) from error
        notification.status = "sending"
        notification.sent_at = datetime.now(UTC)
        notification.sent_by = "bench-sms"
        session.commit()


@cache
def engine() -> Engine:
    """The database of this process."""
    return create_engine(os.environ[DATABASE_VARIABLE])


@cache
def vault() -> Vault:
    """The keys of this process."""
    return open_vault(Path(os.environ[KEYS_VARIABLE]))


@cache
def caller() -> Caller:
    """The kept connections of this process."""
    return Caller(os.environ[SINK_VARIABLE], os.environ[SECRET_VARIABLE])
