"""Addresses: where a URL leads, as far as that can be said before anybody is called."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from requests_hardened.ip_filter import InvalidIPAddress, get_ip_address

_PORTS = {"http": 80, "https": 443}


def is_loopback(url: str) -> bool:
    """Whether the URL's host is written as a loopback address; a name that merely resolves to one is not."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_private(url: str) -> bool:
    """Whether the URL's host is a private address, or resolves to one now, as the transport would find it.

    It looks again with every call: a name may resolve to another address then.
    """
    parts = urlsplit(url)
    try:
        get_ip_address(parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443), allow_loopback=False)
    except InvalidIPAddress:
        return True
    except (socket.gaierror, UnicodeError, ValueError):
        return False  # nobody knows such a name now; that may change
    return False
