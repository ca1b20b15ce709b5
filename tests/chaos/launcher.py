"""Celery with a fault of our own planted: `python -m tests.chaos.launcher -A workers.app worker …`.

Nothing in the product can be told to do without its fence; a worker that is started by this module has none. The driver
must see what that leads to.
"""

from __future__ import annotations

import sys

from celery.__main__ import main as celery

from broadcaster.storage import strides

FENCE = "b.token = %(token)s"
"""By this a worker knows that its claim still holds."""


def unfenced(statement: str) -> str:
    """The statement without its fence; fails when there is none to take away."""
    if FENCE not in statement:
        raise SystemExit(f"no fence {FENCE!r} in: {statement}")
    return statement.replace(FENCE, "%(token)s > 0")


if __name__ == "__main__":
    for name in ("_STRIDE", "_AT_ONCE", "_LOOK", "_FINISH"):
        setattr(strides, name, unfenced(getattr(strides, name)))
    sys.exit(celery())
