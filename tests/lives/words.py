"""Words: what messages look like in these lives, and reading them back. A site's own templates, one line each."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.lives.truth import Statement, Status

LANGUAGE = "zh-Hans"
ZONE = ZoneInfo("Asia/Shanghai")
_COUNTERS = "{% for row in impacts[1:] %};counters={{ row.last_acceptance }}{% endfor %}"
"""The row of the counters comes second, for whoever it concerns."""
_PLANNED = "planned;start={{ starts }};end={{ ends }}" + _COUNTERS
_CHANGED = "{% for row in changes if row.what == 'end' and row.old %};was_end={{ row.old }}{% endfor %}"
_LINES = {
    **dict.fromkeys(("notice", "reminder", "started", "ongoing"), _PLANNED),
    "changed": _PLANNED + _CHANGED,
    "overrun": "overrun;end={{ ends }}",
    "restored": "restored;back={{ restored }}",
    "cancelled": "cancelled",
}
_BLOCKS = ("title", "author", "digest", "body")
_TIME = re.compile(r"(\d+)年(\d+)月(\d+)日(\d+)时(?:(\d+)分)?")


def write_templates(folder: Path) -> Path:
    """Write a template for each phase of both channels; gives the folder."""
    for phase, line in _LINES.items():
        for name, text in {f"sms/{phase}.{LANGUAGE}.txt": line, f"wechat/{phase}.{LANGUAGE}.html": _post(line)}.items():
            path = folder / f"{name}.j2"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return folder


def read(text: str) -> Statement:
    """What a message's text says."""
    status, *rest = text.split(";")
    said = dict(part.split("=") for part in rest)
    times = {name: _instant(value) for name, value in said.items() if name != "was_end"}
    return Statement(Status(status), was_end=said.get("was_end", ""), **times)


def day_of(end: datetime) -> str:
    """An end as a message's `was_end` writes it."""
    local = end.astimezone(ZONE)
    if (local.hour, local.minute) == (0, 0):
        return f"{(day := local - timedelta(days=1)).month}月{day.day}日24时"
    return f"{local.month}月{local.day}日{local.hour}时" + (f"{local.minute:02d}分" if local.minute else "")


def _post(line: str) -> str:
    return "".join(f"{{% block {name} %}}{line}{{% endblock %}}" for name in _BLOCKS)


def _instant(text: str) -> datetime:
    found = _TIME.fullmatch(text)
    assert found, text
    year, month, day, hour, minute = (int(part or 0) for part in found.groups())
    return datetime(year, month, day, tzinfo=ZONE) + timedelta(hours=hour, minutes=minute)
