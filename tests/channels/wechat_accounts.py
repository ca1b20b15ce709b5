"""Official accounts at the stand-in of the platform, for tests: served over real HTTP, with their books open."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import requests
from fastapi import FastAPI

from broadcaster.channels.base import Call, Channel, Delivery
from broadcaster.channels.official.options import AES_KEY, CALLBACK_TOKEN
from broadcaster.channels.provider import Provider, Quota
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.shelf import OwnShelf
from broadcaster.channels.transport import Transport
from broadcaster.sandbox.archive import Archive
from broadcaster.sandbox.faults import Fault, FaultBook
from broadcaster.sandbox.postman import Postman
from broadcaster.sandbox.vendors import mount_vendors
from tests.channels.http_server import LocalServer
from tests.channels.samples import call
from tests.support.serving import address_of, bound, served

WECHAT = CHANNELS["wechat"]
APPSECRET = "0123456789abcdef0123456789abcdef"
TOKEN = "a-callback-token"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
APPID = "wx0123456789abcdef"
NONE = Quota()


@dataclass(frozen=True, slots=True)
class Platform:
    """A server for stand-ins, to which each test adds accounts of its own."""

    url: str
    app: FastAPI
    archive: Archive = field(default_factory=Archive)
    faults: FaultBook = field(default_factory=FaultBook)
    postman: Postman = field(default_factory=Postman)


@dataclass(frozen=True, slots=True)
class Account:
    """An account, a call that reaches it, and what its workers share."""

    platform: Platform
    provider: Provider
    sample: Call
    shelf: OwnShelf = field(default_factory=OwnShelf)
    channel: Channel = WECHAT

    @property
    def transport(self) -> Transport:
        """A worker's connections."""
        return Transport(allow_private=True, shelf=self.shelf)

    def send(self, made: Call | None = None, transport: Transport | None = None) -> Delivery:
        """Make a call; gives what became of the account."""
        supplier = self.channel.suppliers[self.provider.supplier]
        [found] = supplier.adapter.send(made or self.sample, self.provider, transport or self.transport)
        return found

    def ask(self, about: Call | None = None) -> Delivery | None:
        """Ask about a call."""
        supplier = self.channel.suppliers[self.provider.supplier]
        found = supplier.adapter.ask(about or self.sample, self.provider, self.transport)
        return found[0] if found else None

    def behave(self, **orders: object) -> dict[str, Any]:
        """Tell the stand-in how to behave; gives its books."""
        answer = requests.patch(f"{self.provider.url}/sandbox", json=orders, timeout=10)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def drafts(self) -> list[dict[str, Any]]:
        """The drafts in the account's box."""
        found: list[dict[str, Any]] = self.behave()["drafts"]["item"]
        return found

    def order(self, **fields: object) -> None:
        """Order a fault."""
        self.platform.faults.order(Fault.model_validate({"channel": self.channel.slug, **fields}))

    def shown(self, made: Call | None = None) -> int:
        """How often the account's followers were shown a call's article."""
        counts = dict(self.platform.archive.shown()).get((made or self.sample).broadcast, {})
        return counts.get(self.provider.name, 0)

    def another_call(self, **fields: Any) -> Call:
        """A call of another broadcast."""
        mark = uuid.uuid4().hex
        return replace(self.sample, broadcast=mark[:20], key=mark, **fields)


@contextmanager
def platform() -> Iterator[Platform]:
    """A server for the stand-ins of accounts."""
    socket = bound()
    found = Platform(address_of(socket), FastAPI())
    found.postman.start()
    with served(found.app, socket):
        yield found


def account(
    found: Platform,
    supplier: str,
    events: LocalServer | None = None,
    *,
    safe: bool = False,
    quota: Quota = NONE,
    **options: object,
) -> Account:
    """A new account, and a call that nobody has seen; its events go to a server, sealed if `safe`."""
    mark = uuid.uuid4().hex
    kind = WECHAT.suppliers[supplier]
    provider = Provider(
        mark,
        f"{found.url}/wechat/{mark}",
        APPSECRET,
        label="青岛人社",
        language="zh-Hans",
        timeout=5.0,
        supplier=supplier,
        options=kind.options.model_validate({"appid": APPID, **options}),
        secrets={CALLBACK_TOKEN: TOKEN, **({AES_KEY: KEY} if safe else {})},
        quota=quota,
        callback_url=events.url if events else "http://127.0.0.1:9",
    )
    mount_vendors(found.app, found.archive, found.faults, found.postman, {"wechat": {mark: provider}})
    return Account(found, provider, replace(call(WECHAT), broadcast=mark[:20], key=mark))
