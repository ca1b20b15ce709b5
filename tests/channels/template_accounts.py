"""Accounts that send template messages, at the stand-in of the platform: over real HTTP, with their books open."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from broadcaster.channels.base import Call, Channel
from broadcaster.channels.followers.drafts import drafts
from broadcaster.channels.followers.official.options import TemplateOptions
from broadcaster.channels.official.options import CALLBACK_TOKEN
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.renderer import render
from broadcaster.sandbox.vendors import mount_vendors
from tests.channels import wechat_accounts
from tests.channels.http_server import LocalServer
from tests.channels.samples import EXAMPLE, address, call
from tests.channels.wechat_accounts import APPID, APPSECRET, TOKEN, Platform, platform

TEMPLATE = CHANNELS["followers"]
OPENID = address(TEMPLATE, "001")


@functools.cache
def approved() -> tuple[dict[str, Any], ...]:
    """Templates that give every message of the example, as a site writes them."""
    messages = [
        render(Templates(), TEMPLATE.spec, EXAMPLE, phase, language)
        for phase in Phase
        for language in EXAMPLE.languages
    ]
    return tuple(
        {
            "template_id": f"{number:03}-ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izE",
            "language": row.language,
            "phases": [str(phase) for phase in row.phases],
            "text": row.text,
        }
        for number, row in enumerate(drafts(messages))
    )


def template_options(**fields: object) -> TemplateOptions:
    """What a site says of an account whose templates give the example."""
    return TemplateOptions.model_validate({"appid": APPID, "templates": approved(), **fields})


@dataclass(frozen=True, slots=True)
class Account(wechat_accounts.Account):
    """An account that tells its followers one by one: its call is for one of them."""

    channel: Channel = TEMPLATE

    def to(self, openid: str, **fields: Any) -> Call:
        """Another call, for somebody else."""
        [member] = self.sample.members
        return replace(self.sample, key=uuid.uuid4().hex, members=(member._replace(address=openid),), **fields)

    def shown_to(self, openid: str = OPENID) -> int:
        """How often a follower was shown something of the call's broadcast."""
        return dict(self.platform.archive.shown()).get(self.sample.broadcast, {}).get(openid, 0)


def account(found: Platform, events: LocalServer | None = None, **options: object) -> Account:
    """A new account, and a call that nobody has seen; its events go to a server."""
    mark = uuid.uuid4().hex
    provider = Provider(
        mark,
        f"{found.url}/{TEMPLATE.slug}/{mark}",
        APPSECRET,
        timeout=5.0,
        supplier="official",
        options=template_options(**options),
        secrets={CALLBACK_TOKEN: TOKEN},
        callback_url=events.url if events else "http://127.0.0.1:9",
    )
    mount_vendors(found.app, found.archive, found.faults, found.postman, {TEMPLATE.slug: {mark: provider}})
    sample = call(TEMPLATE, supplier="official")
    members = (sample.members[0]._replace(address=OPENID),)
    return Account(found, provider, replace(sample, broadcast=mark[:20], key=mark, members=members))


@contextmanager
def accounts() -> Iterator[Platform]:
    """A server for the stand-ins of accounts."""
    with platform() as found:
        yield found
