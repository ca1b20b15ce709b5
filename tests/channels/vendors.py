"""Vendors with formats of their own: a provider of each, with templates approved for the example, and its stand-in."""

from __future__ import annotations

import functools
import queue
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from fastapi import FastAPI

from broadcaster.channels.base import Call, Channel, Delivery, adapter_of
from broadcaster.channels.callback import Callback
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.simulators import stand_in
from broadcaster.channels.sms.drafts import draft
from broadcaster.channels.transport import Transport
from broadcaster.errors import DeliveryError
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.message import ADDRESSEE, Message
from broadcaster.rendering.renderer import render
from broadcaster.sandbox.archive import Archive
from broadcaster.sandbox.faults import Fault, FaultBook
from broadcaster.sandbox.postman import Letter
from broadcaster.sandbox.stage import SandboxStage
from broadcaster.sandbox.vendors import Door
from tests.channels.samples import EXAMPLE, call
from tests.support.serving import address_of, bound, served

SMS = CHANNELS["sms"]
SIGN_NAMES = dict(EXAMPLE.owner.signature)
TOKEN = "a-token-that-the-vendor-knows"
KEY = "a-secret-of-the-key"
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "aliyun": {"access_key_id": "LTAI-of-the-tests"},
    "tencent": {"secret_id": "AKID-of-the-tests", "sdk_app_id": "1400000001", "parameter_length": 30},
}
"""What each vendor is told beside signature and templates."""


every_supplier = pytest.mark.parametrize("supplier", OPTIONS)
queryable = pytest.mark.parametrize("supplier", ["aliyun"])


class Postbox:
    """In place of the postman: keeps what a stand-in sends."""

    def __init__(self) -> None:
        self.letters: queue.SimpleQueue[Letter] = queue.SimpleQueue()

    def add(self, letter: Letter, _delay: float = 0.0) -> None:
        """Keep it."""
        self.letters.put(letter)

    deliver_now = add

    def callback(self) -> Callback:
        """The next one, as it would come in."""
        return self.letters.get(timeout=10).make()


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor's stand-in served over HTTP, with its books open, and a sample call that reaches it."""

    provider: Provider
    sample: Call
    archive: Archive = field(default_factory=Archive)
    faults: FaultBook = field(default_factory=FaultBook)
    post: Postbox = field(default_factory=Postbox)
    channel: Channel = SMS

    def send(self, sample: Call | None = None, transport: Transport | None = None) -> list[Delivery]:
        """Make the call."""
        adapter, transport = adapter_of(SMS, self.provider), transport or Transport(allow_private=True)
        return list(adapter.send(sample or self.sample, self.provider, transport))

    def ask(self, sample: Call | None = None) -> list[Delivery] | None:
        """Ask about it."""
        transport = Transport(allow_private=True)
        found = adapter_of(SMS, self.provider).ask(sample or self.sample, self.provider, transport)
        return None if found is None else list(found)

    def shown(self) -> list[int]:
        """How often each member of the sample call was shown something."""
        counts = dict(self.archive.shown()).get(self.sample.broadcast, {})
        return [counts.get(member.address, 0) for member in self.sample.members]

    def texts(self) -> set[str]:
        """What phones showed, a sample a language."""
        return {row.parts["text"] for moment in self.archive.moments() for row in moment.samples.values()}

    def order(self, **fields: object) -> None:
        """Order a fault."""
        self.faults.order(Fault.model_validate({"channel": "sms", **fields}))

    def with_options(self, **changes: Any) -> Vendor:
        """The same, told something else than the stand-in was."""
        options = self.provider.options.model_copy(update=changes)
        return replace(self, provider=replace(self.provider, options=options))


def message(phase: Phase = Phase.STARTED, language: str = "zh-Hans") -> Message:
    """A message of the example."""
    return render(Templates(), SMS.spec, EXAMPLE, phase, language)


@functools.cache
def _everything() -> tuple[Message, ...]:
    return tuple(message(phase, language) for phase in Phase for language in EXAMPLE.languages)


def options_of(supplier: str, messages: tuple[Message, ...] | None = None, **more: Any) -> Any:
    """The options of a vendor that has approved what the example says."""
    kind = SMS.suppliers[supplier].options
    drafts = [draft(row, kind.syntax) for row in messages or _everything()]  # type: ignore[attr-defined]
    templates = [
        {"phase": row.phase, "language": row.language, "code": f"{7000 + number}", "text": row.text}
        for number, row in enumerate(drafts)
    ]
    return kind.model_validate({**OPTIONS[supplier], "sign_name": SIGN_NAMES, "templates": templates, **more})


def provider_of(supplier: str, url: str, **more: Any) -> Provider:
    """A provider of the vendor."""
    options = more.pop("options", None) or options_of(supplier)
    return Provider(
        supplier, url, KEY, timeout=5.0, supplier=supplier, options=options, secrets={"callback-token": TOKEN}, **more
    )


def sample_call(language: str = "zh-Hans") -> Call:
    """A call of the example to members of one language."""
    whole = call(SMS)
    members = tuple(member._replace(language=language) for member in whole.members)
    return replace(whole, members=members, messages={language: message(whole.phase, language)})


@contextmanager
def vendor(supplier: str, *, at: str = "", **more: Any) -> Iterator[Vendor]:
    """A vendor's stand-in, at a path below its server's address."""
    socket = bound()
    found = Vendor(provider_of(supplier, f"{address_of(socket)}{at}", **more), sample_call())
    stage = SandboxStage("sms", found.provider, found.archive, found.faults, found.post)  # type: ignore[arg-type]
    app = FastAPI()
    app.mount(at, Door("sms", stand_in("sms", supplier)(stage), found.faults))
    with served(app, socket):
        yield found


def to(found: Vendor, *numbers: str) -> Call:
    """The sample call with these numbers for its first members."""
    members = list(found.sample.members)
    for place, number in enumerate(numbers):
        members[place] = members[place]._replace(address=number)
    return replace(found.sample, members=tuple(members))


def naming(sample: Call, *names: str) -> tuple[Call, Message]:
    """The call with a text that names its reader, to readers of these names."""
    text = sample.messages["zh-Hans"].parts["text"].replace("】", f"】{ADDRESSEE}，您好。", 1)
    personal = Message("sms", sample.phase, "zh-Hans", {"text": text}, ())
    members = tuple(row._replace(name=name) for row, name in zip(sample.members, names, strict=False))
    return replace(sample, members=members, messages={"zh-Hans": personal}), personal


def failure(found: Vendor, sample: Call | None = None, transport: Transport | None = None) -> DeliveryError:
    """How a call fails as a whole."""
    with pytest.raises(DeliveryError) as caught:
        found.send(sample, transport)
    return caught.value
