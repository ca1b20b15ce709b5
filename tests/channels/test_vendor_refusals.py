"""What vendors refuse: each with a clear reason and the right class, and nothing of a key or a phone in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from broadcaster.channels.base import Outcome
from broadcaster.channels.sms.aliyun import wire as aliyun
from broadcaster.channels.sms.codes import Meaning
from broadcaster.channels.sms.tencent import wire as tencent
from broadcaster.errors import AmbiguousError, DeliveryError, PermanentError, SpoiltError, TransientError
from broadcaster.rendering.message import Message
from tests.channels.http_server import Answer, LocalServer
from tests.channels.vendors import (
    KEY,
    TOKEN,
    Vendor,
    every_supplier,
    failure,
    naming,
    options_of,
    provider_of,
    sample_call,
    to,
    vendor,
)

ERRORS = {
    Meaning.BUSY: TransientError,
    Meaning.STOP: PermanentError,
    Meaning.ROW: SpoiltError,
    Meaning.IN_DOUBT: AmbiguousError,
}
CODES = {"aliyun": aliyun.CODES_OF_ALL_ALIKE, "tencent": tencent.CODES}


@pytest.fixture
def stand_in(supplier: str) -> Iterator[Vendor]:
    """The vendor's stand-in, at a path as the sandbox has it."""
    with vendor(supplier, at="/sms/vendor") as found:
        yield found


@every_supplier
def test_a_number_that_the_vendor_refuses(stand_in: Vendor, supplier: str) -> None:
    """Tencent says whose it is. Aliyun refuses the request, which is then made in halves until it is found."""
    sample = to(stand_in, "+8613800138999")
    if supplier == "tencent":
        first, *others = stand_in.send(sample)
        assert (first.outcome, {row.outcome for row in others}) == (Outcome.REJECTED, {Outcome.ACCEPTED})
        assert "not to tell" in first.reason
    else:
        found = failure(stand_in, sample)
        assert isinstance(found, SpoiltError)
        assert "the number is refused" in found.message
        assert stand_in.shown()[1:] == [0] * 4


def test_a_name_that_the_vendor_refuses_is_one_persons_own() -> None:
    """Aliyun refuses the request for it, which is then made in halves; alone, that reader is refused."""
    sample, personal = naming(sample_call(), "王【芳", "李伟")
    with vendor("aliyun", options=options_of("aliyun", (personal,))) as found:
        refused = failure(found, sample)
        assert (type(refused), "a sign that is refused" in refused.message) == (SpoiltError, True)
        others = replace(sample, key="another", members=sample.members[1:])
        assert {row.outcome for row in found.send(others)} == {Outcome.ACCEPTED}


@every_supplier
def test_a_wrong_key(stand_in: Vendor) -> None:
    """It stops the broadcast, and says what to look at."""
    found = failure(replace(stand_in, provider=replace(stand_in.provider, secret="another")))
    assert (type(found), "the secret is not that of the key" in found.message) == (PermanentError, True)


@every_supplier
def test_a_template_that_the_vendor_does_not_know(stand_in: Vendor) -> None:
    """The options name a code that was never approved."""
    options = stand_in.provider.options
    templates = tuple(row.model_copy(update={"code": "999"}) for row in options.templates)  # type: ignore[attr-defined]
    found = failure(stand_in.with_options(templates=templates))
    assert (type(found), "the template is not approved" in found.message) == (PermanentError, True)


@every_supplier
def test_a_text_that_no_template_gives(stand_in: Vendor) -> None:
    """Nothing is sent; the reason names the templates that were tried."""
    text = stand_in.sample.messages["zh-Hans"].parts["text"].replace("咨询电话", "电话")
    messages = {"zh-Hans": Message("sms", stand_in.sample.phase, "zh-Hans", {"text": text}, ())}
    found = failure(stand_in, replace(stand_in.sample, messages=messages))
    assert (type(found), "none of its approved templates" in found.message) == (PermanentError, True)
    assert "check" in (found.hint or "")


@every_supplier
def test_another_signature(stand_in: Vendor) -> None:
    """What leads the text must be what is approved."""
    found = failure(stand_in.with_options(sign_name="市人社局"))
    assert "does not begin with the approved signature 【市人社局】" in found.message


@every_supplier
def test_a_parameter_over_its_length(stand_in: Vendor, supplier: str) -> None:
    """It is named, with its template."""
    found = failure(stand_in.with_options(parameter_length=5))
    assert (type(found), "would have 7 characters, the limit is 5" in found.message) == (PermanentError, True)
    # Should the vendor take less than the options say, its own code comes back.
    with vendor(supplier, options=options_of(supplier, parameter_length=5)) as strict:
        refused = failure(strict.with_options(parameter_length=30))
    assert (type(refused), "a parameter is too long" in refused.message) == (PermanentError, True)


