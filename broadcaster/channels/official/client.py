"""A thin client of one account: its requests under its access token, which is fetched anew once when it is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from urllib3.filepost import encode_multipart_formdata

from broadcaster.channels.official import wire
from broadcaster.channels.official.exchange import Said, post
from broadcaster.channels.official.token import Tokens
from broadcaster.channels.provider import Provider
from broadcaster.channels.shelf import Shelf
from broadcaster.channels.transport import Transport


class Client:
    """Requests of one account."""

    def __init__(self, provider: Provider, transport: Transport) -> None:
        self.provider = provider
        self._transport = transport
        self._tokens = Tokens(provider, transport)

    @property
    def shelf(self) -> Shelf:
        """What the workers share."""
        return self._transport.shelf

    def post(self, path: str, payload: Mapping[str, Any]) -> Said:
        """What the platform says to a payload, whatever its return code."""
        return self._post(path, payload, {})

    def call(self, path: str, payload: Mapping[str, Any]) -> Said:
        """What the platform says to a payload that it takes; raises a DeliveryError when it does not."""
        said = self.post(path, payload)
        said.check()
        return said

    def upload(self, name: str, content: bytes, kind: str) -> Said:
        """Add a JPG to the account's material, as a `thumb` or `image`."""
        body, media_type = encode_multipart_formdata({"media": (name, content, "image/jpeg")})
        said = self._post(wire.ADD_MATERIAL, body, {"type": kind}, media_type)
        said.check()
        return said

    def items(self, path: str, pages: int) -> Iterator[dict[str, Any]]:
        """The newest rows of a list (drafts, published articles), without their content."""
        for page in range(pages):
            said = self.call(path, {"offset": page * wire.PAGE, "count": wire.PAGE, "no_content": 1})
            rows = said.rows("item")
            yield from rows
            if len(rows) < wire.PAGE:
                return

    def _post(self, path: str, payload: Mapping[str, Any] | bytes, query: Mapping[str, str], *media_type: str) -> Said:
        token = self._tokens.current()
        said = self._with(token, path, payload, query, *media_type)
        if said.code not in wire.STALE_TOKEN:
            return said
        return self._with(self._tokens.current(refused=token), path, payload, query, *media_type)

    def _with(
        self, token: str, path: str, payload: Mapping[str, Any] | bytes, query: Mapping[str, str], *media_type: str
    ) -> Said:
        return post(self.provider, self._transport, path, payload, {**query, "access_token": token}, *media_type)
