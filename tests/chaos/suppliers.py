"""Whose format a campaign's providers speak, as data: our own, or that of a supplier whose class is its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from broadcaster.channels.base import Idempotency
from broadcaster.channels.supplier import WEBHOOK
from broadcaster.rehearsal.accounts import vendor_accounts
from broadcaster.rendering.environment import Templates
from tests.support.examples import example

Row = Mapping[str, Any]
CALL = 100
"""Recipients of one call, where the supplier takes so many."""
DELAY = 0.35
"""Seconds that a provider takes for a call, so that what is struck is mostly in the middle of one."""


def _gateways(classes: Sequence[Idempotency]) -> Sequence[Row]:
    """One a class, of the same weight."""
    return [{"name": str(kind), "idempotency": str(kind)} for kind in classes]


def _aliyun(classes: Sequence[Idempotency]) -> Sequence[Row]:
    [account] = vendor_accounts(example(), Templates())["sms"]
    return [{**account, "name": str(kind)} for kind in classes]


def _kannel(classes: Sequence[Idempotency]) -> Sequence[Row]:
    options = {"username": "broadcaster", "sender": "12333"}
    return [{"name": str(kind), "supplier": "kannel", "options": options} for kind in classes]


@dataclass(frozen=True, slots=True)
class Spoken:
    """How SMS goes out: the providers of a site for some classes, and what a call of theirs is like."""

    name: str
    providers: Callable[[Sequence[Idempotency]], Sequence[Row]]
    call: int = CALL
    delay: float = DELAY
    people: float = 1.0
    """The part of the usual number of people that is told in about the usual time."""


GATEWAY = Spoken(WEBHOOK, _gateways)
ALIYUN = Spoken("aliyun", _aliyun)
KANNEL = Spoken("kannel", _kannel, call=1, delay=0.05, people=0.1)

ACCOUNTS: Sequence[Row] = [
    {
        "name": f"account-{number}",
        "label": f"账号{number}",
        "supplier": "mass",
        "options": {"appid": f"wx2022{number:04}"},
    }
    for number in range(3)
]
"""WeChat accounts on the platform's format, which dedupes."""
