"""What the platform refuses: each with a reason for people and the right class, and nothing secret in any message."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread

import pytest

from broadcaster import clock
from broadcaster.channels.base import Call, Outcome
from broadcaster.channels.official import wire
from broadcaster.channels.official.client import Client
from broadcaster.channels.provider import Quota
from broadcaster.errors import AmbiguousError, BroadcasterError, DeliveryError, PermanentError, TransientError
from broadcaster.rendering.message import Message
from tests.builders import at
from tests.channels.http_server import Answer, LocalServer, Received
from tests.channels.wechat_accounts import APPSECRET, KEY, TOKEN, WECHAT, Account, Platform, account, platform


@pytest.fixture(scope="module")
def one_platform() -> Iterator[Platform]:
    """A server for the accounts of this file."""
    with platform() as found:
        yield found


@pytest.fixture
def sender(one_platform: Platform) -> Account:
    """An account that sends to its followers."""
    return account(one_platform, "mass")


@pytest.fixture(params=["mass", "publish"])
def bureau(one_platform: Platform, request: pytest.FixtureRequest) -> Account:
    """An account, either way."""
    return account(one_platform, request.param)


def failure(found: Account, made: Call | None = None) -> DeliveryError:
    """How a call fails; whatever it says, no secret and no token is in it."""
    with pytest.raises(DeliveryError) as caught:
        found.send(made)
    told = f"{caught.value.message} {caught.value.hint} {caught.value.__cause__}"
    token = found.shelf.get(f"wechat token {found.provider.name} {found.provider.options.model_dump()['appid']}")
    assert not [secret for secret in (APPSECRET, TOKEN, KEY, token) if secret and secret in told]
    assert found.shown(made) == 0
    return caught.value


def worded(found: Account, **parts: str) -> Call:
    """The sample call, with other words."""
    language = found.sample.members[0].language
    message = found.sample.messages[language]
    changed = Message("wechat", message.phase, language, {**message.parts, **parts}, ())
    return replace(found.sample, messages={language: changed})


def test_a_wrong_app_secret_is_for_a_human(bureau: Account) -> None:
    """Trying again does not mend it."""
    error = failure(replace(bureau, provider=replace(bureau.provider, secret="f" * 32)))
    assert isinstance(error, PermanentError)
    assert "its AppSecret is wrong (40125)" in error.message


def test_the_platform_has_two_words_for_a_wrong_app_secret(bureau: Account, server: LocalServer) -> None:
    """40001 means something else once there is a token."""
    server.answer = saying(lambda _path: {"errcode": 40001, "errmsg": "invalid credential"})
    error = failure(replace(bureau, provider=replace(bureau.provider, url=server.url)))
    assert isinstance(error, PermanentError)
    assert "its AppSecret is wrong (40001)" in error.message


def test_a_machine_that_is_not_whitelisted_is_for_a_human(bureau: Account) -> None:
    """The hint says which address the platform saw."""
    bureau.behave(whitelisted=False)
    error = failure(bureau)
    assert isinstance(error, PermanentError)
    assert "IP whitelist (40164)" in error.message
    assert error.hint == "add 203.0.113.7 to the IP whitelist of the account"


@pytest.mark.parametrize("lost", ["revoked", "expired"])
def test_a_token_that_is_none_any_more_is_fetched_anew_once(bureau: Account, lost: str) -> None:
    """And the article goes out."""
    bureau.send()
    bureau.behave(tokens=lost)
    assert bureau.send().outcome is Outcome.ACCEPTED


def test_a_fresh_token_that_is_refused_too_is_tried_later(bureau: Account, server: LocalServer) -> None:
    """Surely nobody saw it; it is not tried in a loop, and a forced refresh is asked for once."""
    server.answer = saying(lambda path: {"errcode": 40001} if "stable_token" not in path else None)
    elsewhere = replace(bureau, provider=replace(bureau.provider, url=server.url))
    error = failure(elsewhere)
    assert isinstance(error, TransientError)
    assert "access token is refused" in error.message
    forced = [json.loads(one.body)["force_refresh"] for one in server.received if "stable_token" in one.path]
    assert forced == [False, False, True]
    assert len([one for one in server.received if "add_material" in one.path]) == 2


def saying(said: Callable[[str], Mapping[str, object] | None]) -> Callable[[Received], Answer]:
    """A platform that says what it is told to of a path; to None it gives the one token that it has."""

    def answer(request: Received) -> Answer:
        found = said(request.path) or {"access_token": "t" * 40, "expires_in": 7200}
        return Answer(body=json.dumps(found).encode())

    return answer


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"title": "长" * 33}, "the title is too long (45003)"),
        ({"author": "长" * 17}, "the author's name is too long (45110)"),
        ({"digest": "长" * 129}, "the digest is too long (45004)"),
        ({"body": "x" * 20_000}, "the article is too long (45002)"),
    ],
)
def test_what_is_too_long_is_for_a_human(bureau: Account, parts: Mapping[str, str], words: str) -> None:
    """It says which part; and the measures of the channel say so beforehand."""
    made = worded(bureau, **parts)
    error = failure(bureau, made)
    assert isinstance(error, PermanentError)
    assert words in error.message
    measures = WECHAT.spec.measure(made.messages[made.members[0].language].parts)
    assert [row.name for row in measures if row.over] == list(parts)


def test_a_body_just_short_enough_goes_out(bureau: Account) -> None:
    """Less than 20,000 characters."""
    assert bureau.send(worded(bureau, body="长" * 19_999)).outcome is Outcome.ACCEPTED


def test_a_second_mass_send_of_the_day_waits(sender: Account) -> None:
    """Surely nobody saw it; an hour later is soon enough."""
    sender.send()
    error = failure(sender, sender.another_call())
    assert isinstance(error, TransientError)
    assert (error.retry_after, "quota of mass sends is used up (45028)" in error.message) == (3600, True)


def test_a_cover_that_the_platform_lost_is_uploaded_again(one_platform: Platform) -> None:
    """Somebody cleaned up the account's material."""
    found = account(one_platform, "publish")
    found.send()
    found.behave(material="lost")
    later = found.another_call()
    assert found.send(later).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("code", sorted({*wire.CODES, 12345, -1000} - wire.STALE_TOKEN))
