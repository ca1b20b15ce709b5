"""The site's configuration: channels, folders, and secrets that stand elsewhere."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from broadcaster.channels.provider import BreakerRule, Idempotency, Pace, Quota
from broadcaster.errors import InputError
from broadcaster.site import ProviderConfig, Site, read_site, resolve, resolve_operator
from tests.builders import CHANNELS

SITE = """\
name: our bureau
public_url: https://notices.example.org
channels:
  sms:
    providers:
      - {name: vendor, url: https://sms.example.org/send, secret: env:SMS_SECRET}
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _problems(folder: Path, text: str) -> list[str]:
    path = _write(folder, text)
    with pytest.raises(InputError) as caught:
        read_site(path, CHANNELS)
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


def _provider(secret: str) -> ProviderConfig:
    return ProviderConfig(name="vendor", url="https://sms.example.org/send", secret=secret)


def _secret_file(folder: Path, content: bytes, mode: int = 0o600) -> ProviderConfig:
    path = folder / "sms"
    path.write_bytes(content)
    path.chmod(mode)
    return _provider("file:sms")


def test_a_site_names_its_channels_and_their_providers(tmp_path: Path) -> None:
    """A channel that it does not use has none."""
    site = read_site(_write(tmp_path, SITE), CHANNELS)
    assert [row.name for row in site.providers("sms")] == ["vendor"]
    assert site.providers("kiosk") == ()
    assert not site.allow_private_addresses


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SITE.replace("- {", "[] # {"), "5 channels.sms.providers: Tuple should have at least 1 item"),
        (
            SITE.replace("  sms:", "  fax:"),
            f"4 channels.fax: no channel is called 'fax' (known channels: {', '.join(CHANNELS)})",
        ),
        (SITE + "colour: red\n", "7 colour: unknown field 'colour'"),
        (SITE + "name: another\n", "7 name: the field is given twice"),
        (SITE.replace("name: our bureau\n", ""), "1 name: the field is missing"),
        (SITE.replace("https://sms", "ftp://sms"), "6 channels.sms.providers[0].url: not in the expected form"),
        (SITE.replace("env:SMS_SECRET", "hunter2"), "6 channels.sms.providers[0].secret: not in the expected form"),
        (
            SITE.replace("- {", "- {timeout_seconds: 0, "),
            "6 channels.sms.providers[0].timeout_seconds: Input should be",
        ),
    ],
)
def test_a_wrong_configuration_is_found_at_its_line(tmp_path: Path, text: str, said: str) -> None:
    """Channels, fields, addresses, and a secret written into the file itself."""
    found = _problems(tmp_path, text)
    assert [problem for problem in found if said in problem], found


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("idempotency: idempotent", "idempotency: wecom is `none`, and nothing makes it `idempotent`"),
        ("idempotency: queryable", "idempotency: wecom is `none`, and nothing makes it `queryable`"),
        ("members_per_call: 2", "members_per_call: wecom takes 1 in one call at most"),
    ],
)
def test_a_supplier_does_no_more_than_it_does(tmp_path: Path, field: str, said: str) -> None:
    """Nobody is told twice because a line of the site says that a repeat does no harm."""
    bot = SITE.replace("  sms:", "  wecom:").replace("- {", "- {supplier: wecom, ")
    found = _problems(tmp_path, bot.replace("- {", f"- {{{field}, "))
    assert [problem for problem in found if said in problem], found
    read_site(_write(tmp_path, bot.replace("- {", "- {idempotency: none, members_per_call: 1, ")), CHANNELS)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (
            "pace: {calls_per_second: 0}",
            "pace.calls_per_second: with a limit of zero or less nothing would ever be sent",
        ),
        ("pace: {messages_per_second: -5}", "pace.messages_per_second: with a limit of zero or less"),
        ("pace: {messages_per_second: fast}", "pace.messages_per_second: Input should be a valid number"),
        ("pace: {messages_per_second: .inf}", "pace.messages_per_second: Input should be a valid number"),
        ("pace: {messages_per_second: nan}", "pace.messages_per_second: Input should be a finite number"),
        ("pace: {per_second: 5}", "pace.per_second: unknown field 'per_second'"),
        ("quota: {per_day: 0}", "quota.per_day: with a limit of zero or less nothing would ever be sent (leave the"),
        ("quota: {per_month: 0.5}", "quota.per_month: Input should be a valid integer"),
        ("quota: {per_recipient_per_day: -1}", "quota.per_recipient_per_day: with a limit of zero or less"),
        ("weight: -1", "weight: Input should be greater than or equal to 0"),
        ("idempotency: maybe", "idempotency: Input should be 'idempotent', 'queryable' or 'none'"),
        ("members_per_call: 1001", "members_per_call: Input should be less than or equal to 1000"),
        ("breaker: {failures: 120%}", "breaker.failures: 120% is more than all of them (write 20 % as 20% or 0.2)"),
        ("breaker: {failures: 20}", "breaker.failures: 2000% is more than all of them (write 20 % as 20% or 0.2)"),
        ("breaker: {failures: 0%}", "breaker.failures: a share is more than 0"),
        ("breaker: {failures: most%}", "breaker.failures: Input should be a valid number"),
        ("breaker: {calls: 1}", "breaker.calls: Input should be greater than or equal to 2"),
        ("breaker: {open_seconds: 0}", "breaker.open_seconds: Input should be greater than 0"),
    ],
)
def test_a_wrong_limit_of_a_provider_is_found(tmp_path: Path, field: str, said: str) -> None:
    """Before anything is sent, and with what to write instead."""
    found = _problems(tmp_path, SITE.replace("- {", f"- {{{field}, "))
    assert len(found) == 1
    assert f"6 channels.sms.providers[0].{said}" in found[0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("canary: {share: 101%}", "7 canary.share: 101% is more than all of them"),
        ("canary: {failures: 1.5}", "7 canary.failures: 150% is more than all of them"),
        ("canary: {failures: 0}", "7 canary.failures: a share is more than 0"),
        ("canary: {above: -1}", "7 canary.above: Input should be greater than or equal to 0"),
    ],
)
def test_a_wrong_canary_is_found(tmp_path: Path, line: str, said: str) -> None:
    """One that could never halt a broadcast would be none."""
    found = _problems(tmp_path, SITE + line + "\n")
    assert [problem for problem in found if said in problem], found


