"""The site that is written for a sandbox: the usual stand-ins, or those that somebody asks for."""

from __future__ import annotations

import stat
from pathlib import Path

from broadcaster.channels.provider import Idempotency
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.supplier import WEBHOOK
from broadcaster.sandbox.site import is_sandbox_site, write_sandbox_site
from broadcaster.site import read_site, resolve, resolve_operator

HERE = "http://127.0.0.1:9"


def test_every_channel_has_stand_ins_whose_secrets_are_their_owners(tmp_path: Path) -> None:
    """Each at an address of its own, with a secret that nobody else may read."""
    path = write_sandbox_site(tmp_path, sandbox_url=HERE, public_url=HERE)
    assert is_sandbox_site(path)
    site = read_site(path, CHANNELS)
    for slug in CHANNELS:
        for row in site.providers(slug):
            assert row.url == f"{HERE}/{slug}/{row.name}"
            secret = resolve(row, tmp_path, CHANNELS[slug]).secret
            assert secret.startswith("whsec_") == (row.supplier == WEBHOOK)
            assert stat.S_IMODE((tmp_path / "secrets" / f"{slug}-{row.name}").stat().st_mode) == 0o600


def test_a_channel_without_our_own_format_has_a_stand_in_of_its_own_supplier(tmp_path: Path) -> None:
    """Whoever adds a channel need not name one."""
    site = read_site(write_sandbox_site(tmp_path, sandbox_url=HERE, public_url=HERE), CHANNELS)
    for slug, channel in ((slug, channel) for slug, channel in CHANNELS.items() if not channel.registered):
        first = WEBHOOK if WEBHOOK in channel.suppliers else next(iter(channel.suppliers))
        assert {row.supplier for row in site.providers(slug)} == {first}


def test_operators_have_a_stand_in(tmp_path: Path) -> None:
    """Asking the owner is rehearsed as well."""
    path = write_sandbox_site(tmp_path, sandbox_url=HERE, public_url=HERE)
    [operator] = read_site(path, CHANNELS).operators
    assert (operator.name, operator.url) == ("duty-desk", f"{HERE}/operators/duty-desk")
    assert resolve_operator(operator, tmp_path).secret.startswith("whsec_")


def test_a_channel_can_have_other_stand_ins(tmp_path: Path) -> None:
    """They say what a site can say of a provider; the other channels keep theirs."""
    deaf = {"name": "deaf", "idempotency": "none", "members_per_call": 50, "timeout_seconds": 2}
    write_sandbox_site(tmp_path, sandbox_url=HERE, public_url=HERE, stand_ins={"sms": [deaf, {"name": "usual"}]})
    site = read_site(tmp_path / "site.yaml", CHANNELS)
    first, second = (resolve(row, tmp_path, CHANNELS["sms"]) for row in site.providers("sms"))
    assert (first.name, first.idempotency, first.members_per_call, first.timeout) == ("deaf", Idempotency.NONE, 50, 2)
    assert (second.name, second.idempotency, second.timeout) == ("usual", None, 3)
    assert {row.name for row in site.providers("banner")} == {"bureau-site", "government-portal"}


def test_secrets_stay_when_the_site_is_written_again(tmp_path: Path) -> None:
    """Whoever knows them goes on knowing them."""
    secrets = []
    for _ in range(2):
        path = write_sandbox_site(tmp_path, sandbox_url=HERE, public_url=HERE)
        secrets.append(
            [resolve(row, tmp_path, CHANNELS["kiosk"]).secret for row in read_site(path, CHANNELS).providers("kiosk")]
        )
    assert secrets[0] == secrets[1]
    assert len(set(secrets[0])) == len(secrets[0])