def test_a_success_with_an_error_inside_is_what_its_code_says(
    one_platform: Platform, server: LocalServer, code: int
) -> None:
    """Of the request that the public can see; a code that nobody knows is a refusal, a negative one a trouble."""

    def said(path: str) -> Mapping[str, object] | None:
        if "stable_token" in path:
            return None
        return {"errcode": code, "errmsg": f"secret {APPSECRET}"} if "submit" in path else {"media_id": "m"}

    server.answer = saying(said)
    found = account(one_platform, "publish")
    error = failure(replace(found, provider=replace(found.provider, url=server.url)))
    known = wire.CODES.get(code)
    unknown = AmbiguousError if code < 0 else PermanentError
    assert type(error) is (known.error if known else unknown)
    assert f"({code})" in error.message


@pytest.mark.parametrize(
    "body", [b'{"errcode": "0"}', b'{"errcode": null}', b'{"errcode": false}', b"[]", b"null", b'{"a":' * 100_000]
)
def test_an_answer_that_cannot_be_read_is_in_doubt(one_platform: Platform, server: LocalServer, body: bytes) -> None:
    """Perhaps it is out."""

    def answer(request: Received) -> Answer:
        if "submit" in request.path:
            return Answer(body=body)
        return Answer(body=b'{"access_token": "t", "expires_in": 7200, "media_id": "m"}')

    server.answer = answer
    found = account(one_platform, "publish")
    with pytest.raises(AmbiguousError, match="cannot be read"):
        replace(found, provider=replace(found.provider, url=server.url)).send()


