"""What `status` says of surfaces and posts: nothing loud while all is well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.text import Text

from broadcaster.cli import posts_view, surfaces_view

AT = "2030-05-10T10:00:00+08:00"


def said(lines: Iterable[Text], *, loud: bool) -> list[str]:
    """The lines that stand out, or the others."""
    return [line.plain.strip() for line in lines if ("bold" in str(line.style)) is loud]


def screen(name: str, *, fetched: bool = True, stale: bool = False) -> dict[str, Any]:
    """A screen that looked at ten."""
    return {"name": name, "fetched_at": AT if fetched else None, "stale_since": AT if stale else None}


def surface(screens: Sequence[dict[str, Any]], *read: dict[str, Any]) -> list[dict[str, Any]]:
    """A kiosk surface."""
    return [{"channel": "kiosk", "changed_at": AT, "screens": list(screens), "read": list(read)}]


def reading(endpoint: str = "", result: str = "confirmed", *differences: str) -> dict[str, Any]:
    """What was read back at ten."""
    return {"endpoint": endpoint, "result": result, "differences": list(differences), "at": AT}


def test_a_surface_that_is_well_has_one_quiet_line() -> None:
    """How many have the newest change, and what was confirmed."""
    found = list(surfaces_view.lines(surface([screen("hall")], reading())))
    assert said(found, loud=True) == []
    assert said(found, loud=False) == [
        "kiosk: 1 of 1 screens have the newest change, the public address confirmed 2030-05-10 10:00"
    ]


def test_a_screen_that_lacks_the_change_stands_out() -> None:
    """With its name, since when, and when it last looked."""
    found = surfaces_view.lines(surface([screen("hall", stale=True), screen("bank")]))
    assert said(found, loud=True) == [
        "kiosk: hall (looked 2030-05-10 10:00) has not seen the change of 2030-05-10 10:00"
    ]


def test_screens_that_never_said_who_they_are_stand_out() -> None:
    """Nobody knows what they show; of very many only some are named."""
    many = [screen(f"s{number}", fetched=False, stale=True) for number in range(10)]
    assert said(surfaces_view.lines(surface(many)), loud=True) == [
        "kiosk: s0, s1, s2, s3, s4, s5, s6, s7 and 2 more have never said who they are (`?screen=`)"
    ]


def test_what_shows_something_else_or_is_not_reached_stands_out() -> None:
    """With what differs, and when it was read."""
    read = [reading("bank", "shows something else", "its state is x"), reading("", "not reached", "it answered 503")]
    assert said(surfaces_view.lines(surface([], *read)), loud=True) == [
        "kiosk: bank shows something else: its state is x (2030-05-10 10:00)",
        "kiosk: the public address not reached: it answered 503 (2030-05-10 10:00)",
    ]


def test_what_was_not_read_since_the_change_is_said_quietly() -> None:
    """It will be in a moment."""
    found = list(surfaces_view.lines(surface([], reading(result=""))))
    assert said(found, loud=True) == []
    assert "the public address not read back yet" in said(found, loud=False)[0]


def post(**changed: Any) -> dict[str, Any]:
    """A notice on an account whose facts are superseded."""
    return {
        "channel": "wechat",
        "account": "bureau",
        "phase": "notice",
        "revision": 1,
        "superseded": True,
        "action": None,
        "reason": None,
    } | changed


def test_a_post_that_is_still_out_stands_out() -> None:
    """Because nothing came after it, or because its account left it."""
    posts = [post(), post(phase="started", action="left", reason="sent to followers"), post(action="left", reason="")]
    assert said(posts_view.lines(posts), loud=True) == [
        "wechat: bureau still has out what is superseded: notice of revision 1 (no successor yet), "
        "started of revision 1 (left: sent to followers), notice of revision 1 (left: no reason was given)"
    ]


def test_posts_that_were_seen_to_are_not_mentioned() -> None:
    """Nor those that are still true."""
    assert list(posts_view.lines([post(action="deleted"), post(action="linked"), post(superseded=False)])) == []


def test_each_account_has_its_own_line() -> None:
    """And names no more than three."""
    found = said(posts_view.lines([*[post()] * 5, post(account="hotline")]), loud=True)
    assert len(found) == 2
    assert "and 2 more" in found[0]


def waiting(*, overdue: bool) -> dict[str, Any]:
    """A post that is still true, and waits for somebody."""
    until = "2030-05-10T10:30:00+08:00"
    return post(superseded=False, waits_for={"by": "somebody must agree", "until": until, "overdue": overdue})


def test_a_post_that_waits_for_somebody_is_said_quietly_while_there_is_time() -> None:
    """And loudly when that is over and nobody said that it is out."""
    found = list(posts_view.lines([waiting(overdue=False), waiting(overdue=True), post(superseded=False)]))
    words = "wechat: bureau has not said that notice of revision 1 is out"
    assert said(found, loud=False) == [f"{words}: somebody must agree, until 2030-05-10 10:30"]
    assert said(found, loud=True) == [f"{words}; that was to be known by 2030-05-10 10:30: somebody must agree"]
