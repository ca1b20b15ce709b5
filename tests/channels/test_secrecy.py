"""What no message, hint or repr holds, whatever a provider answers: a secret, a phone or an openid.

Here every provider answers with all that it knows, which is the worst that it can do.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

from broadcaster.channels.base import RecipientKind
from broadcaster.errors import DeliveryError
from tests.channels.http_server import Answer, LocalServer, Received
from tests.channels.pairs import Case, every_case
from tests.channels.stand_ins import StandIn, Street

TOKEN = "an-access-token-that-was-fetched"
DOOR = "/cgi-bin/stable_token"
"""Where a token is fetched, in the one format that has any."""
STATUSES = (200, 302, 400, 401, 403, 404, 410, 422, 429, 500, 503)
CODES = (0, -1, 40001, 40003, 45009, 45028, 48001, 93000, 99999)

Reply = Callable[[Received], Answer]


def _plainly(status: int, words: str) -> Reply:
    """The words as the body, and as where to go instead."""
    return lambda _: Answer(status, words.encode(), {"location": "/?words=" + quote(words, safe="")})


def _in_their_forms(code: int, words: str) -> Reply:
    """The words beside an error's code, in each format at once."""
    wrong = {"Code": "Novel.Code", "Message": words}
    said = {**wrong, "errcode": code, "errmsg": words, "Response": {"Error": wrong}, "error": words, "media_id": "m"}
    return lambda _: Answer(body=json.dumps(said).encode())


def _past_the_door(reply: Reply) -> Reply:
    """The same, to whoever has fetched a token."""
    token = Answer(body=json.dumps({"access_token": TOKEN, "expires_in": 7200}).encode())
    return lambda request: token if request.path.startswith(DOOR) else reply(request)


def replies(words: str) -> Mapping[str, Reply]:
    """Every way in which a provider says these words, at the door and behind it."""
    known: dict[str, Reply] = {
        **{str(status): _plainly(status, words) for status in STATUSES},
        **{f"errcode {code}": _in_their_forms(code, words) for code in CODES},
        "dropped": lambda _: Answer(drop=True),
    }
    return {**known, **{f"{name} past the door": _past_the_door(reply) for name, reply in known.items()}}


def said(stand_in: StandIn) -> Iterator[str]:
    """All that is said of a call and of a question about it, tracebacks included."""
    for what in (stand_in.send, stand_in.ask):
        try:
            yield repr(what())
        except DeliveryError as error:
            yield f"{error.message} {error.hint} {error!r}"
            yield "".join(traceback.format_exception(error))


def secrets_of(stand_in: StandIn) -> list[str]:
    """What is secret about a provider and a call; phones without their country, so that they are found in any form, and
    openids."""
    people = stand_in.sample.members if stand_in.channel.reaches is RecipientKind.PERSON else ()
    addresses = [row.address.removeprefix("+86") for row in people]
    return [*addresses, stand_in.provider.secret, *stand_in.provider.secrets.values(), TOKEN]


@every_case
def test_no_message_holds_a_secret_or_an_address(one_street: Street, case: Case, server: LocalServer) -> None:
    """Nor does the provider show one."""
    stand_in = case.open(one_street).elsewhere(server.url)
    secret = secrets_of(stand_in)
    assert [word for word in secret if word in repr(stand_in.provider)] == []
    found = {}
    for name, reply in replies(" ".join(secret)).items():
        server.answer = reply
        found[name] = " ".join(said(stand_in))
    assert all(found.values())
    assert {name: words for name, words in found.items() if any(word in words for word in secret)} == {}


@every_case
def test_an_address_that_nobody_answers_at_is_not_quoted(one_street: Street, case: Case) -> None:
    """Some formats carry a key or phones in it, and the library's own error quotes all of it."""
    stand_in = case.open(one_street).elsewhere("http://127.0.0.1:1")
    found = " ".join(said(stand_in))
    assert "cannot be" in found
    assert [word for word in secrets_of(stand_in) if word in found] == []