def test_a_life_of_a_token_that_is_none_is_no_life(bureau: Account, server: LocalServer) -> None:
    """Nobody saw the call: it is made later."""
    server.answer = Answer(body=b'{"access_token": "t", "expires_in": 1%s}' % (b"0" * 400))
    error = failure(replace(bureau, provider=replace(bureau.provider, url=server.url)))
    assert isinstance(error, TransientError)


def test_the_stand_in_takes_no_escapes(sender: Account) -> None:
    """As the platform: `json.dumps` with its defaults would be refused."""
    client = Client(sender.provider, sender.transport)
    client.call(wire.QUOTA_GET, {"cgi_path": "停"})
    answer = client._post(wire.QUOTA_GET, json.dumps({"cgi_path": "停"}).encode(), {})
    assert answer.code == 47001


def test_workers_that_need_a_token_at_once_fetch_one(bureau: Account, server: LocalServer) -> None:
    """The others wait for it."""
    server.answer = saying(lambda path: None if "stable_token" in path else {"errcode": 0})
    provider, gate = replace(bureau.provider, url=server.url), Barrier(5)

    def work() -> None:
        client = Client(provider, bureau.transport)
        gate.wait()
        client.call(wire.QUOTA_GET, {})

    threads = [Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    paths = [one.path.partition("?")[0] for one in server.received]
    assert (paths.count(wire.STABLE_TOKEN), paths.count(wire.QUOTA_GET)) == (1, 5)


def test_a_forced_refresh_throws_the_others_out(sender: Account) -> None:
    """20 a day, 30 seconds apart: why it is the last resort."""
    payload = {
        "grant_type": "client_credential",
        "appid": "wx0123456789abcdef",
        "secret": APPSECRET,
        "force_refresh": True,
    }
    client = Client(sender.provider, sender.transport)
    old = client._tokens.current()
    assert client.post(wire.QUOTA_GET, {}).code == 0
    assert client._with("", wire.STABLE_TOKEN, payload, {}).text("access_token") != old
    assert client._with("", wire.STABLE_TOKEN, payload, {}).code == 45011
    assert client._with(old, wire.QUOTA_GET, {}, {}).code == 40001


def test_looking_at_an_account_tells_nobody(bureau: Account) -> None:
    """It says what is left of today, and how events come."""
    probe = WECHAT.suppliers[bureau.provider.supplier].probe
    assert probe
    assert "10 calls of /cgi-bin/" in probe(bureau.provider, bureau.transport)
    assert bureau.drafts() == []
    bad = replace(bureau.provider, secrets={**bureau.provider.secrets, "aes-key": "short"})
    with pytest.raises(BroadcasterError, match="no EncodingAESKey"):
        probe(bad, bureau.transport)
    with pytest.raises(PermanentError, match="40125"):
        probe(replace(bureau.provider, name="other", secret="0" * 32), bureau.transport)


@pytest.mark.parametrize(
    ("quota", "taken"),
    [
        (Quota(), [True, False, True, True, True, False, False, True]),
        (Quota(per_day=1, per_month=4), [True, False, True, True, True, False, False, True]),
        (Quota(per_day=1), [True, False, True, True, True, True, True, True]),
    ],
    ids=["service", "service with a quota", "subscription"],
)
def test_the_platforms_quotas_are_counted_in_campaign_time(
    one_platform: Platform, tmp_path: Path, quota: Quota, taken: list[bool]
) -> None:
    """One a day; and four a month for a service account, by the calendar in Shanghai."""
    sender, found = account(one_platform, "mass", quota=quota), []
    days = ("02-20 00:30", "02-20 23:30", "02-21 00:30", "02-22 00:30", "02-23 00:30", "02-24 00:30", "02-28 23:59")
    clock.move_to(at("2022-02-20 00:30"), tmp_path / "offset")
    with clock.following(tmp_path / "offset"):
        for day in (*days, "03-01 00:01"):
            clock.move_to(at(f"2022-{day}"), tmp_path / "offset")
            found.append(_taken(sender))
    assert found == taken


def _taken(found: Account) -> bool:
    try:
        return found.send(found.another_call()).outcome is Outcome.ACCEPTED
    except TransientError:
        return False
