"""Looking at an account without anybody being told: a token is fetched as always, and what is left of today's calls."""

from __future__ import annotations

from broadcaster.channels.official import wire
from broadcaster.channels.official.client import Client
from broadcaster.channels.official.crypto import wrong_key
from broadcaster.channels.official.options import AES_KEY
from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import Transport
from broadcaster.errors import InputError


def probe(path: str, provider: Provider, transport: Transport) -> str:
    """Whether AppID, AppSecret and IP whitelist are right, and how often its way out may be called today."""
    key = provider.secrets.get(AES_KEY)
    if key is not None and (wrong := wrong_key(key)):
        raise InputError.one(f"{provider.name}: the secret {AES_KEY!r} cannot be used: {wrong}")
    said = Client(provider, transport).call(wire.QUOTA_GET, {"cgi_path": path})
    quota = said.fields.get("quota")
    left = quota.get("remain") if isinstance(quota, dict) else None
    mode = "safe mode" if key else "plain mode: events can be forged by who sees one"
    return f"{'?' if left is None else left} calls of {path} left today; events in {mode}"
