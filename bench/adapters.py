"""What an adapter costs: messages a second through its stand-in, beside a bare loop with the same requests."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench import announcements
from bench.bare import publish_all, requests_of, send_all
from bench.load import load
from broadcaster.announcement.model import Announcement
from broadcaster.audience.generated import generated_followers, generated_people
from broadcaster.channels.base import Call, Channel, Member, adapter_of
from broadcaster.channels.followers.drafts import content
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.registry import REGISTERED as PARTNERS
from broadcaster.channels.simulation import SPECIAL_ENDINGS
from broadcaster.channels.sms.drafts import draft
from broadcaster.channels.sms.mainland import MainlandOptions
from broadcaster.channels.supplier import WEBHOOK
from broadcaster.channels.transport import Answer, Request, Transport
from broadcaster.errors import StateError
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.message import Message
from broadcaster.rendering.renderer import render
from broadcaster.sandbox.partners import PARTNERS as STANDING_IN
from broadcaster.sandbox.partners import secret_of
from broadcaster.sandbox.site import write_sandbox_site
from broadcaster.settings import Settings
from broadcaster.site import read_site, resolve
from broadcaster.stack import HOST, Stack, environment, free_port, programs

LANGUAGE = "zh-Hans"
TENCENT = {"secret_id": "AKID-of-the-bench", "sdk_app_id": "14000001"}
REPEATS = 9
DRAFT = "/cgi-bin/draft/add"
PARTNER = next(iter(STANDING_IN))
"""One of those whom the sandbox stands in for."""


@dataclass(frozen=True, slots=True)
class Adapted:
    """One adapter. Rates are medians of several runs in turn; `ratio` is that of two runs that followed each other.

    So a machine that is slower for a while is so for both of them.
    """

    channel: str
    supplier: str
    members_per_call: int
    messages_per_s: float
    bare_messages_per_s: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Row:
    """An adapter to measure: how its provider is configured, and how many calls a run has."""

    channel: str
    supplier: str
    calls: int
    members: int
    more: dict[str, Any]


def measure(folder: Path, scale: float = 1.0) -> list[Adapted]:
    """Measure every adapter that can be called as fast as one can.

    A group bot takes twenty messages a minute, and an account that sends to its followers a few articles a day.
    """
    folder.mkdir(parents=True)
    messages = {slug: _message(slug) for slug in ("sms", "wechat", "followers", PARTNERS.slug)}
    rows = _rows(messages)
    port = free_port()
    with load(folder / "logs") as callbacks:
        stand_ins: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            if row.channel != PARTNERS.slug:
                stand_ins.setdefault(row.channel, []).append({"name": row.supplier, **row.more})
        partner = secret_of(folder, PARTNER)
        url = f"http://{HOST}:{port}"
        site_file = write_sandbox_site(
            folder, sandbox_url=url, public_url=callbacks.url, stand_ins=stand_ins, timeout_seconds=15
        )
        settings = Settings(data=folder)
        stack = Stack(folder / "logs", environment(settings))
        try:
            wanted = programs(settings, web_port=port, sandbox_port=port)
            stack.start(program for program in wanted if program.name == "sandbox")
            address = f"{url}/{PARTNERS.slug}/{PARTNER}"
            providers = {**_providers(site_file), (PARTNERS.slug, WEBHOOK): Provider(PARTNER, address, partner)}
            scaled = [replace(row, calls=max(3, int(row.calls * scale))) for row in rows]
            return [_measure(row, providers[row.channel, row.supplier], messages) for row in scaled]
        finally:
            stack.stop()


def _rows(messages: Mapping[str, Message]) -> list[Row]:
    sms = messages["sms"]
    kannel = {"supplier": "kannel", "options": {"username": "bench", "sender": "12333"}}
    publish = {"supplier": "publish", "options": {"appid": "wx20220226"}}
    return [
        Row("sms", "webhook", 100, 100, {}),
        Row("sms", "aliyun", 100, 100, _mainland("aliyun", sms, access_key_id="LTAI-of-the-bench")),
        Row("sms", "tencent", 100, 100, _mainland("tencent", sms, **TENCENT)),
        Row("sms", "kannel", 300, 1, kannel),
        Row("wechat", "webhook", 300, 1, {}),
        Row("wechat", "publish", 100, 1, publish),
        Row("followers", "official", 300, 1, _service_account(messages["followers"])),
        Row(PARTNERS.slug, WEBHOOK, 300, 1, {}),
    ]


def _mainland(supplier: str, message: Message, **options: str) -> dict[str, Any]:
    """An account that has approved the message, whatever its variables hold."""
    kind = CHANNELS["sms"].suppliers[supplier].options
    assert issubclass(kind, MainlandOptions)  # noqa: S101 - of both
    row = draft(message, kind.syntax)
    code = "SMS_1" if supplier == "aliyun" else "1"
    template = {"phase": str(row.phase), "language": row.language, "code": code, "text": row.text}
    signature = message.parts["text"].partition("】")[0].removeprefix("【")
    more = {"sign_name": {LANGUAGE: signature}, "templates": [template], "parameter_length": 35, **options}
    return {"supplier": supplier, "options": more}


def _service_account(message: Message) -> dict[str, Any]:
    """An account that has the template of the message."""
    template = {"template_id": "A" * 43, "language": LANGUAGE, "text": content(message.parts["text"])}
    return {"supplier": "official", "options": {"appid": "wx20220312", "templates": [template]}}


@functools.cache
def _announcement() -> Announcement:
    return announcements.at_once("bench").announcement


def _message(slug: str) -> Message:
    return render(Templates(), CHANNELS[slug].spec, _announcement(), Phase.NOTICE, LANGUAGE)


def _providers(site_file: Path) -> dict[tuple[str, str], Provider]:
    site = read_site(site_file, CHANNELS)
    return {
        (slug, row.name): resolve(row, site_file.parent, channel, site.public_url)
        for slug, channel in CHANNELS.items()
        for row in site.providers(slug)
    }


def _measure(row: Row, provider: Provider, messages: dict[str, Message]) -> Adapted:
    channel = CHANNELS[row.channel]
    prepare = _publishing if row.supplier == "publish" else _sending
    ours: list[float] = []
    bare: list[float] = []
    # Taken in turns; what each needs beforehand is not counted.
    for number in range(REPEATS):
        first, second = (_calls(row, messages[row.channel], 2 * number + turn) for turn in (0, 1))
        ours.append(_ours(channel, provider, first))
        bare.append(prepare(channel, provider, second)())
    count = row.calls * row.members
    ratio = median(without / needed for needed, without in zip(ours, bare, strict=True))
    rounded = round(count / median(ours), 1), round(count / median(bare), 1), round(ratio, 3)
    return Adapted(row.channel, row.supplier, row.members, *rounded)


def _calls(row: Row, message: Message, run: int) -> list[Call]:
    """So many calls that nobody has made before."""
    addresses = _addresses(row, row.calls * row.members)
    found = []
    for number in range(row.calls):
        some = addresses[number * row.members : (number + 1) * row.members]
        members = tuple(
            Member(number * row.members + place, address, LANGUAGE) for place, address in enumerate(some, 1)
        )
        found.append(_call(row, message, f"{run:04}{number:028}", members))
    return found


def _addresses(row: Row, number: int) -> list[str]:
    """So many recipients of a channel: people, or the one account or endpoint again and again."""
    if people := _PEOPLE.get(row.channel):
        return [address for address, *_ in people(number, SPECIAL_ENDINGS)]
    return [PARTNER if row.channel == PARTNERS.slug else row.supplier] * number


_PEOPLE = {"sms": generated_people, "followers": generated_followers}


def _call(row: Row, message: Message, key: str, members: tuple[Member, ...]) -> Call:
    start = _announcement().window.start
    return Call(
        key=key,
        channel=row.channel,
        broadcast="b" * 20,
        announcement="bench",
        revision=1,
        phase=Phase.NOTICE,
        severity="major",
        link="https://notices.example/",
        prepared_at=start,
        expires_at=start,
        members=members,
        messages={LANGUAGE: message},
        document="",
        content=_announcement(),
    )


def _ours(channel: Channel, provider: Provider, calls: Sequence[Call]) -> float:
    transport, adapter = Transport(allow_private=True), adapter_of(channel, provider)
    started = time.monotonic()
    for call in calls:
        if any(row.outcome != "accepted" for row in adapter.send(call, provider, transport)):
            raise StateError(f"{provider.name} did not accept everybody")
    return time.monotonic() - started


def _sending(channel: Channel, provider: Provider, calls: Sequence[Call]) -> Callable[[], float]:
    return partial(send_all, requests_of(channel, provider, calls))


def _publishing(channel: Channel, provider: Provider, calls: Sequence[Call]) -> Callable[[], float]:
    """The draft of the first call, again and again: as long as the others, and as much work for the stand-in."""
    watched = _Watching()
    adapter_of(channel, provider).send(calls[0], provider, watched)
    [drafted] = [request for request in watched.seen if DRAFT in request.url]
    token = drafted.query.get("access_token") or drafted.url.partition("access_token=")[2]
    return partial(publish_all, provider.url, token, [drafted.body] * len(calls))


class _Watching(Transport):
    """A transport that remembers what it sent."""

    def __init__(self) -> None:
        super().__init__(allow_private=True)
        self.seen: list[Request] = []

    def exchange(self, provider: Provider, request: Request) -> Answer:
        """Send it."""
        self.seen.append(request)
        return super().exchange(provider, request)