@pytest.mark.parametrize("line", ["", "canary: null\n", "canary: {}\n", "canary: {share: 1%, failures: 20%}\n"])
def test_a_site_that_says_nothing_of_its_canary_has_one(tmp_path: Path, line: str) -> None:
    """A hundredth of what is sent to more than 100,000, and a fifth of it may fail."""
    canary = read_site(_write(tmp_path, SITE + line), CHANNELS).canary
    assert (canary.above, canary.share, canary.failures) == (100_000, 0.01, 0.2)


def test_a_share_is_written_as_a_number_or_in_percent(tmp_path: Path) -> None:
    """Up to the whole."""
    site = read_site(_write(tmp_path, SITE + "canary: {share: 0.5, failures: 100 %}\n"), CHANNELS)
    assert (site.canary.share, site.canary.failures) == (0.5, 1.0)


def test_what_a_provider_may_be_asked_to_do_goes_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every field of its limits, and how it is called."""
    monkeypatch.setenv("SMS_SECRET", "whsec_abc")
    fields = """\
        idempotency: queryable
        visible_after_seconds: 90
        members_per_call: 50
        weight: 0
        pace: {calls_per_second: 0.5, messages_per_second: 25}
        quota: {per_day: 1000, per_month: 20000, per_recipient_per_day: 3}
        breaker: {failures: 25%, calls: 40, window_seconds: 60, open_seconds: 5}
