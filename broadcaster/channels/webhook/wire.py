"""What a partner's answer means (standardwebhooks.com/spec): 2xx is the only success, whatever its body says."""

from __future__ import annotations

from datetime import timedelta

from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import Answer, raise_for_status
from broadcaster.errors import GoneError, PermanentError, TransientError

GONE = 410


def raise_for_partner(provider: Provider, answer: Answer, age: timedelta = timedelta(0)) -> None:
    """Say what a status means for an event.

    A refusal is tried again: a partner mends their side, and the event waits for that as long as it is true. Only
    "gone" is for good. A redirect is a refusal: where it leads was never registered.
    """
    if answer.status == GONE:
        raise GoneError(f"{provider.name} answered {GONE}: it wants no more events")
    try:
        raise_for_status(provider, answer, age)
    except PermanentError as error:
        raise TransientError(error.message, hint=error.hint, retry_after=answer.retry_after) from error
