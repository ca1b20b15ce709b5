"""Small announcements for tests: a minimal valid file as plain data, and what is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from broadcaster.announcement.source import parse_source, to_yaml
from broadcaster.channels import registry
from broadcaster.planning.proposal import Proposal, parse, read
from broadcaster.planning.segment import Both, Either, Everyone, Not, Segment, Speaks, Tagged

CHANNELS = registry.CHANNELS
EXAMPLE_FILE = Path(__file__).parents[1] / "examples/qingdao-2022/announcement.yaml"
SHANGHAI = ZoneInfo("Asia/Shanghai")


def announcement_data(**fields: Any) -> dict[str, Any]:
    """The data of a valid announcement in two languages; `fields` replace its own, None takes one away."""
    words = {"zh-Hans": "字", "en": "words"}
    data: dict[str, Any] = {
        "slug": "pump-works",
        "zone": "Asia/Shanghai",
        "languages": ["zh-Hans", "en"],
        "owner": {"name": words, "signature": words},
        "title": words,
        "subject": words,
        "reason": words,
        "window": {"start": "2030-05-10 00:00", "end": "2030-05-20 24:00"},
        "services": [{"id": "payments", "name": words}, {"id": "records", "name": words}],
        "access_points": [{"id": "hall", "kind": "hall", "name": words}, {"id": "app", "kind": "app", "name": words}],
        "impacts": [{"id": "all", "services": ["payments"], "access_points": ["hall"], "state": "suspended"}],
    }
    return {name: value for name, value in {**data, **fields}.items() if value is not None}


def announcement_yaml(**fields: Any) -> str:
    """The same as the text of a file."""
    return to_yaml(announcement_data(**fields))


def proposal(text: str | None = None, **fields: Any) -> Proposal:
    """A proposal from a file's text, or from the minimal announcement with `fields`."""
    return parse(parse_source(text or announcement_yaml(**fields), "file.yaml"), CHANNELS)


def example() -> Proposal:
    """The Qingdao example, read as the product reads it."""
    return read(EXAMPLE_FILE, CHANNELS)


def at(text: str, zone: str = "Asia/Shanghai") -> datetime:
    """`2022-02-26 09:00` on the clocks of a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def window(start: str, end: str | None = None) -> Mapping[str, str]:
    """The data of a window."""
    return {"start": start, "end": end} if end else {"start": start}


def segments() -> st.SearchStrategy[Segment]:
    """Segments over three tags and two languages, up to a few levels deep."""
    leaves = st.one_of(
        st.just(Everyone()), st.sampled_from("abc").map(Tagged), st.sampled_from(["en", "zh-Hans"]).map(Speaks)
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(inner.map(Not), st.builds(Both, inner, inner), st.builds(Either, inner, inner)),
        max_leaves=6,
    )
