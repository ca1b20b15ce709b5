"""The logs of a real worker: every line can be read by a program, from its first warning to a task that fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from broadcaster.settings import Settings
from tests.conftest import NOWHERE, Servers
from tests.support.polling import eventually

QUEUE = "control"


@contextmanager
def worker(folder: Path, redis: str) -> Iterator[Path]:
    """A control worker whose database nobody answers for; gives where its standard error goes."""
    variables = {
        **os.environ,
        "BROADCASTER_DATA": str(folder),
        "DATABASE_URL": f"postgresql://clerk:hunter2@{NOWHERE.removeprefix('http://')}/plan",
        "REDIS_URL": redis,
    }
    command = [sys.executable, "-m", "celery", "-q", "-A", "workers.app", "worker", "-Q", QUEUE, "-P", "solo"]
    errors = folder / "errors"
    with errors.open("wb") as stream:
        process = subprocess.Popen([*command, "-l", "INFO"], env=variables, stdout=subprocess.DEVNULL, stderr=stream)
    try:
        yield errors
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def broker(servers: Servers) -> Celery:
    """What puts tasks on the queue."""
    return Celery(broker=Settings(redis_url=servers.redis).broker_url)


def test_every_line_of_a_worker_is_json(tmp_path: Path, servers: Servers, broker: Celery) -> None:
    """Celery's own too; a task that cannot reach its database is told with its traceback, without the password."""
    with worker(tmp_path, servers.redis) as errors:
        broker.send_task("control.tick", queue=QUEUE)
        eventually(lambda: "control.tick" in errors.read_text(encoding="utf-8"), "the task has failed")
    text = errors.read_text(encoding="utf-8")
    found: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    failed = [line for line in found if "control.tick" in line["event"]]
    assert failed[0]["level"] == "error"
    assert "UnreachableError" in failed[0]["exception"]
    assert "hunter2" not in text
