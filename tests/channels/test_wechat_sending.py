"""Official accounts at the platform: an article goes out once, by a mass send or as a publication."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from broadcaster import clock
from broadcaster.channels.base import Outcome
from broadcaster.channels.transport import Transport
from broadcaster.errors import AmbiguousError, TransientError
from broadcaster.sandbox.faults import FaultKind
from tests.channels.http_server import Answer, LocalServer, Received
from tests.channels.wechat_accounts import WECHAT, Account, Platform, account, platform

WAYS = ["mass", "publish"]
both_ways = pytest.mark.parametrize("way", WAYS)


@pytest.fixture(scope="module")
def one_platform() -> Iterator[Platform]:
    """A server for all accounts of this file."""
    with platform() as found:
        yield found


@pytest.fixture
def bureau(one_platform: Platform, way: str) -> Account:
    """An account that nobody has used."""
    return account(one_platform, way)


@pytest.fixture
def sender(one_platform: Platform) -> Account:
    """An account that sends to its followers."""
    return account(one_platform, "mass")


@pytest.fixture
def publisher(one_platform: Platform) -> Account:
    """An account that publishes."""
    return account(one_platform, "publish")


@both_ways
def test_an_article_goes_out_with_all_its_parts(bureau: Account) -> None:
    """As it was rendered, to the last character; what it is called there is kept."""
    sent = bureau.send()
    assert (sent.outcome, sent.reason, sent.replaced) == (Outcome.ACCEPTED, "", ())
    assert sent.reference.isdecimal()
    [moment] = [one for one in bureau.platform.archive.moments() if one.broadcast == bureau.sample.broadcast]
    exhibit = moment.accounts["青岛人社"]
    language = bureau.sample.members[0].language
    assert dict(exhibit.parts) == dict(bureau.sample.messages[language].parts)
    assert (exhibit.recipient, exhibit.language) == (bureau.provider.name, "zh-Hans")


@both_ways
def test_the_draft_is_used_up(bureau: Account) -> None:
    """Nothing is left in the account's box."""
    bureau.send()
    assert bureau.drafts() == []


def test_a_mass_send_that_is_made_again_is_shown_once(sender: Account) -> None:
    """The platform says that it has it (45065), and under which id; the second draft is thrown away."""
    first = sender.send()
    assert sender.send() == first
    assert sender.shown() == 1
    assert sender.drafts() == []


def test_a_publication_that_never_was_is_not_found_and_can_never_be(publisher: Account) -> None:
    """Its draft is taken out of the box, so that whoever was frozen before the submission submits nothing."""
    publisher.order(kind=FaultKind.DROP_BEFORE)
    with pytest.raises(AmbiguousError):
        publisher.send()
    assert len(publisher.drafts()) == 1
    assert publisher.ask() is None
    assert publisher.drafts() == []
    assert publisher.shown() == 0


def test_a_publication_is_not_taken_for_another(publisher: Account) -> None:
    """Not even of the same broadcast: the key is part of its mark."""
    publisher.send()
    assert publisher.ask(replace(publisher.sample, key="another")) is None


def test_an_article_without_a_link_has_nothing_to_be_found_by(publisher: Account) -> None:
    """That is no "never seen"."""
    with pytest.raises(AmbiguousError, match="cannot be found again"):
        publisher.ask(replace(publisher.sample, link=None))


@both_ways
@pytest.mark.parametrize(
    "fields",
    [{"kind": FaultKind.STATUS, "status": 503}, {"kind": FaultKind.STATUS, "status": 429, "retry_after": 1}],
    ids=["503", "429"],
)
def test_what_surely_was_not_taken_leaves_nothing_behind(bureau: Account, fields: dict[str, object]) -> None:
    """It is prepared anew, so its draft goes."""
    bureau.order(**fields)
    with pytest.raises(TransientError):
        bureau.send()
    assert bureau.drafts() == []
    assert bureau.shown() == 0


@both_ways
def test_a_frozen_worker_stops_itself(bureau: Account) -> None:
    """The platform would take a request of any age: what was written down long ago is not made any more."""
    adapter = WECHAT.suppliers[bureau.provider.supplier].adapter
    late = bureau.transport.dated(clock.machine_now() - adapter.visible_after)
    with pytest.raises(TransientError, match="too long ago"):
        bureau.send(transport=late)
    assert (bureau.shown(), bureau.drafts()) == (0, [])


