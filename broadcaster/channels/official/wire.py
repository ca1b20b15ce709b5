"""What goes over the wire to the platform of WeChat official accounts: paths, payloads, limits, and what codes mean.

Source: developers.weixin.qq.com, 公众号 (stable_token, draft, freepublish, mass sending, return codes). Where the
documents are silent or contradict each other, the table takes the more careful reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from broadcaster.channels.call import Call
from broadcaster.errors import AmbiguousError, PermanentError, SpoiltError, TransientError
from broadcaster.rendering.message import Parts

API = "https://api.weixin.qq.com"

STABLE_TOKEN = "/cgi-bin/stable_token"  # noqa: S105 - a path
ADD_MATERIAL = "/cgi-bin/material/add_material"
DELETE_MATERIAL = "/cgi-bin/material/del_material"
ADD_DRAFT = "/cgi-bin/draft/add"
LIST_DRAFTS = "/cgi-bin/draft/batchget"
DELETE_DRAFT = "/cgi-bin/draft/delete"
SEND_ALL = "/cgi-bin/message/mass/sendall"
PREVIEW = "/cgi-bin/message/mass/preview"
MASS_GET = "/cgi-bin/message/mass/get"
MASS_DELETE = "/cgi-bin/message/mass/delete"
SUBMIT = "/cgi-bin/freepublish/submit"
PUBLISH_GET = "/cgi-bin/freepublish/get"
PUBLISH_DELETE = "/cgi-bin/freepublish/delete"
LIST_PUBLISHED = "/cgi-bin/freepublish/batchget"
SEND_TEMPLATE = "/cgi-bin/message/template/send"
LIST_TEMPLATES = "/cgi-bin/template/get_all_private_template"
"""Asked with GET, as nothing else is."""
QUOTA_GET = "/cgi-bin/openapi/quota/get"

PAGE = 20
"""The most rows of one answer of a list."""
BROADCAST_CHARACTERS = 20
"""So much of a `clientmsgid`, or of an article's mark, names the broadcast."""
MARK_CHARACTERS = 32
"""The longest `clientmsgid`; all of it ASCII."""
MAX_LINK_BYTES = 1_000
"""Of `content_source_url`."""

STALE_TOKEN = frozenset({40001, 40014, 42001})
"""The access token is none, or none any more."""
WRONG_SECRET, WRONG_SECRET_TOO = 40125, 40001
"""Where a token is asked for, 40001 is about the AppSecret."""
UNKNOWN_MEDIA = 40007
ALREADY_SENT = 45065
"""A `clientmsgid` that was sent before; the answer of a mass send names its `msg_id`."""
NOT_WHITELISTED = 40164
UNKNOWN_ARTICLE = 53600
"""Also of one that was taken down before."""

PUBLISHED, PUBLISHING = 0, 1
"""`publish_status`."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a return code says, for people; which error it is, and for how many seconds there is no use in asking."""

    words: str
    error: type[TransientError] | type[PermanentError] | type[AmbiguousError] = PermanentError
    retry_after: float | None = None


_HOUR = 3600.0

