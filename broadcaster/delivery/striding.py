"""Striding: which calls one stride writes down together, and for how long it holds. Pure.

A call of a provider that dedupes may be written down well before it is made: after a kill it is made again under its
key, whether or not it was made. A provider that does not gets one call at a time, because every row that stands may
have been seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from broadcaster.channels.base import Idempotency, idempotency_of
from broadcaster.channels.provider import Quota
from broadcaster.delivery.run import Run, Step

MOST_CALLS = 20
"""Calls that one stride writes down at most."""
LONGEST = 1.0
"""Seconds after which outcomes are recorded and the lease is renewed, whatever is still to be made of a stride."""

_UNLIMITED = Quota()


def is_unlimited(step: Step) -> bool:
    """Whether the call's provider has no quota at all."""
    return step.provider.quota == _UNLIMITED


def calls_of(run: Run, first: Step, rest: Iterable[Step]) -> list[Step]:
    """The calls that are written down with `first`, itself included, out of `rest`, which come after it."""
    if not strides(run, first):
        return [first]
    return [first, *islice((step for step in rest if strides(run, step)), MOST_CALLS - 1)]


def strides(run: Run, step: Step) -> bool:
    """Whether a call may be written down well before it is made.

    One in doubt stands already; one that a quota limits is counted when it is its turn.
    """
    dedupes = idempotency_of(run.channel, step.provider) is Idempotency.IDEMPOTENT
    return dedupes and not step.doubt and is_unlimited(step)
