"""The example announcement, and files that differ from it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from broadcaster.channels.registry import CHANNELS
from broadcaster.operations.reach import Reach
from broadcaster.planning.capacity import UNPACED
from broadcaster.planning.proposal import Proposal, read

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/qingdao-2022/announcement.yaml"
SLUG = "qingdao-2022"
ZONE = ZoneInfo("Asia/Shanghai")

REACH = {slug: Reach(channel.pool, UNPACED, 1, channel.reaches_people) for slug, channel in CHANNELS.items()}
"""A site with one provider a channel, whose pace nobody said."""

Edit = tuple[str, str]
"""A text that the example holds, and what stands there instead."""


def example() -> Proposal:
    """The example as the product reads it."""
    return read(EXAMPLE, CHANNELS)


def edited(path: Path, *edits: Edit) -> Path:
    """Write the example with edits to `path`."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return path


def to_come(path: Path) -> Path:
    """Write the example to `path` as an outage that nobody living will see end."""
    path.write_text(EXAMPLE.read_text(encoding="utf-8").replace(" 2022-", " 2099-"), encoding="utf-8")
    return path


def line_of(path: Path, text: str) -> int:
    """The number of the first line that holds `text`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def local(text: str) -> datetime:
    """An instant written as `2022-02-26 00:00`, Beijing time."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)
