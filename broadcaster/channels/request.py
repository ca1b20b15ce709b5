"""A request in a supplier's own format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Request:
    """The body is sent as it is, `query` is encoded and comes after that of the `url`, if it has one."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The `url` without its query, which may be another one each time, and name people."""
        return self.url.partition("?")[0]

    @property
    def asked(self) -> str:
        """The whole query."""
        return "&".join(filter(None, (self.url.partition("?")[2], urlencode(self.query))))
