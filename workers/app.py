"""The Celery application: a `worker -Q delivery,correction`, another one with `-Q control`, and one `beat`."""

from __future__ import annotations

import gc
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, setup_logging, worker_process_init

from broadcaster import logs
from broadcaster import settings as settings_module
from workers.queues import CONTROL, CORRECTION, DELIVERY
from workers.schedule import SCHEDULE

_settings = settings_module.load()

app = Celery("broadcaster", broker=_settings.broker_url, include=["workers.control", "workers.delivery"])
app.conf.update(
    accept_content=["json"],
    beat_schedule=SCHEDULE,
    # A broker that is away is waited for: Redis is disposable, the database knows what is to be done.
    broker_connection_max_retries=None,
    broker_connection_retry_on_startup=True,
    enable_utc=True,
    task_ignore_result=True,
    task_routes={
        "control.*": {"queue": CONTROL},
        "delivery.*": {"queue": DELIVERY},
        "correction.*": {"queue": CORRECTION},
    },
    task_serializer="json",
    timezone="UTC",
    # The database says what is to be done; a message that a dead worker took is not worth redelivering.
    task_acks_late=False,
    worker_prefetch_multiplier=1,
)


@worker_process_init.connect
def _collect_garbage_seldom(**_: Any) -> None:
    """A batch makes thousands of small objects that go by themselves: looking for cycles took a fifth of its time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


@celeryd_init.connect
@setup_logging.connect
def _configure_logs(**_: Any) -> None:
    """Twice in a worker: what it warns of before it asks for its logs is a JSON line as well."""
    logs.configure(_settings.log_level)
