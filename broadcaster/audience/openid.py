"""OpenIDs: what an official account knows a follower by.

One has 28 characters of base64's alphabet for addresses (developers.weixin.qq.com, 获取用户基本信息); nothing promises
that it will always be 28, so that the check leaves room on both sides.
"""

from __future__ import annotations

import re

_OPENID = re.compile(r"[A-Za-z0-9_-]{20,64}", re.ASCII)


def openid(text: str) -> str:
    """The openid as it is written; raises ValueError when it is none."""
    if not _OPENID.fullmatch(text):
        raise ValueError("not an openid")
    return text


def masked(text: str) -> str:
    """An openid as it may be shown: `oA****wxyz`."""
    return f"{text[:2]}****{text[-4:]}"
