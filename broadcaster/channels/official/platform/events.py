"""The events that the platform sends to an account's server: XML, signed, sealed when the account has a key."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from xml.sax.saxutils import escape

from broadcaster import clock
from broadcaster.channels.callback import Callback
from broadcaster.channels.official.crypto import seal, signature
from broadcaster.channels.official.events import MASS_FINISHED, PUBLISH_FINISHED, TEMPLATE_FINISHED
from broadcaster.channels.official.options import AES_KEY, CALLBACK_TOKEN, appid_of
from broadcaster.channels.provider import Provider

_ACCOUNT = "gh_0123456789ab"
_SYSTEM = "oR5GjjgEhCMJFyzaVZdrxZ2zRRF4"


def mass_finished(msg_id: int, status: str, followers: int) -> str:
    """MASSSENDJOBFINISH."""
    sent = followers if status == "send success" else 0
    return _event(
        MASS_FINISHED,
        f"<MsgID>{msg_id}</MsgID><Status>{escape(status)}</Status><TotalCount>{followers}</TotalCount>"
        f"<FilterCount>{sent}</FilterCount><SentCount>{sent}</SentCount><ErrorCount>0</ErrorCount>"
        "<ArticleUrlResult><Count>1</Count><ResultList><item><ArticleIdx>1</ArticleIdx>"
        "<ArticleUrl>https://mp.weixin.qq.com/s/stand-in</ArticleUrl></item></ResultList></ArticleUrlResult>",
    )


def publish_finished(publish_id: int, status: int, article_id: str) -> str:
    """PUBLISHJOBFINISH."""
    article = (
        f"<article_id>{article_id}</article_id><article_detail><count>1</count><item><idx>1</idx>"
        "<article_url>https://mp.weixin.qq.com/s/stand-in</article_url></item></article_detail>"
    )
    return _event(
        PUBLISH_FINISHED,
        f"<PublishEventInfo><publish_id>{publish_id}</publish_id><publish_status>{status}</publish_status>"
        f"{article if status == 0 else '<fail_idx>1</fail_idx>'}</PublishEventInfo>",
    )


def template_finished(openid: str, msg_id: int, status: str) -> str:
    """TEMPLATESENDJOBFINISH, in the name of whom the message was for."""
    fields = f"<MsgID>{msg_id}</MsgID><Status><![CDATA[{status}]]></Status>"
    return _event(TEMPLATE_FINISHED, fields, openid)


def callback(provider: Provider, xml: str) -> Callback:
    """An event on its way to the account's server, signed now."""
    token, key = provider.secrets[CALLBACK_TOKEN], provider.secrets.get(AES_KEY)
    timestamp, nonce = str(int(clock.machine_now().timestamp())), str(secrets.randbelow(10**10))
    query = {"signature": signature(token, timestamp, nonce), "timestamp": timestamp, "nonce": nonce, "openid": _SYSTEM}
    if key is None:
        return _request(query, xml)
    sealed = seal(key, appid_of(provider), xml.encode())
    query |= {"encrypt_type": "aes", "msg_signature": signature(token, timestamp, nonce, sealed)}
    return _request(query, f"<xml><ToUserName>{_ACCOUNT}</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>")


def _request(query: Mapping[str, str], body: str) -> Callback:
    return Callback("POST", query, {"content-type": "text/xml"}, body.encode())


def _event(name: str, fields: str, sender: str = _SYSTEM) -> str:
    return (
        f"<xml><ToUserName><![CDATA[{_ACCOUNT}]]></ToUserName><FromUserName><![CDATA[{sender}]]></FromUserName>"
        f"<CreateTime>{int(clock.now().timestamp())}</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        f"<Event><![CDATA[{name}]]></Event>{fields}</xml>"
    )
