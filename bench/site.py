"""A site whose one SMS provider is a sink, and templates that address each recipient by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.sink import SECRET_VARIABLE
from broadcaster.announcement.source import to_yaml
from broadcaster.rendering.environment import shipped_templates

PROVIDER = "bench-sms"
FAR_ABOVE = 1_000_000.0
"""A pace that is asked about before every call and never reached, in calls a second."""

_TEMPLATES = ("sms/notice.zh-Hans.txt.j2", "sms/notice.en.txt.j2")
_ADDRESS = {"zh-Hans": "{{ addressee }}：", "en": "{{ addressee }}: "}


def write_site(
    folder: Path,
    sink_url: str,
    public_url: str,
    *,
    members_per_call: int,
    calls_per_second: float = FAR_ABOVE,
    personal: bool = True,
) -> None:
    """Write `site.yaml` into a data folder; `personal` texts name whom they are for."""
    provider = {
        "name": PROVIDER,
        "url": f"{sink_url}/sms/{PROVIDER}",
        "secret": f"env:{SECRET_VARIABLE}",
        "members_per_call": members_per_call,
        "pace": {"calls_per_second": calls_per_second},
    }
    site: dict[str, Any] = {
        "name": "bench",
        "public_url": public_url,
        "allow_private_addresses": True,
        "channels": {"sms": {"providers": [provider]}},
    }
    if personal:
        site["templates"] = str(_write_templates(folder / "templates"))
    (folder / "site.yaml").write_text(to_yaml(site), encoding="utf-8")


def _write_templates(folder: Path) -> Path:
    """Our own notices, with the name of the recipient after the signature."""
    for name in _TEMPLATES:
        text = (shipped_templates() / name).read_text(encoding="utf-8")
        language = name.split(".")[1]
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("】", f"】{_ADDRESS[language]}", 1), encoding="utf-8")
    return folder.resolve()
