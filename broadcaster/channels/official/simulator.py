"""The stand-in of the platform for one account that puts out articles, whichever way they go out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from broadcaster.channels.official import wire
from broadcaster.channels.official.platform.audience import Audience
from broadcaster.channels.official.platform.box import Box
from broadcaster.channels.official.platform.front import Front, Handle, Order, read
from broadcaster.channels.official.platform.mass import MassDesk
from broadcaster.channels.official.platform.publishing import PublishDesk
from broadcaster.channels.official.platform.tokens import TokenOffice
from broadcaster.channels.simulation import Simulator, Stage, Target

_TARGETS = {wire.SEND_ALL: Target.CALLS, wire.SUBMIT: Target.CALLS, wire.LIST_PUBLISHED: Target.QUESTIONS}
"""What can be seen by the public, and what is asked about it. All else leads up to it."""


def create(stage: Stage) -> Simulator:
    """The stand-in of one account."""
    audience, box = Audience(stage), Box()
    mass, publishing = MassDesk(box, audience, stage.provider.quota), PublishDesk(box, audience, stage)

    def books() -> dict[str, Any]:
        return {"previews": [row[1:] for row in mass.previews], "drafts": box.list({})}

    orders = _orders(mass, publishing, box)
    front = Front(TokenOffice(stage.provider), _paths(box, mass, publishing), orders, books)
    return Simulator(front.app, lambda _method, path, _query, _headers: _TARGETS.get(path))


def _paths(box: Box, mass: MassDesk, publishing: PublishDesk) -> Mapping[str, Handle]:
    quota = {"errcode": 0, "quota": {"daily_limit": 10, "used": 0, "remain": 10}}
    handlers: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        wire.DELETE_MATERIAL: box.delete_material,
        wire.ADD_DRAFT: box.add,
        wire.LIST_DRAFTS: box.list,
        wire.DELETE_DRAFT: box.delete,
        wire.SEND_ALL: mass.send_all,
        wire.PREVIEW: mass.preview,
        wire.MASS_GET: mass.get,
        wire.MASS_DELETE: mass.delete,
        wire.SUBMIT: publishing.submit,
        wire.PUBLISH_GET: publishing.get,
        wire.PUBLISH_DELETE: publishing.delete,
        wire.LIST_PUBLISHED: publishing.list,
        wire.QUOTA_GET: lambda _: quota,
    }
    return {**{path: read(handle) for path, handle in handlers.items()}, wire.ADD_MATERIAL: box.upload}


def _orders(mass: MassDesk, publishing: PublishDesk, box: Box) -> Mapping[str, Order]:
    return {
        "protected": lambda value: setattr(mass, "protected", bool(value)),
        "confirmed": lambda msg_id: mass.confirm(int(msg_id), agreed=True),
        "refused": lambda msg_id: mass.confirm(int(msg_id), agreed=False),
        "mass_verdict": lambda value: setattr(mass, "verdict", str(value)),
        "publish_verdict": lambda value: setattr(publishing, "verdict", int(value)),
        "material": lambda _: box.material.clear(),
    }
