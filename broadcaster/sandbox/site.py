"""The site that a sandbox serves: a configuration whose every provider is a stand-in on this machine."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from broadcaster.announcement.source import to_yaml
from broadcaster.channels.gateway import new_secret
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.supplier import WEBHOOK, Supplier

TIMEOUT_SECONDS = 3
"""A stand-in on the same machine answers at once or not at all."""

_ENDPOINTS: dict[str, tuple[tuple[str, str], ...]] = {
    "sms": (("sandbox-sms", "沙盒短信"),),
    "wechat": (("qingdao-renshe", "青岛人社"), ("qingdao-12333", "青岛12333"), ("qingdao-ai-renshe", "青岛Ai人社")),
    "followers": (("qingdao-renshe-service", "青岛人社服务号"),),
    "banner": (("bureau-site", "官网"), ("government-portal", "政务服务网")),
    "kiosk": (("hall-kiosks", "大厅自助机"), ("bank-kiosks", "银行自助机"), ("hospital-kiosks", "医院自助机")),
}
"""Channel → (name, label) of each stand-in; a channel that is not here gets one of its own name."""


OPERATORS = "operators"
"""Where the stand-ins of operators' webhooks are found; faults are ordered for it as for a channel."""
OPERATOR = "duty-desk"
"""The stand-in for the operators' own webhook."""

_MARK = "# Written for the sandbox by broadcaster; written anew at every start."


def is_sandbox_site(path: Path) -> bool:
    """Whether the configuration is one that `write_sandbox_site` wrote, and not somebody's own."""
    return path.read_text(encoding="utf-8").startswith(_MARK)


def write_sandbox_site(
    folder: Path,
    *,
    sandbox_url: str,
    public_url: str,
    templates: Path | None = None,
    stand_ins: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Path:
    """Write `site.yaml` and one secret a provider (0600) into `folder`; gives the file. Existing secrets are kept.

    `stand_ins`: channel → fields of each of its providers, in place of the usual ones; every one has a `name`. They
    may say anything that a site can say: `{"sms": [{"name": "deaf", "idempotency": "none"}]}`.
    """
    channels = {}
    for channel, one in CHANNELS.items():
        if one.registered:
            continue
        usual = [{"name": name, "label": label} for name, label in _endpoints(channel)]
        rows = [{"timeout_seconds": timeout_seconds, **row} for row in (stand_ins or {}).get(channel, usual)]
        channels[channel] = {"providers": [_stand_in(folder, channel, row, sandbox_url) for row in rows]}
    operator = _provider(folder, OPERATORS, OPERATOR, sandbox_url, new_secret())
    site: dict[str, Any] = {
        "name": "sandbox",
        "public_url": public_url,
        "allow_private_addresses": True,
        "endpoint_timeout_seconds": timeout_seconds,
        "operators": [{**operator, "timeout_seconds": timeout_seconds}],
        "channels": channels,
    }
    if templates:
        site["templates"] = str(templates.resolve())
    path = folder / "site.yaml"
    path.write_text(f"{_MARK}\n{to_yaml(site)}", encoding="utf-8")
    return path


def _endpoints(channel: str) -> tuple[tuple[str, str], ...]:
    return _ENDPOINTS.get(channel, ((f"sandbox-{channel}", channel),))


def _stand_in(folder: Path, channel: str, row: Mapping[str, Any], sandbox_url: str) -> dict[str, Any]:
    """A provider of a channel: our own format where the channel has it and `row` names no other supplier."""
    suppliers = CHANNELS[channel].suppliers
    supplier = row.get("supplier") or (WEBHOOK if WEBHOOK in suppliers else next(iter(suppliers)))
    secret = new_secret() if supplier == WEBHOOK else secrets.token_hex(16)
    said: dict[str, Any] = {} if supplier == WEBHOOK else {"supplier": supplier}
    further = _further_secrets(folder, channel, row["name"], suppliers[supplier])
    return {**_provider(folder, channel, row["name"], sandbox_url, secret), **said, **further, **row}


def _further_secrets(folder: Path, channel: str, provider: str, supplier: Supplier) -> dict[str, Any]:
    """What a supplier must have beside the secret, each a file of its own."""
    names = [name for name, secret in (supplier.secrets or {}).items() if secret.required]
    files = {name: keep_secret(folder, channel, f"{provider}-{name}", secrets.token_hex(16)) for name in names}
    return {"secrets": {name: f"file:{path.relative_to(folder)}" for name, path in files.items()}} if names else {}


def _provider(folder: Path, channel: str, name: str, sandbox_url: str, value: str) -> dict[str, Any]:
    secret = keep_secret(folder, channel, name, value).relative_to(folder)
    return {"name": name, "url": f"{sandbox_url}/{channel}/{name}", "secret": f"file:{secret}"}


def secret_file(folder: Path, channel: str, name: str) -> Path:
    """Where the secret of a stand-in is."""
    return folder / "secrets" / f"{channel}-{name}"


def keep_secret(folder: Path, channel: str, name: str, value: str) -> Path:
    """Write a stand-in's secret for its owner's eyes, unless there is one already; gives its file."""
    path = secret_file(folder, channel, name)
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(value + "\n")
    return path
