"""The gallery: every message of an announcement as a file, and one static page that shows them all side by side.

How a channel's messages look is a template, not code: `gallery/<channel>.cell.html.j2` draws one in the page (without
it, its parts are listed), and a channel with a `gallery/<channel>.page.html.j2` also gets each message as a whole page.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from broadcaster.announcement.model import Announcement
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.message import Message
from broadcaster.rendering.renderer import AT_PLAN_TIME
from broadcaster.rendering.view import view

_INDEX = "gallery/index.html.j2"
_PAGE = "gallery/{channel}.page.html.j2"


def write_gallery(
    out: Path, messages: Sequence[Message], announcement: Announcement, templates: Templates
) -> list[Path]:
    """Write each message to `<out>/<channel>/<phase>.<language>.<ext>` and all of them to `<out>/index.html`.

    A text is written as `.txt`, a message of several parts as `.json`, and one with a page template as `.html`.
    Returns the written files, the index first. Raises InputError when a gallery template is wrong.
    """
    written = [(message, _write(out, message, announcement, templates)) for message in _unique(messages)]
    index = out / "index.html"
    index.parent.mkdir(parents=True, exist_ok=True)
    values = {
        "announcement": view(announcement, announcement.languages[0], AT_PLAN_TIME),
        "languages": _in_order((message.language for message in messages), announcement.languages),
        "phases": [str(phase) for phase in Phase if any(message.phase is phase for message in messages)],
        "channels": _in_order((message.channel for message in messages), ()),
        "messages": [_cell(message, path.relative_to(out)) for message, path in written],
    }
    index.write_text(templates.render(_INDEX, None, values, keep_html=True) + "\n", encoding="utf-8")
    return [index, *(path for _, path in written)]


def _write(out: Path, message: Message, announcement: Announcement, templates: Templates) -> Path:
    extension, text = _file(message, announcement, templates)
    path = out / message.channel / f"{message.phase}.{message.language}.{extension}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _file(message: Message, announcement: Announcement, templates: Templates) -> tuple[str, str]:
    """(extension, content) of the file in which a person would want to read the message."""
    page = _PAGE.format(channel=message.channel)
    if page in templates.names():
        values = {"message": _cell(message, Path()), "owner": announcement.owner.name[message.language]}
        return "html", templates.render(page, None, values, keep_html=True)
    if set(message.parts) == {"text"}:
        return "txt", message.parts["text"]
    return "json", json.dumps(dict(message.parts), ensure_ascii=False, indent=2)


def _cell(message: Message, path: Path) -> dict[str, Any]:
    """What a gallery template sees of a message."""
    return {
        "channel": message.channel,
        "phase": str(message.phase),
        "language": message.language,
        "parts": dict(message.parts),
        "measures": message.measures,
        "over": bool(message.over),
        "file": path.as_posix(),
    }


def _unique(messages: Iterable[Message]) -> list[Message]:
    """The last message of each channel, phase and language: there is one file for it."""
    return list({(m.channel, m.phase, m.language): m for m in messages}.values())


def _in_order(found: Iterable[str], wanted: Sequence[str]) -> list[str]:
    """Distinct values: the wanted ones first, in their order, then the rest as they came."""
    distinct = list(dict.fromkeys(found))
    return [*(value for value in wanted if value in distinct), *(value for value in distinct if value not in wanted)]