def scripted(server: LocalServer, **special: Answer) -> None:
    """A platform that takes everything, but for the paths whose last word is `special`."""
    usual = {
        "stable_token": {"access_token": "t" * 40, "expires_in": 7200},
        "add_material": {"media_id": "cover"},
        "add": {"media_id": "draft"},
        "sendall": {"errcode": 0, "msg_id": 7},
        "submit": {"errcode": 0, "publish_id": "8"},
    }

    def answer(request: Received) -> Answer:
        word = request.path.partition("?")[0].rpartition("/")[2]
        return special.get(word) or Answer(body=json.dumps(usual.get(word, {"errcode": 0})).encode())

    server.answer = answer


def elsewhere(found: Account, server: LocalServer) -> Account:
    """The account, at another address."""
    return replace(found, provider=replace(found.provider, url=server.url, timeout=0.5))


@both_ways
@pytest.mark.parametrize("path", ["stable_token", "add_material", "add"])
@pytest.mark.parametrize(
    "wrong", [Answer(drop=True), Answer(hang=True), Answer(500), Answer(body=b"<html>")], ids=["drop", "hang", "5", "?"]
)
def test_before_the_last_request_nobody_has_seen_it(
    bureau: Account, server: LocalServer, path: str, wrong: Answer
) -> None:
    """Whatever goes wrong there, a time-out included."""
    scripted(server, **{path: wrong})
    with pytest.raises(TransientError):
        elsewhere(bureau, server).send()


@both_ways
@pytest.mark.parametrize(
    "wrong",
    [Answer(drop=True), Answer(hang=True), Answer(500), Answer(body=b"<html>"), Answer(body=b'{"errcode": 0}')],
    ids=["drop", "hang", "500", "no json", "no id"],
)
def test_the_last_request_may_have_been_seen(bureau: Account, server: LocalServer, wrong: Answer) -> None:
    """Also when its answer is a success that cannot be read. Its draft stays: it may be on its way."""
    scripted(server, sendall=wrong, submit=wrong)
    with pytest.raises(AmbiguousError):
        elsewhere(bureau, server).send()
    assert not [one for one in server.received if "/draft/delete" in one.path]


def test_what_goes_out_is_raw_utf_8_under_a_short_key(sender: Account, server: LocalServer) -> None:
    """The first 20 characters of 32 are the broadcast; no text has an escape."""
    scripted(server)
    elsewhere(sender, server).send()
    by_path = {one.path.partition("?")[0]: one for one in server.received}
    draft = by_path["/cgi-bin/draft/add"]
    assert "暂停".encode() in draft.body
    assert b"\\u" not in draft.body
    [article] = json.loads(draft.body)["articles"]
    assert article["content_source_url"] == sender.sample.link
    made = json.loads(by_path["/cgi-bin/message/mass/sendall"].body)
    mark = made.pop("clientmsgid")
    assert (mark[:20], len(mark), mark.isascii()) == (sender.sample.broadcast, 32, True)
    assert made == {
        "filter": {"is_to_all": True},
        "mpnews": {"media_id": "draft"},
        "msgtype": "mpnews",
        "send_ignore_reprint": 0,
    }


def test_an_account_may_send_to_followers_with_a_tag(one_platform: Platform, server: LocalServer) -> None:
    """Of the platform's own tags."""
    scripted(server)
    elsewhere(account(one_platform, "mass", tag=102), server).send()
    assert json.loads(server.received[-1].body)["filter"] == {"is_to_all": False, "tag_id": 102}


def test_two_workers_make_the_same_request(sender: Account, server: LocalServer) -> None:
    """Down to the last byte, but for the draft."""
    scripted(server)
    found = elsewhere(sender, server)
    found.send(transport=Transport(allow_private=True))
    found.send(transport=Transport(allow_private=True))
    bodies = [one.body for one in server.received if "sendall" in one.path]
    assert len(bodies) == 2
    assert len(set(bodies)) == 1


@both_ways
def test_the_cover_is_uploaded_once_for_all_workers(bureau: Account, server: LocalServer) -> None:
    """Its id stands on the shelf that they share; so does the token."""
    scripted(server)
    found = elsewhere(bureau, server)
    found.send()
    found.send(found.another_call())
    paths = [one.path.partition("?")[0].rpartition("/")[2] for one in server.received]
    assert (paths.count("add_material"), paths.count("stable_token"), paths.count("add")) == (1, 1, 2)
