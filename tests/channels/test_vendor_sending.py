"""Vendors with formats of their own: calls and questions, each adapter against its stand-in over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from broadcaster import clock
from broadcaster.channels.base import Outcome, visible_after_of
from broadcaster.channels.sms.aliyun import wire as aliyun
from broadcaster.channels.sms.tencent import wire as tencent
from broadcaster.channels.transport import Transport
from broadcaster.errors import AmbiguousError, TransientError
from broadcaster.planning.phase import Phase
from broadcaster.rendering.message import ADDRESSEE
from tests.channels.vendors import (
    SMS,
    Vendor,
    every_supplier,
    failure,
    message,
    naming,
    options_of,
    queryable,
    sample_call,
    to,
    vendor,
)


@pytest.fixture
def stand_in(supplier: str) -> Iterator[Vendor]:
    """The vendor's stand-in, at a path as the sandbox has it."""
    with vendor(supplier, at="/sms/vendor") as found:
        yield found


@every_supplier
def test_a_phone_shows_what_was_rendered(stand_in: Vendor) -> None:
    """Word for word what was rendered; whoever is told has the vendor's own reference."""
    assert all(row.reference for row in stand_in.send())
    assert stand_in.texts() == {stand_in.sample.messages["zh-Hans"].parts["text"]}


@every_supplier
def test_every_text_of_the_example_goes_through(stand_in: Vendor) -> None:
    """In both languages, each by its own template and signature."""
    for language in ("zh-Hans", "en"):
        for phase in Phase:
            sample = replace(sample_call(language), phase=phase, messages={language: message(phase, language)})
            assert stand_in.send(replace(sample, key=f"{phase}-{language}"))[0].outcome is Outcome.ACCEPTED


@every_supplier
def test_a_foreign_number_is_refused_before_anybody_is_called(stand_in: Vendor) -> None:
    """It is an outcome of its own, and the others are told."""
    found = stand_in.send(to(stand_in, "+4915112345678", "+8653285912333"))
    assert [row.outcome for row in found] == [Outcome.REJECTED] * 2 + [Outcome.ACCEPTED] * 3
    assert "mainland" in found[0].reason


@every_supplier
def test_each_reader_is_called_by_name(stand_in: Vendor, supplier: str) -> None:
    """At Aliyun in one request; Tencent takes one name a request, which routing sees to."""
    sample, personal = naming(stand_in.sample, "王芳", "", "李伟")
    with vendor(supplier, options=options_of(supplier, (personal,))) as found:
        if supplier == "tencent":
            assert "one set of parameters" in failure(found, sample).message
            rooms = {SMS.suppliers[supplier].room(row, personal).alike for row in sample.members}  # type: ignore[misc]
            assert len(rooms) == 3
            sample = replace(sample, members=sample.members[:1])
        assert {row.outcome for row in found.send(sample)} == {Outcome.ACCEPTED}
        assert found.texts() == {personal.parts["text"].replace(ADDRESSEE, "王芳")}


@queryable
def test_a_name_over_its_length_is_the_readers_own_outcome(stand_in: Vendor, supplier: str) -> None:
    """The others are told."""
    sample, personal = naming(stand_in.sample, "长" * 36, "李伟")
    with vendor(supplier, options=options_of(supplier, (personal,))) as found:
        first, second = found.send(sample)
    assert (first.outcome, second.outcome) == (Outcome.REJECTED, Outcome.ACCEPTED)
    assert first.reason == "what stands for name is longer than 35 characters"


@every_supplier
def test_two_languages_do_not_fit_into_one_request(stand_in: Vendor) -> None:
    """Routing parts them; should it not, nobody is told the wrong words."""
    members = (*stand_in.sample.members[:4], stand_in.sample.members[4]._replace(language="en"))
    assert "one language" in failure(stand_in, replace(stand_in.sample, members=members)).message


@queryable
def test_a_question_about_what_was_never_seen(stand_in: Vendor) -> None:
    """Also when another call to the same people was taken."""
    stand_in.send(replace(stand_in.sample, key="another"))
    assert stand_in.ask() is None


@queryable
def test_a_member_that_the_vendor_does_not_show_is_unknown(stand_in: Vendor) -> None:
    """The others of the same call are accepted; who is not shown is never sent to again in silence."""
    stand_in.send(replace(stand_in.sample, members=stand_in.sample.members[:4]))
    found = stand_in.ask() or []
    assert [row.outcome for row in found] == [Outcome.ACCEPTED] * 4 + [Outcome.UNKNOWN]


@queryable
def test_a_question_reads_every_page(stand_in: Vendor) -> None:
    """Somebody who was sent much on that day is found all the same."""
    single = replace(stand_in.sample, members=stand_in.sample.members[:1])
    for phase in (Phase.NOTICE, Phase.REMINDER):
        for number in range(30):
            told = {"zh-Hans": message(phase)}
            stand_in.send(replace(single, key=f"{phase}{number}", phase=phase, messages=told))
    last = replace(single, key="reminder29")
    assert [row.outcome for row in stand_in.ask(last) or ()] == [Outcome.ACCEPTED]


@queryable
def test_a_question_under_another_key_says_nothing(stand_in: Vendor) -> None:
    """Neither "never seen" nor "refused"."""
    stand_in.send()
    wrong = replace(stand_in, provider=replace(stand_in.provider, secret="another"))
    with pytest.raises(AmbiguousError):
        wrong.ask()


@queryable
def test_the_same_request_is_not_taken_twice(stand_in: Vendor) -> None:
    """Its key is the signature's nonce; what became of the first one is then asked."""
    stand_in.send()
    assert isinstance(failure(stand_in), AmbiguousError)
    assert stand_in.shown() == [1] * 5


@every_supplier
def test_nothing_is_accepted_that_was_written_down_before_a_never_seen_counts(stand_in: Vendor) -> None:
    """A frozen worker's late call is refused, so that the one that is sent in its place is the only one."""
    written = clock.machine_now() - visible_after_of(SMS, stand_in.provider)
    late = failure(stand_in, transport=Transport(allow_private=True).dated(written))
    assert isinstance(late, TransientError)
    assert stand_in.shown() == [0] * 5


@every_supplier
def test_an_adapter_waits_longer_than_a_signature_holds(supplier: str) -> None:
    """Fifteen minutes at one vendor, five at the other."""
    holds = {"aliyun": aliyun.SIGNATURE_HOLDS, "tencent": tencent.SIGNATURE_HOLDS}[supplier]
    adapter = SMS.suppliers[supplier].adapter
    assert holds < adapter.visible_after < adapter.dedupes_for
