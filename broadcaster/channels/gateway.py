"""The adapter of every channel that is reached by a signed webhook of our own format.

The receiver dedupes on `webhook-id`, so a call may be repeated. One that cannot dedupe may answer questions instead,
and is then configured as `queryable`. A 2xx answer accepts every member, but those that its JSON body names:
`{"rejected": [{"id": "17", "reason": "…"}], "reference": "…"}`. An account says in `replaced` what it did with the
earlier posts that the call replaces. Channels differ in their payload only.
"""

from __future__ import annotations

import base64
import codecs
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from broadcaster.channels import receipts
from broadcaster.channels.call import Action, Call, Delivery, Fate, Outcome, Predecessor
from broadcaster.channels.provider import Idempotency, Provider
from broadcaster.channels.supplier import Supplier
from broadcaster.channels.transport import Transport
from broadcaster.errors import AmbiguousError

Payload = Callable[[Call, Provider], Mapping[str, Any]]


class WebhookAdapter:
    """Posts a channel's payload to the provider's URL."""

    idempotency = Idempotency.IDEMPOTENT
    dedupes_for = timedelta(hours=23)
    """Our format asks 24 hours of a receiver; a claim that repeats many calls, and waits for each, takes a while."""
    visible_after = timedelta(minutes=6)
    """A receiver refuses a signature of five minutes ago, and shows what it accepted within the sixth."""

    def __init__(self, kind: str, payload: Payload, members_per_call: int) -> None:
        self.members_per_call = members_per_call
        self._kind = kind
        self._payload = payload

    def send(self, call: Call, provider: Provider, transport: Transport) -> list[Delivery]:
        """One delivery a member; raises what the transport raises when the call as a whole failed."""
        data = {**_common(call), **self._payload(call, provider)}
        answer = transport.post_event(provider, call.key, self._kind, call.prepared_at, data)
        return _read_answer(call, provider, answer)

    def ask(self, call: Call, provider: Provider, transport: Transport) -> list[Delivery] | None:
        """What the call was answered, read as it would have been then; None when the receiver never saw it."""
        answer = transport.get_event(provider, call.key)
        return None if answer is None else _read_answer(call, provider, answer)


def new_secret() -> str:
    """A webhook secret that nobody has seen yet."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def wrong_secret(secret: str) -> str | None:
    """What is wrong with a webhook secret."""
    try:
        Webhook(secret)
    except (ValueError, RuntimeError, EmptyWebhookSecretError):
        return "it is not a webhook secret (whsec_ and at least 24 random bytes in base64)"
    return None


def webhook(kind: str, payload: Payload, members_per_call: int) -> Supplier:
    """The supplier that speaks our own format, for a channel with this type of event and payload."""
    return Supplier(WebhookAdapter(kind, payload, members_per_call), receipts.hear, wrong_secret=wrong_secret)


def _common(call: Call) -> dict[str, Any]:
    return {
        "broadcast": call.broadcast,
        "announcement": call.announcement,
        "revision": call.revision,
        "phase": str(call.phase),
        "expires_at": call.expires_at.isoformat(),
    }


def _read_answer(call: Call, provider: Provider, answer: bytes) -> list[Delivery]:
    """A 2xx accepts everybody whom a JSON object does not refuse; other bodies, such as `OK`, say nothing more."""
    answer = answer.removeprefix(codecs.BOM_UTF8)  # some systems write one before everything
    if not answer.lstrip().startswith(b"{"):
        replaced = _fates(call, None)
        return [Delivery(member.id, Outcome.ACCEPTED, "", "", replaced) for member in call.members]
    try:
        said = json.loads(answer)
        replaced = _fates(call, said.get("replaced"))
        refused = {str(row["id"]): str(row.get("reason") or "") for row in said.get("rejected") or ()}
        reference = str(said.get("reference") or "")
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        # The public may well have seen it; but who of them, nobody can tell.
        raise AmbiguousError(f"{provider.name} answered something that cannot be read") from None
    accepted = [Delivery(member.id, Outcome.ACCEPTED, "", reference, replaced) for member in call.members]
    return [_unless_refused(delivery, refused) for delivery in accepted] if refused else accepted


def _unless_refused(accepted: Delivery, refused: Mapping[str, str]) -> Delivery:
    reason = refused.get(str(accepted.recipient_id))
    if reason is None:
        return accepted
    words = reason or "refused without a reason"
    return Delivery(accepted.recipient_id, Outcome.REJECTED, words, accepted.reference)


def _fates(call: Call, said: object) -> tuple[Fate, ...]:
    """What the receiver did with each post that the call replaces; the post itself is accepted whatever it says."""
    rows = [row for row in said if isinstance(row, dict)] if isinstance(said, list) else []
    return tuple(_fate(post, rows) for post in call.replaces)


def _fate(post: Predecessor, rows: list[dict[str, Any]]) -> Fate:
    known = {post.broadcast, post.reference} - {""}
    row = next((row for row in rows if {str(row.get("broadcast")), str(row.get("reference"))} & known), None)
    if row is None:
        return Fate(post.broadcast, Action.LEFT, "nothing was said of it")
    reason = str(row.get("reason") or "")
    action = str(row.get("action"))
    if action in _ACTIONS:
        return Fate(post.broadcast, Action(action), reason)
    return Fate(post.broadcast, Action.LEFT, reason or "what was done is not known")


_ACTIONS = frozenset(map(str, Action))
