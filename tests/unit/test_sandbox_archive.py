"""What the sandbox received: deduplicated under the call's key, counted per person, shown by time."""

from __future__ import annotations

from broadcaster.channels.base import Action, Fate
from broadcaster.channels.simulation import Exhibit, Reception
from broadcaster.sandbox.archive import Archive


def _data(broadcast: str = "b1", phase: str = "notice") -> dict[str, str]:
    return {"broadcast": broadcast, "phase": phase}


def _reception(*recipients: str, language: str = "en", text: str = "words") -> Reception:
    return Reception(tuple(Exhibit(id_, f"+86{id_}", language, {"text": text}) for id_ in recipients))


def test_a_call_is_answered_with_whom_it_refused() -> None:
    """And with a reference of the provider's own."""
    answer = Archive().keep("key-1234567890", "sms", 1, _data(), Reception((), {"2": "number not in service"}))
    assert answer == {"reference": "key-12345678", "rejected": [{"id": "2", "reason": "number not in service"}]}


def test_a_call_under_a_used_key_gets_the_same_answer_and_counts_as_a_repeat() -> None:
    """A provider that dedupes shows nothing twice."""
    archive = Archive()
    answer = archive.keep("key", "sms", 1, _data(), _reception("1", "2"))
    assert archive.answer_for("key") == answer
    assert archive.totals() == {"received": 2, "duplicates": 0, "repeats": 1}


def test_a_new_key_is_no_repeat() -> None:
    """Asking about it counts nothing."""
    archive = Archive()
    assert archive.answer_for("key") is None
    assert archive.totals() == {"received": 0, "duplicates": 0, "repeats": 0}


def test_the_same_person_told_twice_of_one_broadcast_is_a_duplicate() -> None:
    """Under two keys: the one thing that must never happen."""
    archive = Archive()
    archive.keep("key-1", "sms", 1, _data(), _reception("1", "2"))
    archive.keep("key-2", "sms", 2, _data(), _reception("2", "3"))
    assert archive.totals() == {"received": 4, "duplicates": 1, "repeats": 0}
    assert dict(archive.shown()) == {"b1": {"1": 1, "2": 2, "3": 1}}


def test_the_same_person_told_of_two_broadcasts_is_none() -> None:
    """A notice and a reminder."""
    archive = Archive()
    archive.keep("key-1", "sms", 1, _data("b1"), _reception("1"))
    archive.keep("key-2", "sms", 2, _data("b2"), _reception("1"))
    assert archive.totals()["duplicates"] == 0


def test_a_broadcast_is_one_moment_with_a_sample_of_each_language() -> None:
    """Its time is that of its first call; the first text of a language stays."""
    archive = Archive()
    archive.keep("key-1", "sms", 5, _data(), _reception("1", text="first"))
    archive.keep("key-2", "sms", 9, _data(), _reception("2", text="second"))
    archive.keep("key-3", "sms", 9, _data(), _reception("3", language="zh-Hans", text="字"))
    (moment,) = archive.moments()
    assert (moment.at, moment.count) == (5, 3)
    assert {language: row.parts["text"] for language, row in moment.samples.items()} == {"en": "first", "zh-Hans": "字"}


def test_moments_are_in_the_order_of_time() -> None:
    """Whatever the order of arrival of a rehearsal's calls."""
    archive = Archive()
    for number, at in enumerate((30, 10, 20)):
        archive.keep(f"key-{number}", "sms", at, _data(f"b{number}"), _reception("1"))
    assert [moment.at for moment in archive.moments()] == [10, 20, 30]


def test_each_official_account_has_its_own_post() -> None:
    """Followers of different accounts read different posts."""
    archive = Archive()
    for account in ("one", "two"):
        exhibit = Exhibit("1", account, "en", {"title": f"of {account}"}, posted=True)
        archive.keep(account, "wechat", 1, _data(), Reception((exhibit,)))
    (moment,) = archive.moments()
    assert {name: row.parts["title"] for name, row in moment.accounts.items()} == {"one": "of one", "two": "of two"}


def test_a_surface_shows_the_newest_document_of_an_instant() -> None:
    """With its clock set to that instant; nothing before the first."""
    archive = Archive()
    archive.keep_document("banner", 10, {"seq": 1})
    archive.keep_document("banner", 20, {"seq": 2})
    assert archive.document_at("banner", 9) is None
    assert archive.document_at("banner", 19) == {"seq": 1, "clock": 19}
    assert archive.document_at("banner", 20) == {"seq": 2, "clock": 20}
    assert archive.document_at("kiosk", 20) is None


def test_the_same_document_is_kept_once() -> None:
    """Screens look again and again."""
    archive = Archive()
    archive.keep_document("banner", 10, {"seq": 1, "made": 10})
    archive.keep_document("banner", 20, {"seq": 1, "made": 20})
    assert archive.document_at("banner", 30) == {"seq": 1, "made": 10, "clock": 30}


def test_an_answer_says_what_became_of_earlier_posts() -> None:
    """And followers see it from then on."""
    archive = Archive()
    fate = Fate("b1", Action.LINKED, "")
    exhibit = Exhibit("1", "bureau", "en", {"title": "new"}, posted=True)
    answer = archive.keep("key", "wechat", 5, _data("b2"), Reception((exhibit,), replaced=(fate,)))
    assert answer["replaced"] == [{"broadcast": "b1", "action": "linked", "reason": ""}]
    (moment,) = archive.moments()
    assert moment.replaced == {"bureau": (fate,)}


def test_an_account_may_see_to_its_earlier_posts_when_the_successor_is_out() -> None:
    """Readers see it all the same; without a successor there is nothing to show it on."""
    archive = Archive()
    exhibit = Exhibit("bureau", "the bureau", "en", {"title": "new"}, posted=True)
    archive.show("wechat", 5, "b3", "", Reception((exhibit,)))
    fates = [Fate(earlier, Action.DELETED) for earlier in ("b1", "b2")]
    for fate in fates:
        archive.replace("b3", "the bureau", (fate,))
    archive.replace("unseen", "the bureau", (fates[0],))
    (moment,) = archive.moments()
    assert moment.replaced == {"the bureau": tuple(fates)}


def test_a_question_learns_what_a_call_was_answered() -> None:
    """And nothing of one that never came; asking is no repeat."""
    archive = Archive()
    answer = archive.keep("key", "sms", 1, _data(), _reception("1"))
    assert archive.answer_about("key") == answer
    assert archive.answer_about("other") is None
    assert archive.totals()["repeats"] == 0


def test_a_call_can_be_hidden_from_questions_for_a_while() -> None:
    """The public has seen it all the same."""
    archive = Archive()
    archive.keep("key", "sms", 1, _data(), _reception("1"), hidden_for=3600)
    assert archive.answer_about("key") is None
    assert archive.totals()["received"] == 1


def test_a_call_that_is_shown_twice_keeps_its_first_answer() -> None:
    """The one that was given when it was asked about before."""
    archive = Archive()
    first = archive.keep("key", "sms", 1, _data(), _reception("1"))
    archive.keep("key", "sms", 2, _data(), Reception((), {"1": "told already"}))
    assert archive.answer_about("key") == first
