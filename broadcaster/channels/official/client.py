"""A thin client of one account: its requests under its access token, which is fetched anew once when it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from urllib3.filepost import encode_multipart_formdata

from broadcaster.channels.official import wire
from broadcaster.channels.official.exchange import Said, get, post
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

    def fetch(self, path: str) -> Said:
        """What the platform lists there; raises a DeliveryError when it does not."""
        said = self._under_token(lambda token: get(self.provider, self._transport, path, {"access_token": token}))
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
        return self._under_token(lambda token: self._with(token, path, payload, query, *media_type))

    def _with(
        self, token: str, path: str, payload: Mapping[str, Any] | bytes, query: Mapping[str, str], *media_type: str
    ) -> Said:
        return post(self.provider, self._transport, path, payload, {**query, "access_token": token}, *media_type)

    def _under_token(self, ask: Callable[[str], Said]) -> Said:
        """What is said under the token of now; under another one, once, when that is refused."""
        token = self._tokens.current()
        said = ask(token)
        return ask(self._tokens.current(refused=token)) if said.code in wire.STALE_TOKEN else said