CODES: Mapping[int, Code] = {
    # Perhaps done all the same.
    -1: Code("the platform is busy", AmbiguousError, 10),
    45066: Code("the same message was repeated within a minute", AmbiguousError, 60),
    # Surely not done, and worth another try.
    40001: Code("its access token is refused, and a fresh one too", TransientError, 60),
    40014: Code("its access token is refused, and a fresh one too", TransientError, 60),
    42001: Code("its access token has expired, and a fresh one too", TransientError, 60),
    45009: Code("this interface may not be called any more today", TransientError, _HOUR),
    45011: Code("it was called too often within a minute", TransientError, 60),
    45028: Code("its quota of mass sends is used up", TransientError, _HOUR),
    53501: Code("it published too often", TransientError, _HOUR),
    # A human must mend the account, or what the site says of it.
    40002: Code("the type of credential is refused"),
    40013: Code("its AppID is not one"),
    40125: Code("its AppSecret is wrong"),
    40164: Code("the address of this machine is not on the account's IP whitelist"),
    40243: Code("its AppSecret is frozen"),
    48001: Code("the account has no right to this interface: is it verified?"),
    48004: Code("the platform has closed this interface to the account"),
    48008: Code("the account may not send this type of message"),
    50002: Code("the account is restricted"),
    50004: Code("the account may not use this interface"),
    50007: Code("the account is frozen"),
    53500: Code("the account may not publish"),
    53504: Code("an administrator must use publishing on the platform's site once, before interfaces may"),
    53505: Code("an administrator must save this draft on the platform's site first"),
    89501: Code("an administrator has yet to allow this machine's address"),
    89503: Code("an administrator has yet to allow this machine's address"),
    89506: Code("an administrator has forbidden this machine's address for a day"),
    89507: Code("an administrator has forbidden this machine's address for an hour"),
    # A human must mend the words.
    40007: Code("the platform does not know the draft or its cover"),
    45002: Code("the article is too long"),
    45003: Code("the title is too long"),
    45004: Code("the digest is too long"),
    45008: Code("the article is too long"),
    45067: Code("the clientmsgid is too long"),
    45110: Code("the author's name is too long"),
    45166: Code("the article has content that the platform does not allow"),
    47001: Code("the platform could not read the request"),
    40037: Code("the account has no such template at the platform"),
    47003: Code("the platform refuses a field of the request"),
    53502: Code("the draft is not one that can be published"),
    53503: Code("the draft failed the platform's check"),
    # Whom it is for: that says nothing against the account.
    40003: Code("there is no such follower", SpoiltError),
    43004: Code("the reader does not follow the account", SpoiltError),
    43019: Code("the account has blocked the reader", SpoiltError),
    43101: Code("the reader does not take such messages", SpoiltError),
    48002: Code("the reader takes no messages of the account", SpoiltError),
    50005: Code("the reader no longer follows the account", SpoiltError),
    40132: Code("there is no such WeChat name, or it does not follow the account"),
    40059: Code("the platform does not know the message"),
    53600: Code("the platform does not know the article"),
}


def article(call: Call, cover: str, mark: str = "") -> dict[str, Any]:
    """The one article of a draft. A `mark` goes into the address behind "read more", which the page itself ignores."""
    parts = call.messages[call.members[0].language].parts
    return {**article_of(parts, cover), "content_source_url": marked(call.link, mark)}


def article_of(parts: Parts, cover: str) -> dict[str, Any]:
    """An article from the parts of a message, without an address behind "read more"."""
    return {
        "article_type": "news",
        "title": parts["title"],
        "author": parts["author"],
        "digest": parts["digest"],
        "content": parts["body"],
        "content_source_url": "",
        "thumb_media_id": cover,
        "need_open_comment": 0,
        "only_fans_can_comment": 0,
    }


def marked(link: str | None, mark: str) -> str:
    """A link with a mark as its fragment; nothing where there is no link, or the mark makes it too long."""
    found = f"{link.partition('#')[0]}#{mark}" if link and mark else link or ""
    return found if len(found.encode()) <= MAX_LINK_BYTES else ""


def mark_of(url: str) -> str:
    """The mark in the address behind "read more"; empty where there is none."""
    fragment = url.partition("#")[2]
    return fragment if len(fragment) == MARK_CHARACTERS and fragment.isascii() else ""


def sending(media_id: str, clientmsgid: str, tag: int | None) -> dict[str, Any]:
    """`mass/sendall`: to every follower, or to those of a tag."""
    to: dict[str, Any] = {"is_to_all": True} if tag is None else {"is_to_all": False, "tag_id": tag}
    return {
        "filter": to,
        "mpnews": {"media_id": media_id},
        "msgtype": "mpnews",
        "send_ignore_reprint": 0,
        "clientmsgid": clientmsgid,
    }
