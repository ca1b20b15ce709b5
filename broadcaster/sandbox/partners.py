"""The partners of a sandbox: who stands in for them, their secrets beside the site's, and their registration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from broadcaster.channels.gateway import new_secret
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import REGISTERED
from broadcaster.operations.endpoints import Registry, checked
from broadcaster.sandbox.site import keep_secret, secret_file
from broadcaster.storage import endpoints
from broadcaster.storage.endpoints import Registration

PARTNERS = {
    "icbc": "工商银行",
    "qingdao-hospital": "青岛市立医院",
    "national-platform": "国家社会保险公共服务平台",
    "civil-affairs": "民政局",
}
"""Name → label of each."""


def register_partners(registry: Registry, folder: Path, sandbox_url: str) -> None:
    """Register those that are not there yet, with secrets in files of `folder`; the others move to here."""
    for name, label in PARTNERS.items():
        url = _address(sandbox_url, name)
        row = endpoints.find(registry.connection, name)
        if row is None:
            wanted = checked(Registration(name, url, label, ""), allow_private=True)
            registry.add(wanted, secret_of(folder, name))
        elif row.url != url:
            endpoints.move(registry.connection, name, url)


def secret_of(folder: Path, name: str) -> str:
    """The secret of a partner; a new one where there is none yet."""
    return keep_secret(folder, REGISTERED.slug, name, new_secret()).read_text(encoding="ascii").strip()


def stand_ins(folder: Path) -> Mapping[str, Provider]:
    """The partners whose secrets are in `folder`, as the sandbox verifies what they receive."""
    found = {}
    for name, label in PARTNERS.items():
        path = secret_file(folder, REGISTERED.slug, name)
        if path.exists():
            secret = path.read_text(encoding="ascii").strip()
            found[name] = Provider(name, "", secret, label=label)
    return found


def _address(sandbox_url: str, name: str) -> str:
    return f"{sandbox_url}/{REGISTERED.slug}/{name}"
