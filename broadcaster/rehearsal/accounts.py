"""Accounts at suppliers with formats of their own, for a rehearsal that shall go out as the real campaign would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from broadcaster.channels.followers.drafts import drafts
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.reviewed import NAMED
from broadcaster.channels.sms.drafts import draft
from broadcaster.operations.foretelling import foretold
from broadcaster.planning.proposal import Proposal
from broadcaster.rendering.environment import Templates

_ACCOUNTS = (("qingdao-renshe", "青岛人社"), ("qingdao-12333", "青岛12333"), ("qingdao-ai-renshe", "青岛Ai人社"))
_FIRST_CODE = 2022_0001


def vendor_accounts(proposal: Proposal, templates: Templates) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Channel → providers in its sandbox: an Aliyun account that has approved the announcement's texts, and official
    accounts that publish on the platform; and where followers are told, a service account that has the templates for
    it. Raises InputError for a broken template."""
    options = {
        "access_key_id": "LTAI-of-the-sandbox",
        "sign_name": dict(proposal.announcement.owner.signature),
        "templates": list(_approved(proposal, templates)),
    }
    sms = {"name": "aliyun-sms", "label": "阿里云短信", "supplier": "aliyun", "options": options}
    wechat = [
        {"name": name, "label": label, "supplier": "publish", "options": {"appid": f"wx2022{number:012}"}}
        for number, (name, label) in enumerate(_ACCOUNTS)
    ]
    return {"sms": [sms], "wechat": wechat, **_service_account(proposal, templates)}


def _service_account(proposal: Proposal, templates: Templates) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    rows = drafts(foretold(templates, CHANNELS["followers"], proposal))
    chosen = [
        {
            "template_id": f"{number:03}-of-the-sandbox-AAAAAAAAAAAAAAAAAAAAAAAA",
            "language": row.language,
            "phases": [str(phase) for phase in row.phases],
            "text": row.text,
        }
        for number, row in enumerate(rows)
    ]
    options = {"appid": "wx2022follow00", "templates": chosen}
    account = {"name": "qingdao-renshe-service", "label": "青岛人社服务号", "supplier": "official", "options": options}
    return {"followers": [account]} if chosen else {}


def _approved(proposal: Proposal, templates: Templates) -> Iterator[dict[str, str]]:
    """The templates as `sms templates` writes them, each with a code, as if the vendor had reviewed them."""
    drafts = (draft(message, NAMED) for message in foretold(templates, CHANNELS["sms"], proposal))
    rows = dict.fromkeys((str(row.phase), row.language, row.text) for row in drafts)
    for number, (phase, language, text) in enumerate(rows, _FIRST_CODE):
        yield {"phase": phase, "language": language, "code": f"SMS_{number}", "text": text}
