"""Callbacks that nothing signs: their address carries a token that only the vendor and we know."""

from __future__ import annotations

import hmac

from broadcaster.channels.callback import Callback, ForgedError
from broadcaster.channels.provider import Provider
from broadcaster.channels.supplier import Secret

NAME = "callback-token"
SECRETS = {NAME: Secret("what the vendor's receipts carry in their address, as `?token=`")}


def check(callback: Callback, provider: Provider) -> None:
    """Raise ForgedError unless it is a POST to the address with the token; compared in constant time."""
    token = callback.query.get("token", "")
    if callback.method != "POST" or not hmac.compare_digest(token.encode(), provider.secrets[NAME].encode()):
        raise ForgedError
