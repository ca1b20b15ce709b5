"""The text that one person reads, for suppliers that are given each text by itself."""

from __future__ import annotations

from broadcaster.channels.call import Call, Member
from broadcaster.rendering.message import personalised
from broadcaster.rendering.wording import wording


def text_of(call: Call, member: Member) -> str:
    """The member's text, with their name where it names its reader."""
    message = call.messages[member.language]
    text = message.parts["text"]
    return personalised(text, member.name, wording(member.language).addressee) if message.personal else text
