"""Followers of a service account, for tests: who they are, an announcement that tells them, an account that can."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from broadcaster.announcement.source import to_yaml
from broadcaster.channels.followers.adapter import CHANNEL
from broadcaster.channels.followers.drafts import drafts
from broadcaster.operations.foretelling import foretold
from broadcaster.planning.policy import Policy
from broadcaster.planning.proposal import Proposal
from broadcaster.rendering.environment import Templates
from tests.support.examples import EXAMPLE, example

APPID = "wx0123456789abcdef"
SECRETS = {"callback-token": "env:FOLLOWERS_TOKEN", "aes-key": "env:FOLLOWERS_AES_KEY"}
VARIABLES = {
    "FOLLOWERS_SECRET": "0123456789abcdef0123456789abcdef",
    "FOLLOWERS_TOKEN": "a-callback-token",
    "FOLLOWERS_AES_KEY": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
}
RULES = ("notice", "started", "changed", "overrun", "restored", "cancelled")


def openid(number: int) -> str:
    """The openid of a follower; its last digits are the number's."""
    return f"oV5CrjpxgaGXNHIQigzN{number:08}"


def followed(audience: str | None = None) -> Proposal:
    """The example, told to followers; its notice to some of them only, if that is said."""
    known = example()
    policy = known.policy.model_dump(mode="json")
    for name in RULES:
        for rule in policy[name]:
            rule["channels"] = [*rule["channels"], CHANNEL.slug]
    if audience:
        policy["notice"] = [{**rule, "channels": [CHANNEL.slug], "audience": audience} for rule in policy["notice"]]
    return known.model_copy(update={"policy": Policy.model_validate(policy)})


def followed_file(path: Path) -> Path:
    """The example as a file whose policy tells followers too."""
    policy = followed().policy.model_dump(mode="json")
    rules = {name: policy[name] for name in RULES}
    path.write_text(EXAMPLE.read_text(encoding="utf-8") + to_yaml({"policy": rules}), encoding="utf-8")
    return path


def provider(*proposals: Proposal) -> dict[str, Any]:
    """The account as a site writes it, with the templates that give what these say."""
    rows = drafts(message for one in proposals for message in foretold(Templates(), CHANNEL, one))
    templates = [
        {
            "template_id": f"{number:03}-ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izE",
            "language": row.language,
            "phases": [str(phase) for phase in row.phases],
            "text": row.text,
        }
        for number, row in enumerate(rows)
    ]
    return {
        "name": "service-account",
        "supplier": "official",
        "secret": "env:FOLLOWERS_SECRET",
        "secrets": SECRETS,
        "options": {"appid": APPID, "templates": templates},
    }


def file_of(path: Path, openids: Iterable[str], more: Sequence[str] = ()) -> Path:
    """A file of followers, every third with the tag `pensioner`; `more` lines stand at its end."""
    rows = [f"{one},Follower {n},zh-Hans,{'pensioner' if n % 3 == 0 else ''}" for n, one in enumerate(openids)]
    path.write_text("\n".join(["openid,name,language,tags", *rows, *more, ""]), encoding="utf-8")
    return path
