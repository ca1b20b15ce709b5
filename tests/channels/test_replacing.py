"""Posts that replace earlier ones: what an account is told, and how its answer is read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from broadcaster.channels.base import Action, Call, Delivery, Fate, Outcome, Predecessor
from broadcaster.channels.provider import Provider
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.simulators import simulators
from broadcaster.channels.transport import Transport
from tests.channels.http_server import Answer, LocalServer
from tests.channels.samples import SECRET, call
from tests.support.adapters import adapter_of

WECHAT = CHANNELS["wechat"]
NOTICE, CHANGED = Predecessor("b-notice", "r-notice"), Predecessor("b-changed", "")
POST = replace(call(WECHAT), replaces=(NOTICE, CHANGED))
SILENT = "nothing was said of it"


def send(server: LocalServer, post: Call = POST) -> Delivery:
    """Make the call; gives what became of its one account."""
    [found] = adapter_of(WECHAT).send(post, Provider("vendor", server.url, SECRET), Transport(allow_private=True))
    return found


def answered(server: LocalServer, *replaced: Any) -> dict[str, tuple[str, str]]:
    """Earlier broadcast → (action, reason), when the account answers so."""
    server.answer = Answer(body=json.dumps({"reference": "r1", "replaced": list(replaced)}).encode())
    found = send(server)
    assert found.outcome is Outcome.ACCEPTED
    return {fate.broadcast: (str(fate.action), fate.reason) for fate in found.replaced}


def test_the_account_is_told_which_posts_to_replace(server: LocalServer) -> None:
    """By our broadcast, and by its own reference where that is known."""
    send(server)
    (request,) = server.received
    assert json.loads(request.body)["data"]["replaces"] == [
        {"broadcast": "b-notice", "reference": "r-notice"},
        {"broadcast": "b-changed", "reference": ""},
    ]


def test_it_says_what_it_did_with_each(server: LocalServer) -> None:
    """Naming it by either."""
    assert answered(
        server,
        {"reference": "r-notice", "action": "deleted"},
        {"broadcast": "b-changed", "action": "left", "reason": "it was sent to followers"},
    ) == {"b-notice": ("deleted", ""), "b-changed": ("left", "it was sent to followers")}


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"reference": "another", "action": "deleted"}],
        [{"reference": "", "action": "deleted"}],
        ["r-notice"],
        [{"reference": ["r-notice"], "action": "deleted"}],
        [{"action": "deleted"}],
    ],
)
def test_what_it_does_not_name_was_left(server: LocalServer, rows: list[Any]) -> None:
    """An account that knows nothing of replacing is no different; its post is accepted all the same."""
    assert answered(server, *rows) == {"b-notice": ("left", SILENT), "b-changed": ("left", SILENT)}


@pytest.mark.parametrize("action", ["burned", None, ["deleted"], 7])
def test_an_action_that_nobody_knows_counts_as_left(server: LocalServer, action: object) -> None:
    """Nothing is assumed."""
    found = answered(server, {"reference": "r-notice", "action": action})
    assert found["b-notice"] == ("left", "what was done is not known")


@pytest.mark.parametrize("body", [b"", b"OK", b'{"replaced": null}', b'{"replaced": {"r-notice": "deleted"}}'])
def test_an_answer_without_a_word_of_it_left_them(server: LocalServer, body: bytes) -> None:
    """As an account does that has not heard of replacing."""
    server.answer = Answer(body=body)
    assert [fate.action for fate in send(server).replaced] == [Action.LEFT, Action.LEFT]


def test_a_refused_post_replaces_nothing(server: LocalServer) -> None:
    """Whatever else the answer says."""
    rejected = [{"id": str(POST.members[0].id), "reason": "quota"}]
    said = [{"reference": "r-notice", "action": "deleted"}]
    server.answer = Answer(body=json.dumps({"rejected": rejected, "replaced": said}).encode())
    found = send(server)
    assert (found.outcome, found.replaced) == (Outcome.REJECTED, ())


def test_a_post_that_replaces_nothing_says_so(server: LocalServer) -> None:
    """An empty list, so that a receiver need not ask whether it is there."""
    assert send(server, call(WECHAT)).replaced == ()
    (request,) = server.received
    assert json.loads(request.body)["data"]["replaces"] == []


@pytest.mark.parametrize(
    ("phase", "action"), [("changed", Action.LINKED), ("restored", Action.DELETED), ("cancelled", Action.DELETED)]
)
def test_the_stand_in_links_while_it_lasts_and_deletes_afterwards(phase: str, action: Action) -> None:
    """When all is over nobody needs the old article."""
    data = {
        "phase": phase,
        "account": "青岛人社",
        "to": [{"id": "1", "account": "a", "language": "en"}],
        "article": {"title": "t"},
        "replaces": [NOTICE._asdict()],
    }
    assert simulators()["wechat"](data).replaced == (Fate("b-notice", action),)
