"""A request in a supplier's own format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

_STANDS_IN_A_QUERY = "!$%&'()*+,/:;=?@"
"""What a query may have as it is. Source: RFC 3986, section 3.4; `%` begins what is encoded already."""
_LONE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")


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
        return self._split[0]

    @property
    def whole_query(self) -> str:
        """That of the `url` and `query`, encoded. Raises UnicodeError when it is no text."""
        of_url = _LONE_PERCENT.sub("%25", self._split[2])
        return "&".join(filter(None, (quote(of_url, _STANDS_IN_A_QUERY), urlencode(self.query))))

    @property
    def _split(self) -> tuple[str, str, str]:
        return self.url.partition("#")[0].partition("?")
