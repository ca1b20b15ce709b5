"""Official accounts that publish: the article stands on the account's page, and no follower is woken.

Publishing has no key to dedupe on. What became of a call is asked: its mark stands in the address behind "read more" of
what is published, or of a draft that still lies in the box. Only the submission itself can lead to something seen.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from broadcaster.channels.call import Action, Call, Delivery, Fate, Outcome, Predecessor
from broadcaster.channels.official import draft, wire
from broadcaster.channels.official.call import mark, refuse_if_late, take_down
from broadcaster.channels.official.client import Client
from broadcaster.channels.official.events import ARTICLES, hears
from broadcaster.channels.official.options import SECRETS, AccountOptions, appid_of
from broadcaster.channels.official.probe import probe
from broadcaster.channels.provider import Idempotency, Provider
from broadcaster.channels.supplier import Supplier
from broadcaster.channels.transport import Transport
from broadcaster.errors import AmbiguousError, TransientError

PAGES = 3
"""Of the newest articles and drafts, 20 each, in which a call is looked for."""


class PublishAdapter:
    """One call publishes the article of one account."""

    idempotency = Idempotency.QUERYABLE
    dedupes_for = timedelta(hours=23)
    visible_after = timedelta(minutes=30)
    """Publishing goes on behind the scenes, checks included, and shows nowhere until it is done."""
    members_per_call = 1

    def send(self, call: Call, provider: Provider, transport: Transport) -> list[Delivery]:
        """See `Adapter`; the reference of the delivery is the platform's `publish_id`."""
        client = Client(provider, transport)
        media_id = draft.add(client, lambda cover: wire.article(call, cover, mark(call)))
        try:
            refuse_if_late(provider, transport, self.visible_after)
            reference = client.call(wire.SUBMIT, {"media_id": media_id}).text("publish_id")
        except TransientError:
            draft.drop(client, media_id)
            raise
        return [_accepted(call, client, reference)]

    def ask(self, call: Call, provider: Provider, transport: Transport) -> list[Delivery] | None:
        """See `Adapter`; here the reference is the `article_id`, for nothing else is known of a lost answer.

        The event of the publication names it too.

        A draft of the call that was never submitted is taken out of the box: so nobody can submit it any more.
        """
        if not wire.marked(call.link, mark(call)):
            raise AmbiguousError(f"{provider.name}: an article without a link cannot be found again")
        client = Client(provider, transport)
        for row in client.items(wire.LIST_PUBLISHED, PAGES):
            if _has_mark(row, mark(call)):
                return [_accepted(call, client, str(row["article_id"]))]
        for row in client.items(wire.LIST_DRAFTS, PAGES):
            if _has_mark(row, mark(call)):
                client.call(wire.DELETE_DRAFT, {"media_id": row["media_id"]})
        return None


def _accepted(call: Call, client: Client, reference: str) -> Delivery:
    replaced = take_down(call, client.provider, lambda post: _delete(client, post))
    return Delivery(call.members[0].id, Outcome.ACCEPTED, "", reference, replaced)


def _has_mark(row: dict[str, Any], wanted: str) -> bool:
    return any(wire.mark_of(str(one.get("content_source_url", ""))) == wanted for one in _articles(row))


def _articles(row: dict[str, Any]) -> list[dict[str, Any]]:
    content = row.get("content")
    found = content.get("news_item") if isinstance(content, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _delete(client: Client, post: Predecessor) -> Fate:
    """Take an article down, which is known by the `publish_id` of its call, or by its own `article_id`."""
    article_id = post.reference
    if post.reference.isdecimal():
        said = client.call(wire.PUBLISH_GET, {"publish_id": post.reference})
        status = said.number("publish_status")
        if status == wire.PUBLISHING:
            return Fate(post.broadcast, Action.LEFT, "the platform is still publishing it")
        if status != wire.PUBLISHED:
            return Fate(post.broadcast, Action.DELETED, f"it is not published (status {status})")
        article_id = said.text("article_id")
    said = client.post(wire.PUBLISH_DELETE, {"article_id": article_id})
    if said.code != wire.UNKNOWN_ARTICLE:
        said.check()
    return Fate(post.broadcast, Action.DELETED)


PUBLISH = Supplier(
    PublishAdapter(),
    hears(ARTICLES),
    AccountOptions,
    wire.API,
    secrets=SECRETS,
    account=appid_of,
    probe=partial(probe, wire.SUBMIT),
)
