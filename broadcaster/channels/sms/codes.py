"""What a vendor's error codes mean for a call: tables of data, one a vendor, read in one place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, NamedTuple

from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import Answer, raise_for_status
from broadcaster.errors import AmbiguousError, PermanentError, SpoiltError, TransientError


class Meaning(Enum):
    """What a refusal says about its request."""

    BUSY = "nobody was told; the same request may pass a little later"
    STOP = "nobody was told, and no request will pass before somebody acts"
    ROW = "nobody was told because of one of the numbers"
    IN_DOUBT = "somebody may have been told"


class Code(NamedTuple):
    """A code's meaning, in words for the operator."""

    meaning: Meaning
    words: str


Codes = Mapping[str, Code]
"""Codes, and the families that the part before their first dot names."""


def known_code(codes: Codes, code: str) -> Code | None:
    """What a code means, else what its family does; None: neither is known."""
    return codes.get(code) or codes.get(code.partition(".")[0])


def raise_for_code(provider: Provider, codes: Codes, code: str, retry_after: float | None = None) -> None:
    """Raise what a vendor's code for a whole request means; nothing when it is not known."""
    known = known_code(codes, code)
    if known is None:
        return
    what = f"{provider.name}: {known.words} ({code})"
    if known.meaning is Meaning.BUSY:
        raise TransientError(what, retry_after=retry_after)
    if known.meaning is Meaning.IN_DOUBT:
        raise AmbiguousError(what, retry_after=retry_after)
    raise SpoiltError(what) if known.meaning is Meaning.ROW else PermanentError(what)


def checked(
    provider: Provider, codes: Codes, answer: Answer, find: Callable[[Any], tuple[dict[str, Any], str]]
) -> dict[str, Any]:
    """The body of an answer whose code is OK; raises what any other means. `find` gives a body and its code."""
    try:
        body, code = find(json.loads(answer.body))
    except (ValueError, KeyError, TypeError, RecursionError):
        body, code = {}, ""
    raise_for_code(provider, codes, code, answer.retry_after)
    raise_for_status(provider, answer)
    if code != "OK" or not isinstance(body, dict):
        raise AmbiguousError(f"{provider.name} answered something that is not known")
    return body