"""
    text = (
        SITE.replace("- {", "- ")
        .replace("}", "")
        .replace(", url", "\n        url")
        .replace(", secret", "\n        secret")
    )
    found = resolve(read_site(_write(tmp_path, text + fields), CHANNELS).providers("sms")[0], tmp_path, CHANNELS["sms"])
    assert (found.idempotency, found.visible_after) == (Idempotency.QUERYABLE, timedelta(seconds=90))
    assert (found.members_per_call, found.weight) == (50, 0)
    assert found.pace == Pace(calls_per_second=0.5, messages_per_second=25)
    assert found.quota == Quota(per_day=1000, per_month=20_000, per_recipient_per_day=3)
    assert found.breaker == BreakerRule(failures=0.25, calls=40, window_seconds=60, open_seconds=5)


def test_a_provider_that_says_nothing_of_limits_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But a circuit breaker, which never opens on a single failure."""
    monkeypatch.setenv("SMS_SECRET", "whsec_abc")
    found = resolve(_provider("env:SMS_SECRET"), tmp_path, CHANNELS["sms"])
    assert not found.pace.limited
    assert (found.quota, found.weight, found.breaker) == (Quota(), 1, BreakerRule())
    assert (found.idempotency, found.visible_after, found.members_per_call) == (None, None, None)


def test_every_problem_of_a_site_is_said_at_once(tmp_path: Path) -> None:
    """One look at the file is enough."""
    found = _problems(tmp_path, SITE.replace("https://sms", "ftp://sms") + "colour: red\nname: another\n")
    assert [problem.split(":")[0].split(" ")[1] for problem in found] == [
        "name",
        "channels.sms.providers[0].url",
        "colour",
    ]


def test_a_secret_that_was_written_into_the_file_is_not_repeated_in_the_error(tmp_path: Path) -> None:
    """Errors end up in logs and tickets."""
    assert "hunter2" not in "\n".join(_problems(tmp_path, SITE.replace("env:SMS_SECRET", "hunter2")))


def test_templates_are_looked_for_beside_the_file(tmp_path: Path) -> None:
    """A relative folder belongs to the file that names it, wherever the program was started."""
    site = read_site(_write(tmp_path, SITE + "templates: ours\n"), CHANNELS)
    assert site.templates == tmp_path / "ours"


def test_an_absolute_template_folder_stays(tmp_path: Path) -> None:
    """Whatever folder the file is in."""
    site = read_site(_write(tmp_path, SITE + "templates: /srv/templates\n"), CHANNELS)
    assert site.templates == Path("/srv/templates")


def test_a_secret_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And never shows in a repr, of the provider or of the site."""
    monkeypatch.setenv("SMS_SECRET", "whsec_hunter2")
    site = read_site(_write(tmp_path, SITE), CHANNELS)
    provider = resolve(site.providers("sms")[0], tmp_path, CHANNELS["sms"])
    assert provider.secret == "whsec_hunter2"
    assert "hunter2" not in f"{provider!r} {provider} {site!r}"


@pytest.mark.parametrize("value", [None, "", " \n"])
def test_an_unset_secret_says_which_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    """Unset, empty and blank are the same."""
    monkeypatch.delenv("SMS_SECRET", raising=False)
    if value is not None:
        monkeypatch.setenv("SMS_SECRET", value)
    with pytest.raises(InputError, match=r"provider vendor: its secret is not set \(set SMS_SECRET"):
        resolve(_provider("env:SMS_SECRET"), tmp_path, CHANNELS["sms"])


def test_a_secret_comes_from_a_file_of_its_own(tmp_path: Path) -> None:
    """Without the line break that an editor adds; relative to the folder of the site's file."""
    assert resolve(_secret_file(tmp_path, b"whsec_abc\n"), tmp_path, CHANNELS["sms"]).secret == "whsec_abc"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o660, 0o644])
