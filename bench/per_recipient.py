"""The arm that the product is compared with: one Celery task a recipient. `bench.peer` is its worker side."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.orm import Session

from bench import peer
from bench.load import Load
from bench.patience import await_
from broadcaster.rendering.message import ADDRESSEE
from broadcaster.settings import Settings
from broadcaster.stack import Program, Stack

WORKERS = 2
PER_READ = 1000
LONGEST = 600.0
"""Seconds until somebody who was not sent to counts as lost."""

Sealed = tuple[int, bytes, bytes, str]
"""Id, handle, sealed address and name, language."""

_AUDIENCE = "SELECT id, handle, sealed, language FROM recipients WHERE pool = '' ORDER BY id LIMIT %s"
_LEFT = "SELECT count(*) FROM peer_notifications WHERE status = 'created'"


def run(settings: Settings, sink: Load, texts: Mapping[str, str], recipients: int, logs: Path) -> float:
    """Send to the first so many of the audience; gives the seconds from the first row to the last one written back."""
    url = make_url(str(settings.database_url)).set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    _prepare(engine, texts)
    variables = {
        peer.DATABASE_VARIABLE: url.render_as_string(hide_password=False),
        peer.BROKER_VARIABLE: str(settings.broker_url),
        peer.KEYS_VARIABLE: str(settings.keys_file.resolve()),
        peer.SINK_VARIABLE: f"{sink.url}/sms/peer",
    }
    peer.app.conf.update(broker_url=settings.broker_url)
    stack = Stack(logs, {**os.environ, **variables})
    try:
        stack.start([_worker()])
        await_(lambda: bool(peer.app.control.ping(timeout=0.5)), "the per-recipient worker", 60)
        started = time.monotonic()
        _process_job(engine, str(settings.database_url), recipients)
        await_(lambda: sink.recipients() >= recipients and not _left(settings), "the last recipient", LONGEST)
        return time.monotonic() - started
    finally:
        stack.stop()
        engine.dispose()


def _process_job(engine: Engine, database_url: str, recipients: int) -> None:
    """As that one works through a job: a row, a commit, a message, one recipient after the other."""
    with psycopg.connect(database_url) as reading, Session(engine) as session:
        for recipient_id, handle, sealed, language in _audience(reading, recipients):
            id_ = uuid.uuid4()
            session.add(
                peer.Notification(
                    id=id_,
                    template_id=language,
                    recipient_id=recipient_id,
                    handle=handle,
                    sealed=sealed,
                    status="created",
                    created_at=datetime.now(UTC),
                )
            )
            session.commit()
            peer.deliver_sms.apply_async((str(id_),), queue=peer.QUEUE)


def _audience(connection: psycopg.Connection[Sealed], recipients: int) -> Iterator[Sealed]:
    with connection.cursor("audience") as cursor:
        cursor.itersize = PER_READ
        cursor.execute(_AUDIENCE, (recipients,))
        yield from cursor


def _prepare(engine: Engine, texts: Mapping[str, str]) -> None:
    peer.Base.metadata.drop_all(engine)
    peer.Base.metadata.create_all(engine)
    with Session(engine) as session:
        for language, text in texts.items():
            session.add(peer.Template(id=language, content=text.replace(ADDRESSEE, "((name))")))
        session.commit()


def _left(settings: Settings) -> int:
    with psycopg.connect(str(settings.database_url)) as connection:
        found = connection.execute(_LEFT).fetchone()
    return int(found[0]) if found else 0


def _worker() -> Program:
    command = (sys.executable, "-m", "celery", "-A", "bench.peer", "worker", "-Q", peer.QUEUE)
    return Program("peer", (*command, "-c", str(WORKERS), "-n", "peer@%h", "-l", "WARNING"))
