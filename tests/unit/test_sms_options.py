"""What a site says of a mainland vendor: checked when it is read, and explained on the vendor's page."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from broadcaster.announcement.source import to_yaml
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.sms.mainland import measure, quote, segments
from broadcaster.errors import InputError
from broadcaster.planning.phase import Phase
from broadcaster.rendering.message import ADDRESSEE
from broadcaster.site import read_site
from tests.channels.vendors import every_supplier, message, options_of

ROOT = Path(__file__).parents[2]
OVERRUN = {"aliyun": "原定${time1}恢复。", "tencent": "原定{1}恢复。"}


def site(supplier: str, folder: Path, secrets: dict[str, str] | None = None, **options: Any) -> Path:
    """A site with a provider of the vendor, whose options are changed."""
    said = options_of(supplier).model_dump(mode="json", exclude_none=True)
    found = {
        "name": "vendor",
        "supplier": supplier,
        "secret": "env:SECRET",
        "secrets": {"callback-token": "env:TOKEN"} if secrets is None else secrets,
        "options": {name: value for name, value in {**said, **options}.items() if value is not None},
    }
    path = folder / "site.yaml"
    path.write_text(to_yaml({"name": "x", "channels": {"sms": {"providers": [found]}}}), encoding="utf-8")
    return path


def complaint(path: Path) -> str:
    """What reading a site complains of."""
    with pytest.raises(InputError) as caught:
        read_site(path, CHANNELS)
    return str(caught.value)


@every_supplier
def test_a_site_needs_no_address(supplier: str, tmp_path: Path) -> None:
    """The vendor's own is known."""
    [found] = read_site(site(supplier, tmp_path), CHANNELS).providers("sms")
    assert found.url is None
    assert CHANNELS["sms"].suppliers[supplier].url.startswith("https://")


@every_supplier
@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"code": ""}, "templates[0].code"),
        ({"text": "【x】暂停"}, "the signature is not part of it"),
        ({"phase": "over"}, "templates[0].phase"),
    ],
)
def test_a_template_that_is_not_filled_in(supplier: str, tmp_path: Path, row: dict[str, str], words: str) -> None:
    """What `sms templates` writes has empty codes: it is not taken as it is."""
    whole = {"phase": "overrun", "language": "zh-Hans", "code": "7", "text": OVERRUN[supplier], **row}
    assert words in complaint(site(supplier, tmp_path, templates=[whole]))


@every_supplier
def test_no_template_and_no_token(supplier: str, tmp_path: Path) -> None:
    """The finding says what the token is for."""
    assert "templates" in complaint(site(supplier, tmp_path, templates=[]))
    assert "callback-token" in complaint(site(supplier, tmp_path, secrets={}))


def test_a_template_of_tencent_has_a_number(tmp_path: Path) -> None:
    """Its code goes on the wire as one; and the console's length of a variable is never guessed."""
    row = {"phase": "overrun", "language": "zh-Hans", "code": "SMS_1", "text": OVERRUN["tencent"]}
    assert "not a number" in complaint(site("tencent", tmp_path, templates=[row]))
    assert "parameter_length" in complaint(site("tencent", tmp_path, parameter_length=None))


@every_supplier
def test_the_vendors_page_names_every_option(supplier: str) -> None:
    """And the secret that proves its callbacks."""
    text = (ROOT / "broadcaster/channels/sms" / supplier / "README.md").read_text(encoding="utf-8")
    fields = CHANNELS["sms"].suppliers[supplier].options.model_fields
    assert [name for name in fields if f"`{name}`" not in text] == []
    assert "callback-token" in text


@pytest.mark.parametrize(("characters", "paid"), [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (500, 8)])
def test_segments(characters: int, paid: int) -> None:
    """Every character counts as one, in English too."""
    assert segments(characters) == paid
    text, price = measure({"text": "a" * characters})
    assert (text.size, price.size, text.over) == (characters, paid, False)
    assert measure({"text": "a" * 501})[0].over


def test_a_quote() -> None:
    """The template, what is paid, and in the site's currency to the last digit."""
    options = options_of("aliyun", price_per_segment="0.045")
    found = quote(message(Phase.NOTICE, "en"), options)
    assert (found.segments, found.price, found.objection) == (4, Decimal("0.180"), None)
    assert options.template(found.name).phase is Phase.NOTICE
    assert quote(message(Phase.NOTICE, "en"), options_of("aliyun")).price is None


def test_a_quote_that_is_an_objection() -> None:
    """No template, no signature, or a text that is too long although a template gives it."""
    notice = message(Phase.NOTICE)
    assert "no template is approved" in (quote(notice, options_of("aliyun", (message(),))).objection or "")
    unsigned = options_of("aliyun", sign_name={"en": "x"})
    assert "no signature is approved for zh-Hans" in (quote(notice, unsigned).objection or "")
    long = replace(notice, parts={"text": f"【青岛人社】{ADDRESSEE}：" + "请" * 500})
    assert "the limit is 500" in (quote(long, options_of("aliyun", (long,))).objection or "")
