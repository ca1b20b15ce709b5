"""Pools of people: whoever is found by one kind of address. How it is written in a file, read, and shown masked.

Everything that brings people in, counts them or leaves them out takes the pool as a value,
and knows no other difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from broadcaster.audience import openid, phone
from broadcaster.channels.base import AddressKind, Channel
from broadcaster.channels.registry import CHANNELS
from broadcaster.errors import InputError
from broadcaster.storage.audiences import PEOPLE


@dataclass(frozen=True, slots=True)
class Pool:
    """People who are found by one kind of address; `name` is what the database calls them."""

    name: str
    kind: AddressKind
    noun: str
    """What people call such an address."""
    read: Callable[[str], str]
    """The address in its one form; raises ValueError that says what is wrong, without the address."""
    masked: Callable[[str], str]
    """The address as it may be shown."""
    example: str

    @property
    def column(self) -> str:
        """Where a file has it."""
        return str(self.kind)


PHONES = Pool(PEOPLE, AddressKind.PHONE, "number", phone.e164, phone.masked, "such as 13800138000 or +8613800138000")
"""People with a phone, whom every channel that needs one shares."""


def pool_of(channel: Channel) -> Pool:
    """The people whom a channel reaches."""
    if channel.addressed_by is AddressKind.PHONE:
        return PHONES
    example = "28 letters, digits, - and _, as the account's own list of followers has them"
    return Pool(channel.pool, AddressKind.OPENID, "openid", openid.openid, openid.masked, example)


def pool_named(slug: str) -> Pool:
    """The people of a channel, those with a phone without one; raises InputError where it reaches none."""
    reaching = {name: channel for name, channel in CHANNELS.items() if channel.reaches_people}
    if slug and slug not in reaching:
        hint = f"channels that reach people: {', '.join(reaching)}"
        raise InputError.one(f"--channel: {slug!r} reaches no people", hint=hint)
    return pool_of(reaching[slug]) if slug else PHONES


def shown(*, in_full: bool) -> Mapping[str, tuple[str, Callable[[str], str]]]:
    """Pool → the column of its addresses in a table of people, and how one stands there: in full, or masked."""
    return {name: (pool.column, str if in_full else pool.masked) for name, pool in pools().items()}


def pools() -> Mapping[str, Pool]:
    """Every pool of people by its name."""
    found = [PHONES, *(pool_of(channel) for channel in CHANNELS.values() if channel.reaches_people)]
    return {pool.name: pool for pool in found}