@every_supplier
def test_a_limit_of_the_account(supplier: str, stand_in: Vendor) -> None:
    """The stand-in takes the provider's daily quota for the account's own."""
    quota = replace(stand_in.provider.quota, per_day=3)
    with vendor(supplier, quota=quota) as found:
        if supplier == "aliyun":
            assert "limit of a day" in failure(found).message
        else:
            told = found.send()
            assert [row.outcome for row in told] == [Outcome.ACCEPTED] * 3 + [Outcome.REJECTED] * 2
            assert "limit of a day" in told[-1].reason


@pytest.mark.parametrize(("supplier", "code"), [(name, code) for name, codes in CODES.items() for code in codes])
def test_every_code_has_its_class(server: LocalServer, supplier: str, code: str) -> None:
    """An empty balance among them; whatever the vendor adds in words, none of it is repeated."""
    codes = CODES[supplier]
    words = f"13800138000 {KEY}"
    said: dict[str, Any] = {"Code": code, "Message": words}
    body = said if supplier == "aliyun" else {"Response": {"Error": said}}
    server.answer = Answer(body=json.dumps(body).encode())
    found = failure(Vendor(provider_of(supplier, server.url), sample_call()))
    assert type(found) is ERRORS[codes[code].meaning]
    assert codes[code].words in found.message
    assert [leak for leak in (KEY, TOKEN, "1380013") if leak in f"{found!r} {found.hint}"] == []


@every_supplier
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"Code": "new"}', b'{"Response": {}}', b"[" * 99_999])
def test_an_answer_that_is_not_known_is_ambiguous(server: LocalServer, supplier: str, body: bytes) -> None:
    """The public may have seen it."""
    server.answer = Answer(body=body)
    assert isinstance(failure(Vendor(provider_of(supplier, server.url), sample_call())), AmbiguousError)


@every_supplier
@pytest.mark.parametrize(("status", "kind"), [(503, TransientError), (500, AmbiguousError), (403, PermanentError)])
def test_a_status_without_a_code(server: LocalServer, supplier: str, status: int, kind: type[DeliveryError]) -> None:
    """As everywhere."""
    server.answer = Answer(status, b"<html>")
    assert type(failure(Vendor(provider_of(supplier, server.url), sample_call()))) is kind


def test_what_tencent_says_of_one_number_only(server: LocalServer) -> None:
    """Refused, in doubt, not known, and one of whom it says nothing."""
    said = ["Ok", "LimitExceeded.PhoneNumberDailyLimit", "InternalError.Timeout", "Novel.Code"]
    sample = sample_call()
    rows = [
        {"PhoneNumber": member.address, "Code": code, "SerialNo": "s"}
        for member, code in zip(sample.members, said, strict=False)
    ]
    server.answer = Answer(body=json.dumps({"Response": {"SendStatusSet": rows}}).encode())
    found = Vendor(provider_of("tencent", server.url), sample).send()
    doubt = [Outcome.UNKNOWN] * 3
    assert [row.outcome for row in found] == [Outcome.ACCEPTED, Outcome.REJECTED, *doubt]


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("LimitExceeded.DeliveryFrequencyLimit", Outcome.REJECTED),
        ("FailedOperation.InsufficientBalanceInSmsPackage", Outcome.REJECTED),
        ("InternalError.Timeout", Outcome.UNKNOWN),
    ],
)
def test_what_tencent_says_of_some_is_not_said_of_all(server: LocalServer, code: str, first: Outcome) -> None:
    """Whom it leaves out may have been told: they are neither refused nor sent it again."""
    sample = sample_call()
    rows = [{"PhoneNumber": sample.members[0].address, "Code": code}]
    server.answer = Answer(body=json.dumps({"Response": {"SendStatusSet": rows}}).encode())
    found = Vendor(provider_of("tencent", server.url), sample).send()
    assert [row.outcome for row in found] == [first, *[Outcome.UNKNOWN] * 4]


def test_an_empty_balance_at_tencent_is_no_numbers_fault(server: LocalServer) -> None:
    """It comes as the code of each number, and stops the broadcast."""
    code = "FailedOperation.InsufficientBalanceInSmsPackage"
    rows = [{"PhoneNumber": row.address, "Code": code} for row in sample_call().members]
    server.answer = Answer(body=json.dumps({"Response": {"SendStatusSet": rows}}).encode())
    found = failure(Vendor(provider_of("tencent", server.url), sample_call()))
    assert (type(found), "balance is used up" in found.message) == (PermanentError, True)
