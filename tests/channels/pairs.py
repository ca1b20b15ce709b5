"""How a provider of every channel and supplier is configured for the cases that all of them are held to.

A new supplier is one entry: its stand-in is found by its name, its further secrets by what it declares.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest

from broadcaster.channels.base import Idempotency
from broadcaster.channels.gateway import new_secret
from broadcaster.channels.official.options import AccountOptions, MassOptions
from broadcaster.channels.options import NO_OPTIONS, Options
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.sms.kannel.options import KannelOptions
from broadcaster.channels.supplier import WEBHOOK
from broadcaster.channels.wecom.adapter import WecomOptions
from tests.channels.stand_ins import StandIn, Street, add
from tests.channels.template_accounts import template_options
from tests.channels.vendors import options_of

Pair = tuple[str, str]
SHORTEST = timedelta(seconds=10)
"""The site's own word on when a "never seen" counts: no test waits for the adapter's."""


def _nothing() -> Options:
    return NO_OPTIONS


def _secret() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a site would say of a provider."""

    options: Callable[[], Options] = _nothing
    secret: Callable[[], str] = _secret
    """A new one."""
    classes: tuple[Idempotency | None, ...] = (None,)
    """What the site may say that repeating means there; None: nothing, so that the adapter's own class counts."""
    calls_back: bool = True
    """Whether it sends receipts."""


OURS = Entry(secret=new_secret, classes=tuple(Idempotency))
"""Our own format, which asks every receiver to dedupe, and takes the site's word for one that cannot."""

ENTRIES: Mapping[Pair, Entry] = {
    ("sms", WEBHOOK): OURS,
    ("sms", "aliyun"): Entry(partial(options_of, "aliyun")),
    ("sms", "tencent"): Entry(partial(options_of, "tencent")),
    ("sms", "kannel"): Entry(lambda: KannelOptions(username="hrss", sender="10691234")),
    ("wechat", WEBHOOK): OURS,
    ("wechat", "mass"): Entry(lambda: MassOptions(appid="wx0123456789abcdef")),
    ("wechat", "publish"): Entry(lambda: AccountOptions(appid="wx0123456789abcdef")),
    ("followers", WEBHOOK): OURS,
    ("followers", "official"): Entry(template_options),
    ("banner", WEBHOOK): OURS,
    ("kiosk", WEBHOOK): OURS,
    ("wecom", "wecom"): Entry(WecomOptions, calls_back=False),
    ("webhook", WEBHOOK): Entry(secret=new_secret, classes=tuple(Idempotency), calls_back=False),
}

PAIRS: tuple[Pair, ...] = tuple((slug, word) for slug, channel in CHANNELS.items() for word in channel.suppliers)
"""Every channel of the registry with each of its suppliers."""


@dataclass(frozen=True, slots=True)
class Case:
    """A pair, and what the site says of the provider's class."""

    slug: str
    supplier: str
    said: Idempotency | None

    def __str__(self) -> str:
        return "-".join((self.slug, self.supplier, *([self.said] if self.said else ())))

    @property
    def entry(self) -> Entry:
        """How its provider is configured."""
        return ENTRIES[self.slug, self.supplier]

    @property
    def idempotency(self) -> Idempotency:
        """What repeating a call means there: the site's word, else the adapter's."""
        return self.said or CHANNELS[self.slug].suppliers[self.supplier].adapter.idempotency

    def open(self, street: Street) -> StandIn:
        """A new stand-in, for which all goes well."""
        street.faults.cancel()
        can_be_sure = self.idempotency is not Idempotency.NONE
        return add(
            street,
            CHANNELS[self.slug],
            self.said,
            SHORTEST if can_be_sure else None,
            supplier=self.supplier,
            secret=self.entry.secret(),
            options=self.entry.options(),
        )


def _cases() -> Iterator[Case]:
    """A pair without an entry has none; `test_pairs` says which."""
    for slug, supplier in PAIRS:
        if entry := ENTRIES.get((slug, supplier)):
            for said in entry.classes:
                yield Case(slug, supplier, said)


CASES: tuple[Case, ...] = tuple(_cases())


def of_class(*classes: Idempotency) -> pytest.MarkDecorator:
    """The cases of these classes."""
    return pytest.mark.parametrize("case", [case for case in CASES if case.idempotency in classes], ids=str)


every_case = of_class(*Idempotency)
idempotent = of_class(Idempotency.IDEMPOTENT)
not_idempotent = of_class(Idempotency.QUERYABLE, Idempotency.NONE)
queryable = of_class(Idempotency.QUERYABLE)
not_queryable = of_class(Idempotency.IDEMPOTENT, Idempotency.NONE)
calling_back = pytest.mark.parametrize("case", [case for case in CASES if case.entry.calls_back], ids=str)
never_calling_back = pytest.mark.parametrize("case", [case for case in CASES if not case.entry.calls_back], ids=str)