def test_a_secret_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    """And the hint says how to close it."""
    with pytest.raises(InputError, match=r"others than its owner may read this secret \(chmod 600"):
        resolve(_secret_file(tmp_path, b"whsec_abc", mode), tmp_path, CHANNELS["sms"])


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(InputError, match=r"none: the secret cannot be read: No such file"):
        resolve(_provider("file:none"), tmp_path, CHANNELS["sms"])


@pytest.mark.parametrize("content", [b"", b"\n"])
def test_an_empty_secret_file_is_no_secret(tmp_path: Path, content: bytes) -> None:
    """A signature with nothing is none."""
    with pytest.raises(InputError, match="its secret is not set"):
        resolve(_secret_file(tmp_path, content), tmp_path, CHANNELS["sms"])


def test_a_secret_file_that_is_no_text_is_refused_without_showing_it(tmp_path: Path) -> None:
    """Raw key bytes are not how the scheme writes a secret."""
    with pytest.raises(InputError, match="the secret is not ASCII text") as caught:
        resolve(_secret_file(tmp_path, b"hunter2\xff"), tmp_path, CHANNELS["sms"])
    assert "hunter2" not in str(caught.value)


def test_a_provider_without_a_label_is_called_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The label is what the public calls it."""
    monkeypatch.setenv("SMS_SECRET", "whsec_abc")
    config = _provider("env:SMS_SECRET")
    assert resolve(config, tmp_path, CHANNELS["sms"]).label == "vendor"
    assert resolve(config.model_copy(update={"label": "our vendor"}), tmp_path, CHANNELS["sms"]).label == "our vendor"


def test_a_site_without_channels_reaches_nobody_yet() -> None:
    """Enough to look at drafts."""
    assert Site(name="new").providers("sms") == ()


OPERATOR = """\
operators:
  - {name: duty-desk, url: https://chat.example.org/hook, secret: env:DUTY_DESK_SECRET}
"""


def test_a_site_names_its_operators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their secrets stand elsewhere, and an answer may take five seconds."""
    [config] = read_site(_write(tmp_path, SITE + OPERATOR), CHANNELS).operators
    monkeypatch.setenv("DUTY_DESK_SECRET", "whsec_" + "c" * 32)
    found = resolve_operator(config, tmp_path)
    assert (found.name, found.url, found.timeout) == ("duty-desk", "https://chat.example.org/hook", 5)
    assert found.secret not in repr(found)


def test_an_operator_without_a_secret_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an operator, not as a provider."""
    [config] = read_site(_write(tmp_path, SITE + OPERATOR), CHANNELS).operators
    monkeypatch.delenv("DUTY_DESK_SECRET", raising=False)
    with pytest.raises(InputError, match="operator duty-desk: its secret is not set") as caught:
        resolve_operator(config, tmp_path)
    assert "set DUTY_DESK_SECRET to the secret shared with that operator" in str(caught.value)


def test_two_operators_of_one_name_are_refused(tmp_path: Path) -> None:
    """Nobody could say which of them was asked."""
    twice = OPERATOR + OPERATOR.splitlines(keepends=True)[1]
    assert _problems(tmp_path, SITE + twice) == ["7 operators: two operators have the same name"]


def test_a_channel_of_openids_has_one_account(tmp_path: Path) -> None:
    """At any other account its people would be nobody."""
    account = "{name: %s, url: https://a.example.org/x, secret: env:A_SECRET}"
    text = f"name: a\nchannels:\n  followers:\n    providers:\n      - {account % 'one'}\n      - {account % 'two'}\n"
    says = "the openids of its people mean nothing to any other account"
    assert _problems(tmp_path, text) == [
        f"6 channels.followers.providers[1]: this channel has exactly one provider ({says})"
    ]
    assert read_site(_write(tmp_path, "\n".join(text.splitlines()[:-1])), CHANNELS).providers("followers")
