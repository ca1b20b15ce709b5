"""The sandbox's stand-in for operators: what the owner was asked, once each, whatever goes wrong on order."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from broadcaster.channels.provider import Provider
from broadcaster.channels.transport import Transport
from broadcaster.errors import AmbiguousError, BroadcasterError, PermanentError, TransientError
from tests.support.examples import local
from tests.support.product import Product

QUESTION = {"question": {"en": "Will service be back then?"}, "planned_end": "2022-03-21T00:00:00+08:00"}


def ask(product: Product, key: str, operator: Provider | None = None) -> None:
    """Make the call of a question."""
    to = operator or product.parts.operator("duty-desk")
    Transport(allow_private=True).post_event(to, key, "owner.asked", local("2022-03-20 22:00"), QUESTION)


def heard(product: Product) -> list[dict[str, Any]]:
    """What came in."""
    found: list[dict[str, Any]] = requests.get(f"{product.sandbox_url}/api/operators", timeout=10).json()
    return found


def test_a_question_is_kept_once(product: Product) -> None:
    """The same key is the same question; it is on the page's timeline as well."""
    product.at(local("2022-03-20 22:00"))
    for key in ("one", "one", "two"):
        ask(product, key)
    assert [(one["operator"], one["type"], one["question"]) for one in heard(product)] == [
        ("duty-desk", "owner.asked", QUESTION["question"])
    ] * 2
    [first, _] = requests.get(f"{product.sandbox_url}/api/timeline", timeout=10).json()["operators"]
    assert (first["local"], first["to"], first["text"]) == ("2022-03-20 22:00", "duty-desk", QUESTION["question"])


@pytest.mark.parametrize(
    ("fault", "error", "kept"),
    [
        ({"kind": "status", "status": 503}, TransientError, 0),
        ({"kind": "status", "status": 500, "accepted": True}, AmbiguousError, 1),
        ({"kind": "drop_before"}, AmbiguousError, 0),
        ({"kind": "drop_after"}, AmbiguousError, 1),
    ],
)
def test_it_misbehaves_on_order(
    product: Product, fault: dict[str, object], error: type[BroadcasterError], kept: int
) -> None:
    """As the stand-ins of providers do, and the next call goes well."""
    product.order(channel="operators", **fault)
    with pytest.raises(error):
        ask(product, "one")
    assert len(heard(product)) == kept
    ask(product, "one")
    assert len(heard(product)) == 1


def test_a_signature_of_somebody_else_is_refused(product: Product) -> None:
    """It is not our question."""
    usual = product.parts.operator("duty-desk")
    with pytest.raises(PermanentError, match="answered 401"):
        ask(product, "one", Provider(usual.name, usual.url, "whsec_" + "d" * 32))
    assert heard(product) == []


def test_an_operator_that_the_site_does_not_have_has_no_stand_in(product: Product) -> None:
    """Nor an address."""
    usual = product.parts.operator("duty-desk")
    with pytest.raises(PermanentError, match="answered 404"):
        ask(product, "one", Provider("nobody", usual.url.replace("duty-desk", "nobody"), usual.secret))
