"""Pools: people by phone, which channels share, and followers by openid, who are one channel's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from broadcaster.audience.openid import masked, openid
from broadcaster.audience.people import People
from broadcaster.audience.pools import PHONES, pool_named, pools
from broadcaster.audience.readers import Sheet
from broadcaster.channels.base import AddressKind
from broadcaster.errors import InputError

OPENID = "oV5CrjpxgaGXNHIQigzNlgLTnwic"


def test_a_channel_says_whose_people_it_reaches() -> None:
    """Those with a phone where it says nothing."""
    assert pool_named("") == pool_named("sms") == PHONES
    followers = pool_named("followers")
    assert (followers.name, followers.column, followers.kind) == ("followers", "openid", AddressKind.OPENID)
    assert pools() == {"": PHONES, "followers": followers}


@pytest.mark.parametrize("slug", ["wechat", "kiosk", "fax"])
def test_a_channel_that_reaches_no_people_has_none_to_import(slug: str) -> None:
    """Its recipients stand in the site."""
    with pytest.raises(InputError, match="reaches no people"):
        pool_named(slug)


@pytest.mark.parametrize("text", [OPENID, "a" * 20, "-_" * 32])
def test_an_openid_is_kept_as_it_is_written(text: str) -> None:
    """Capital letters and small ones differ."""
    assert openid(text) == text


@pytest.mark.parametrize("text", ["", "a" * 19, "a" * 65, f"{OPENID} ", "+8613800138000", "ｏ" * 28, "o/=" * 8])
def test_what_is_no_openid_is_refused_without_being_repeated(text: str) -> None:
    """A row's reason stands in a file that somebody mends."""
    with pytest.raises(ValueError, match=r"^not an openid$"):
        openid(text)


def test_an_openid_is_shown_by_its_ends() -> None:
    """Enough to recognise one that is known, and to find nobody."""
    assert masked(OPENID) == "oV****nwic"


def test_followers_are_read_by_their_own_column() -> None:
    """Beside the same others as people with a phone, which a phone's column does not stand for."""
    rejected: list[tuple[int, str]] = []
    header = ("name", "openid", "tags")

    def rows() -> Iterator[tuple[int, Sequence[str]]]:
        yield 2, ["王伟", f" {OPENID} ", "b;a"]
        yield 3, ["", "13800138000", ""]

    sheet = Sheet(header, rows(), lambda: 1.0)
    people = People(sheet, "x.csv", lambda line, why, _: rejected.append((line, why)), pool_named("followers"))
    assert list(people.rows()) == [(OPENID, "王伟", "zh-Hans", ("a", "b"))]
    assert rejected == [(3, "not an openid")]


def test_a_file_without_openids_is_none_of_followers() -> None:
    """It says which column it lacks."""
    sheet = Sheet(("phone",), iter([]), lambda: 1.0)
    people = People(sheet, "x.csv", lambda *_: None, pool_named("followers"))
    with pytest.raises(InputError, match="the column `openid` is missing") as caught:
        list(people.rows())
    assert caught.value.problems[0].hint == "expected a first line with the columns openid, name, language, tags"
