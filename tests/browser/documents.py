"""Surface documents as the server makes them, for the tests to vary."""

from __future__ import annotations

from typing import Any

NOW = 1_645_149_600_000
"""18 February 2022, 10:00 in Shanghai: when a document of these tests is answered, unless a test says otherwise."""
SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

Document = dict[str, Any]


def banner_phase(name: str, start: int, until: int | None, *, dismissible: bool = False, text: str = "") -> Document:
    """A phase of a banner whose text in both languages says its name, or `text`."""
    chinese, english = text or f"中文 {name}", text or f"English {name}"
    return {
        "phase": name,
        "from": start,
        "until": until,
        "dismissible": dismissible,
        "text": {
            "zh-Hans": {"text": chinese, "link_text": "详情"},
            "en": {"text": english, "link_text": "Details"},
        },
    }


def kiosk_phase(name: str, start: int, until: int | None, *, pages: int = 2) -> Document:
    """A phase of a kiosk with `pages` pages in both languages that say its name and their number."""
    numbers = range(1, pages + 1)
    return {
        "phase": name,
        "from": start,
        "until": until,
        "dismissible": False,
        "text": {
            "zh-Hans": {
                "title": f"标题 {name}",
                "pages": [f"{name} 第{number}页\n内容" for number in numbers],
                "contact": "电话 12333",
            },
            "en": {
                "title": f"Title {name}",
                "pages": [f"{name} page {number}\ncontent" for number in numbers],
                "contact": "Call 12333",
            },
        },
    }


def announcement(*phases: Document, **changes: Any) -> Document:
    """An announcement with these phases; `changes` replace its other fields."""
    return {
        "id": "city-2022",
        "revision": 1,
        "state": "in_progress",
        "severity": "major",
        "zone": "Asia/Shanghai",
        "languages": ["zh-Hans", "en"],
        "link": "https://example.test/notice",
        "qr": None,
        "phases": list(phases),
        **changes,
    }


def document(surface: str, *announcements: Document, **changes: Any) -> Document:
    """A document of a surface, made and answered at NOW; `changes` replace its own fields."""
    return {
        "surface": surface,
        "seq": 7,
        "issued_at": NOW,
        "clock": NOW,
        "refresh_after": 30,
        "announcements": list(announcements),
        **changes,
    }


def life(phase: Any, start: int) -> list[Document]:
    """The phases that a document gives of an outage from `start`, an hour long: nothing in it says `restored`."""
    end = start + HOUR
    return [phase("notice", start - DAY, start), phase("started", start, end), phase("overrun", end, None)]
