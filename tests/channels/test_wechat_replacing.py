"""Articles whose facts are no longer true are taken down by their account, as far as the platform lets it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from broadcaster.channels.base import Action, Call, Fate, Outcome, Predecessor
from tests.builders import at
from tests.channels.wechat_accounts import Account, Platform, account, platform


@pytest.fixture(scope="module")
def one_platform() -> Iterator[Platform]:
    """A server for the accounts of this file."""
    with platform() as found:
        yield found


@pytest.fixture
def publisher(one_platform: Platform) -> Account:
    """An account that publishes."""
    return account(one_platform, "publish")


@pytest.fixture
def sender(one_platform: Platform) -> Account:
    """An account that sends to its followers, and has sent nothing this month."""
    return account(one_platform, "mass")


def successor(found: Account, *earlier: Predecessor) -> Call:
    """A call that replaces earlier articles."""
    return found.another_call(replaces=earlier)


def posted(found: Account) -> Predecessor:
    """An article that is out."""
    return Predecessor(found.sample.broadcast, found.send().reference)


def seen(found: Account, by: Call) -> tuple[Fate, ...]:
    """What the public sees became of earlier articles when the successor had come."""
    [moment] = [one for one in found.platform.archive.moments() if one.broadcast == by.broadcast]
    return moment.replaced.get("青岛人社", ())


def test_a_published_article_is_deleted(publisher: Account) -> None:
    """Once its successor is out."""
    earlier = posted(publisher)
    later = successor(publisher, earlier)
    assert publisher.send(later).replaced == (Fate(earlier.broadcast, Action.DELETED),)
    assert seen(publisher, later) == (Fate(earlier.broadcast, Action.DELETED),)


def test_of_a_sent_article_the_card_stays(one_platform: Platform) -> None:
    """Only the page dies, and the reason says so."""
    found = account(one_platform, "mass")
    earlier = posted(found)
    later = replace(found.sample, replaces=(earlier,))
    sent = found.send(later)
    assert sent.outcome is Outcome.ACCEPTED
    assert sent.replaced == (Fate(earlier.broadcast, Action.DELETED, "its card stays in the followers' chats"),)


@pytest.mark.parametrize("way", ["mass", "publish"])
def test_what_is_gone_already_counts_as_deleted(one_platform: Platform, way: str) -> None:
    """A call that is made again finds nothing left to delete."""
    found = account(one_platform, way)
    earlier = posted(found)
    again = replace(found.sample, replaces=(earlier,), prepared_at=at("2022-02-27 10:00"))
    assert [fate.action for _ in range(2) for fate in found.send(again).replaced] == [Action.DELETED] * 2


@pytest.mark.parametrize("way", ["mass", "publish"])
def test_an_account_may_leave_its_articles(one_platform: Platform, way: str) -> None:
    """And says that it does."""
    found = account(one_platform, way, superseded="leave")
    again = replace(found.sample, replaces=(posted(found),))
    [fate] = found.send(again).replaced
    assert (fate.action, fate.reason) == (Action.LEFT, "this account leaves its articles as they are")


@pytest.mark.parametrize("way", ["mass", "publish"])
@pytest.mark.parametrize(
    ("reference", "reason"), [("", "what the platform calls it is not known"), ("77", "the platform does not know")]
)
def test_what_cannot_be_taken_down_is_left_with_the_reason(
    one_platform: Platform, way: str, reference: str, reason: str
) -> None:
    """The article itself is out all the same."""
    found = account(one_platform, way)
    sent = found.send(replace(found.sample, replaces=(Predecessor("b" * 20, reference),)))
    assert sent.outcome is Outcome.ACCEPTED
    [fate] = sent.replaced
    assert fate.action is Action.LEFT
    assert reason in fate.reason


def test_an_article_that_was_never_published_needs_no_deleting(publisher: Account) -> None:
    """The platform stopped it."""
    publisher.behave(publish_verdict=2)
    earlier = posted(publisher)
    publisher.behave(publish_verdict=0)
    [fate] = publisher.send(successor(publisher, earlier)).replaced
    assert (fate.action, fate.reason) == (Action.DELETED, "it is not published (status 2)")


def test_an_article_that_was_never_sent_needs_no_deleting(sender: Account) -> None:
    """The administrator refused, or the platform did."""
    sender.behave(mass_verdict="err(20001)")
    failed = posted(sender)
    [fate] = sender.send(replace(sender.sample, replaces=(failed,))).replaced
    assert (fate.action, fate.reason) == (Action.DELETED, "it never was sent")


def test_an_article_under_way_is_left_for_the_next(publisher: Account) -> None:
    """It cannot be deleted before it is there."""
    publisher.behave(publish_verdict=1)
    earlier = posted(publisher)
    publisher.behave(publish_verdict=0)
    [fate] = publisher.send(successor(publisher, earlier)).replaced
    assert (fate.action, fate.reason) == (Action.LEFT, "the platform is still publishing it")


def test_a_lost_answer_is_found_with_its_deed(publisher: Account) -> None:
    """Who asks what became of the successor takes the predecessor down, and names the article by its own id."""
    earlier = posted(publisher)
    later = successor(publisher, earlier)
    publisher.send(replace(later, replaces=()))
    found = publisher.ask(later)
    assert found
    assert found.replaced == (Fate(earlier.broadcast, Action.DELETED),)
    last = successor(publisher, Predecessor(later.broadcast, found.reference))
    assert [fate.action for fate in publisher.send(last).replaced] == [Action.DELETED]


def test_a_mass_send_that_waits_for_its_administrator_is_left(sender: Account) -> None:
    """There is nothing to delete yet, and it may still go out."""
    sender.behave(protected=True)
    waiting = posted(sender)
    [fate] = sender.send(replace(sender.sample, replaces=(waiting,))).replaced
    assert (fate.action, fate.reason) == (Action.LEFT, "the platform does not take it down")
